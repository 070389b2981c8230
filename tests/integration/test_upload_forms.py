"""Forms as the many clients send them: each order, each digest, each oddity."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator

import pytest
from uploading import BOUNDARY, Part, content_part, digest_of, encode, keeps_nothing, post, published, usual_parts

from pypiserve.testing import BuiltFile, a_wheel
from pypiserve.testing.server import ServerUnderTest

DIGESTS = ("sha256_digest", "blake2_256_digest", "md5_digest")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server that the tests of this module share; each has projects of its own."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def wheel(request: pytest.FixtureRequest) -> BuiltFile:
    """Return a wheel of a project that no other test has."""
    return a_wheel("p" + request.node.name.encode().hex()[-80:])


def test_the_order_of_the_fields_does_not_matter(site: ServerUnderTest) -> None:
    """The file first, in the middle or last, digests before or behind it: all the same."""
    for number, order in enumerate(itertools.permutations(range(4))):
        wheel = a_wheel(f"ordered{number}")
        parts = [*usual_parts(wheel), content_part(wheel)]
        assert post(site, [parts[at] for at in order]).status == http.client.CREATED, order
        assert published(site, f"ordered{number}") == [wheel.filename]


@pytest.mark.parametrize("part_type", [None, "application/octet-stream", "application/x-wheel+zip", "image/png"])
def test_a_part_may_say_what_it_is_or_not(site: ServerUnderTest, wheel: BuiltFile, part_type: str | None) -> None:
    """Uv and flit send the file without a type; what others say of it is not looked at."""
    file = Part("content", wheel.content, filename=wheel.filename, content_type=part_type)
    assert post(site, [*usual_parts(wheel), file]).status == http.client.CREATED


@pytest.mark.parametrize("count", [150, 5000])
def test_there_may_be_many_parts(site: ServerUnderTest, wheel: BuiltFile, count: int) -> None:
    """Projects with hundreds of requirements and classifiers exist."""
    many = [Part("classifiers", f"Private :: Number {number}") for number in range(count)]
    assert post(site, [*many, *usual_parts(wheel), content_part(wheel)]).status == http.client.CREATED


@pytest.mark.parametrize(
    "name",
    [
        "attestations",
        "comment",
        "gpg_signature",
        "import_names",
        "import_namespaces",
        "license_files",
        "platforms",
        "project_url",
        "provides_extras",
        "something_new",
    ],
)
def test_fields_that_are_not_known_are_tolerated(site: ServerUnderTest, wheel: BuiltFile, name: str) -> None:
    """Clients spell some fields in their own way, and new ones come."""
    parts = [*usual_parts(wheel), content_part(wheel), Part(name, '[{"version": 1}]'), Part(name, "")]
    assert post(site, parts).status == http.client.CREATED


def test_a_signature_may_come_as_a_file(site: ServerUnderTest, wheel: BuiltFile) -> None:
    """Twine can send one; it is not the file that is published."""
    signature = Part("gpg_signature", b"-----BEGIN PGP", filename=f"{wheel.filename}.asc")
    assert post(site, [signature, *usual_parts(wheel), content_part(wheel)]).status == http.client.CREATED
    assert len(published(site, wheel.filename.split("-")[0])) == 1


@pytest.mark.parametrize("name", DIGESTS)
def test_any_one_digest_is_enough(site: ServerUnderTest, wheel: BuiltFile, name: str) -> None:
    """Twine sends no MD5 any more, maturin nothing but SHA-256."""
    only = Part(name, digest_of(name, wheel.content))
    assert (
        post(site, [*usual_parts(wheel, sha256_digest=None), content_part(wheel), only]).status == http.client.CREATED
    )


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_may_be_in_capitals_and_blanks(site: ServerUnderTest, wheel: BuiltFile, name: str) -> None:
    """Hex digits are hex digits."""
    only = Part(name, f" {digest_of(name, wheel.content).upper()}\r\n")
    assert (
        post(site, [only, *usual_parts(wheel, sha256_digest=None), content_part(wheel)]).status == http.client.CREATED
    )


@pytest.mark.parametrize("wrong", DIGESTS)
def test_every_digest_that_is_given_must_be_right(site: ServerUnderTest, wheel: BuiltFile, wrong: str) -> None:
    """Two right ones do not make up for a wrong one."""
    digests = {name: digest_of(name, wheel.content + b"!" * (name == wrong)) for name in DIGESTS}
    with keeps_nothing(site):
        reply = post(site, [*usual_parts(wheel, **digests), content_part(wheel)])
    assert reply.status == http.client.BAD_REQUEST
    assert "does not match the file as it arrived" in reply.text


@pytest.mark.parametrize("name", DIGESTS)
@pytest.mark.parametrize("text", ["00", "z" * 64, "sha256=" + "0" * 57])
def test_what_is_no_digest_is_refused(site: ServerUnderTest, wheel: BuiltFile, name: str, text: str) -> None:
    """The sentence says how many hex digits there must be."""
    with keeps_nothing(site):
        reply = post(site, [*usual_parts(wheel, **{name: text}), content_part(wheel)])
    assert reply.status == http.client.BAD_REQUEST
    assert f"{name} must be {32 if name == 'md5_digest' else 64} hex digits" in reply.text


def test_without_any_digest_nothing_is_published(site: ServerUnderTest, wheel: BuiltFile) -> None:
    """A file that was damaged on its way must not pass."""
    with keeps_nothing(site):
        reply = post(site, [*usual_parts(wheel, sha256_digest=None, md5_digest=""), content_part(wheel)])
    assert (reply.status, reply.text[:23]) == (http.client.BAD_REQUEST, "No digest was sent; sen")


def test_empty_fields_count_as_absent(site: ServerUnderTest, wheel: BuiltFile) -> None:
    """PDM sends every field, the missing ones empty."""
    empty = dict.fromkeys(["name", "version", "filetype", "md5_digest", "blake2_256_digest", "description"], "")
    assert post(site, [*usual_parts(wheel, **empty), content_part(wheel)]).status == http.client.CREATED


def test_the_name_may_be_spelled_in_any_way(site: ServerUnderTest) -> None:
    """Twine sends a "safe" name, maturin the normalised one, uv the name as it was written."""
    for number, name in enumerate(["Any_.Way", "any-way", "ANY.WAY"]):
        wheel = a_wheel("Any_Way", f"1.{number}")
        parts = [*usual_parts(wheel, name=name, version=f"1.{number}.0"), content_part(wheel)]
        assert post(site, parts).status == http.client.CREATED


def test_a_path_of_an_old_browser_is_cut_off(site: ServerUnderTest, wheel: BuiltFile) -> None:
    """Some programs send the whole path of a Windows disk as the file name."""
    file = content_part(wheel, f"C:\\dist\\{wheel.filename}")
    assert post(site, [*usual_parts(wheel), file]).status == http.client.CREATED
    assert published(site, wheel.filename.split("-")[0]) == [wheel.filename]


@pytest.mark.parametrize("excess", range(4))
def test_a_body_may_be_as_long_as_it_likes(site: ServerUnderTest, excess: int) -> None:
    """However the body falls into the pieces in which it is read, the end of it is found."""
    wheel = a_wheel(f"long{excess}", padding_bytes=900_000)
    parts = [*usual_parts(wheel), content_part(wheel)]
    missing = (2 << 20) + excess - len(encode([*parts, Part("description", "")]))
    body = encode([*parts, Part("description", "x" * missing)])
    assert len(body) == (2 << 20) + excess
    assert post(site, body).status == http.client.CREATED


@pytest.mark.parametrize("boundary", ["x", "'()+_,-./:=?", "-" * 70])
def test_a_boundary_may_be_any_that_is_allowed(site: ServerUnderTest, wheel: BuiltFile, boundary: str) -> None:
    """Quoted or not, short or long."""
    body = encode([*usual_parts(wheel), content_part(wheel)], boundary)
    headers = {"Content-Type": f'Multipart/Form-Data; charset=utf-8; boundary="{boundary}"'}
    assert boundary != BOUNDARY
    assert post(site, body, headers=headers).status == http.client.CREATED
