"""Publishing at every address: what is answered, and what is there afterwards."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from uploading import BASE, Part, content_part, events_of, keeps_nothing, kept_by, post, published, usual_parts

from pypiserve.core.identity import Role
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server that the tests of this module share; each has projects of its own."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "project"),
    [
        (BASE, "one"),
        (f"{BASE}/", "two"),
        (f"{BASE}/legacy", "three"),
        (f"{BASE}/legacy/", "four"),
        ("/", "five"),
        ("/legacy", "six"),
        ("/legacy/", "seven"),
    ],
)
def test_every_address_publishes_without_redirecting(site: ServerUnderTest, path: str, project: str) -> None:
    """With and without the slash, below the index and at the root of the host, the file is simply published."""
    wheel = a_wheel(project)
    first, again = site.publish(wheel, path=path), site.publish(wheel, path=path)
    assert (first.status, again.status) == (http.client.CREATED, http.client.OK)
    assert {reply.headers["cache-control"] for reply in (first, again)} == {"no-store"}
    assert published(site, project) == [wheel.filename]


def test_without_a_root_index_nothing_is_published_at_the_root(make_server: MakeServer) -> None:
    """The front page takes no files, and says which methods it takes."""
    server = make_server('root_index = ""\n')
    at_root = server.publish(a_wheel(), path="/")
    assert (at_root.status, at_root.headers["allow"]) == (http.client.METHOD_NOT_ALLOWED, "GET, HEAD")
    assert server.publish(a_wheel(), path="/legacy/").status == http.client.NOT_FOUND


@pytest.mark.parametrize("settings", ["", "private = true\n", 'root_index = ""\n'])
def test_there_is_no_trusted_publishing(make_server: MakeServer, settings: str) -> None:
    """404 is how uv, PDM and maturin learn that they shall use the token; a 401 or 405 ends their publishing."""
    server = make_server(settings)
    asked = [("GET", "/_/oidc/audience"), ("GET", "/.well-known/pytp")]
    asked += [("POST", path) for path in ("/_/oidc/mint-token", "/_/oidc/github/mint-token", "/_/oidc/burn-token")]
    for method, path in asked:
        body = b'{"token": "a.b.c"}' if method == "POST" else None
        assert server.request(method, path, body=body).status == http.client.NOT_FOUND, path


@pytest.mark.parametrize("path", [f"{BASE}/simple/", f"{BASE}/simple", f"{BASE}/simple/demo/"])
def test_the_address_for_reading_takes_no_files(site: ServerUnderTest, path: str) -> None:
    """People paste the wrong address of the two: the answer is 405, and says where files are published."""
    reply = site.publish(a_wheel("pasted"), path=path)
    assert reply.status == http.client.METHOD_NOT_ALLOWED
    assert reply.headers["allow"] == "GET, HEAD"
    assert "published by POST at the index itself" in reply.text


def test_the_same_bytes_again_succeed_and_change_nothing(site: ServerUnderTest) -> None:
    """A re-run of a half-finished publishing works with every client."""
    sdist = an_sdist("again")
    assert site.publish(sdist).status == http.client.CREATED
    with keeps_nothing(site):
        again = site.publish(sdist)
    assert (again.status, again.text.split(":")[0]) == (http.client.OK, "Unchanged")


def test_other_bytes_under_the_name_are_refused(site: ServerUnderTest) -> None:
    """A file never changes: 409, in the words that clients look for, and the first bytes stay."""
    first = a_wheel("fixed")
    site.publish(first)
    with keeps_nothing(site):
        other = site.publish(a_wheel("fixed", padding_bytes=1))
    assert other.status == http.client.CONFLICT
    assert other.reason.startswith("File already exists")
    assert other.text.startswith("File already exists")
    served = site.get(f"{BASE}/files/fixed/1.0/{first.filename}")
    assert served.body == first.content


def test_a_file_name_in_other_letters_is_the_same_name(site: ServerUnderTest) -> None:
    """On many disks the two would be one file."""
    site.publish(a_wheel("cased", tag="1a-py3-none-any"))
    other = a_wheel("cased", tag="1A-py3-none-any", padding_bytes=1)
    parts = [*usual_parts(other), content_part(other)]
    with keeps_nothing(site):
        reply = post(site, parts)
    assert (reply.status, reply.text[:19]) == (http.client.CONFLICT, "File already exists")


def test_spellings_of_one_name_are_one_project(site: ServerUnderTest) -> None:
    """Runs of separators and letter case do not make a project another one."""
    wheel, sdist = a_wheel("Spelled.__Name"), an_sdist("spelled-name")
    assert site.publish(wheel).status == http.client.CREATED
    assert site.publish(sdist).status == http.client.CREATED
    assert published(site, "spelled-name") == sorted([wheel.filename, sdist.filename])


def test_a_missing_action_is_an_upload(site: ServerUnderTest) -> None:
    """Whoever sends a file wants to publish it."""
    wheel = a_wheel("actionless")
    reply = post(site, [*usual_parts(wheel, **{":action": None, "protocol_version": None}), content_part(wheel)])
    assert reply.status == http.client.CREATED


@pytest.mark.parametrize("action", ["submit", "submit_pkg_info"])
def test_registering_is_answered_and_does_nothing(site: ServerUnderTest, action: str) -> None:
    """Old clients register a project first; poetry does it to retry."""
    with keeps_nothing(site):
        reply = post(site, [Part(":action", action), Part("name", "registered"), Part("version", "1.0")])
    assert reply.status == http.client.OK
    assert "Nothing to register" in reply.text


@pytest.mark.parametrize("action", ["doc_upload", "verify", "remove_pkg"])
def test_other_actions_are_refused_by_name(site: ServerUnderTest, action: str) -> None:
    """One sentence, whatever else the form for something else has or lacks."""
    parts = [Part(":action", action), Part("content", b"PK", filename="docs.zip")]
    with keeps_nothing(site):
        reply = post(site, parts)
    assert reply.status == http.client.BAD_REQUEST
    assert reply.text == f"This index takes :action=file_upload only, not '{action}'\n"


def test_an_event_tells_what_was_published(server: ServerUnderTest) -> None:
    """The journal has one event for the file, with who, what, where and when."""
    began = datetime.now(UTC).timestamp()
    server.publish(a_wheel("Told.Tale", "2.0rc1"))
    (event,) = events_of(server)
    facts = {name: event[name] for name in ("owner", "index_name", "project", "version", "filename")}
    assert facts == {
        "owner": "main",
        "index_name": "pypi",
        "project": "told-tale",
        "version": "2.0rc1",
        "filename": "told_tale-2.0rc1-py3-none-any.whl",
    }
    assert event["subject"].startswith("token:")
    assert began - 0.001 <= event["at"] / 1_000_000 <= datetime.now(UTC).timestamp()


def test_the_serial_rises_with_each_publication_and_only_then(server: ServerUnderTest) -> None:
    """Mirrors see by the number that there is something new."""
    serials = []
    for version in ("1.0", "1.0", "1.1"):
        server.publish(a_wheel("counted", version))
        serials.append(int(server.get(f"{BASE}/simple/counted/").headers["x-pypi-last-serial"]))
    assert serials[1:] == [serials[0], serials[0] + 1]


def test_a_file_is_on_its_pages_as_soon_as_it_was_answered(server: ServerUnderTest) -> None:
    """The very next request sees it, on pages that were kept a moment ago too."""
    for number in range(50):
        project = f"project-{number % 5}"
        wheel = a_wheel(project, f"1.{number}")
        assert server.publish(wheel).status == http.client.CREATED
        assert wheel.filename in published(server, project)
        assert f'href="{project}/"' in server.get(f"{BASE}/simple/").text


def test_a_read_only_token_may_not_publish(make_server: MakeServer) -> None:
    """Known and not allowed is 403, and nothing is kept."""
    server = make_server()
    with server.catalog() as catalog:
        token = catalog.accounts.create_token("reader", Role.READER, owner="main").secret
    with keeps_nothing(server):
        reply = server.publish(a_wheel(), token=token)
    assert reply.status == http.client.FORBIDDEN
    assert "token:reader is reader of main/pypi and may not publish there" in reply.text


def test_an_index_that_does_not_exist_takes_no_files(site: ServerUnderTest) -> None:
    """Nothing is made by publishing to it."""
    with keeps_nothing(site):
        reply = site.publish(a_wheel(), path="/api/packages/main/nothing/")
    assert reply.status == http.client.NOT_FOUND


def test_the_metadata_of_the_archive_is_what_is_served(site: ServerUnderTest) -> None:
    """The form is lossy in several clients: what it says of requirements does not matter."""
    wheel = a_wheel("trusted", requires_python=">=3.9", metadata={"Requires-Dist": ["a>=1"]})
    parts = [*usual_parts(wheel, requires_python=">=3.12"), Part("requires_dist", "b"), content_part(wheel)]
    assert post(site, parts).status == http.client.CREATED
    page = site.get(f"{BASE}/simple/trusted/", accept="application/vnd.pypi.simple.v1+json")
    file = json.loads(page.body)["files"][0]
    assert file["requires-python"] == ">=3.9"
    assert site.get(f"{BASE}/files/trusted/1.0/{wheel.filename}.metadata").body == wheel.metadata


def test_a_publication_leaves_nothing_in_staging(site: ServerUnderTest) -> None:
    """What was received is moved into the store or removed."""
    site.publish(a_wheel("staged"))
    assert kept_by(site.settings.data).staged == ()
