"""Core metadata: what it says, what is refused, and what it is held against."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.core_metadata import (
    CoreMetadata,
    filename_disagreements,
    form_disagreements,
    parse_core_metadata,
)
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.filenames import parse_filename
from pypiserve.core.index_rules import Validation

ALL_VERSIONS = ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"]


def written(*lines: str, version: str = "2.1", body: str = "") -> bytes:
    head = [f"Metadata-Version: {version}", "Name: demo", "Version: 1.0", *lines]
    return ("\n".join(head) + "\n" + (f"\n{body}" if body else "")).encode()


def problems(content: bytes) -> list[str]:
    """Return the messages of a refusal; each is one line of bounded length."""
    with pytest.raises(InvalidUpload) as caught:
        parse_core_metadata(content)
    assert {problem.code for problem in caught.value.problems} == {"invalid-metadata"}
    messages = [problem.message for problem in caught.value.problems]
    assert all(len(message.splitlines()) == 1 and len(message) <= 400 for message in messages)
    return messages


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_all_metadata_versions(version: str) -> None:
    """Every metadata version is read without a warning, 2.6 among them."""
    metadata = parse_core_metadata(written("Summary: A demonstration", "Requires-Python: >=3.9", version=version))

    assert metadata == dataclasses.replace(
        metadata,
        name="demo",
        version="1.0",
        metadata_version=version,
        requires_python=">=3.9",
        summary="A demonstration",
    )


def test_fields() -> None:
    """All fields are there in their order, and the body is the description."""
    metadata = parse_core_metadata(
        written(
            "Classifier: Private :: Do Not Upload",
            "Classifier: Nobody :: Knows :: This",
            "Requires-Dist: other @ https://example.org/other-1.0.tar.gz",
            "X-House-Rule: yes",
            body="Read me.\n\nTwice.\n",
        )
    )

    assert metadata.fields["classifier"] == ("Private :: Do Not Upload", "Nobody :: Knows :: This")
    assert metadata.fields["requires-dist"] == ("other @ https://example.org/other-1.0.tar.gz",)
    assert metadata.fields["x-house-rule"] == ("yes",)
    assert metadata.fields["description"] == ("Read me.\n\nTwice.\n",)
    assert (metadata.requires_python, metadata.summary) == (None, None)


def test_names_and_versions_are_kept_as_written() -> None:
    """Normalisation is for comparing; what the author wrote is what is shown."""
    metadata = parse_core_metadata(b"Metadata-Version: 2.1\nName: Demo.Tools\nVersion: v1.0.0\n")

    assert (metadata.name, metadata.version) == ("Demo.Tools", "v1.0.0")


def test_a_folded_requires_python() -> None:
    """Version specifiers over several lines become one line, as pages need them."""
    assert parse_core_metadata(written("Requires-Python: >=3.9,", "  <4")).requires_python == ">=3.9, <4"


def test_line_ends_of_windows() -> None:
    """Metadata that was written on Windows is read alike."""
    content = written("Summary: short", body="Read me.\n")

    assert parse_core_metadata(content.replace(b"\n", b"\r\n")).summary == "short"


def test_a_description_in_a_header() -> None:
    """Old metadata has the description in an indented header."""
    metadata = parse_core_metadata(written("Description: One", "        Two", version="1.1"))

    assert metadata.fields["description"] == ("One\nTwo",)


def test_letters_of_any_language() -> None:
    """Texts are UTF-8."""
    assert parse_core_metadata(written("Summary: Grüße, 世界")).summary == "Grüße, 世界"


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_unknown_stands_for_nothing(version: str) -> None:
    """Old tools wrote UNKNOWN where there was nothing to say, also in Requires-Python."""
    metadata = parse_core_metadata(
        written(
            "Summary: UNKNOWN",
            "Home-page: UNKNOWN",
            "Description-Content-Type: UNKNOWN",
            "Requires-Python: UNKNOWN",
            "Platform: UNKNOWN",
            version=version,
        )
    )

    assert (metadata.summary, metadata.requires_python) == (None, None)
    assert set(metadata.fields) == {"metadata-version", "name", "version"}


@pytest.mark.parametrize("version", [*ALL_VERSIONS, "2.0"])
def test_lenient_indexes_take_old_metadata_as_it_is(version: str) -> None:
    """A mirror checks what installing needs, and takes the unofficial version 2.0."""
    content = written(
        "Requires-Dist: pytz (>dev)",
        "Project-URL: nonsense",
        "Summary: two",
        "  lines",
        "Keywords: a",
        "Keywords: b",
        "Dynamic: Everything",
        version=version,
    )

    assert parse_core_metadata(content, validation=Validation.LENIENT).name == "demo"
    assert len(problems(content)) >= 4


def test_the_version_that_was_never_accepted() -> None:
    """Metadata 2.0 is in old wheels only; what is built today has another version."""
    (message,) = problems(written(version="2.0"))

    assert "'2.0' is not supported" in message


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3"])
def test_fields_of_later_metadata_versions_are_unknown_fields(version: str) -> None:
    """Tools wrote License-File for years before version 2.4 gave it a meaning."""
    metadata = parse_core_metadata(written("License-File: ../LICENSE", "Import-Name: x y", version=version))

    assert metadata.fields["license-file"] == ("../LICENSE",)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("Requires-Dist: pytz (>dev)", "requires-dist"),
        ("Requires-Dist: ((((", "requires-dist"),
        ("Requires-Python: three", "requires-python"),
        ("Summary: two\n  lines", "summary"),
        ("Summary: one\nSummary: two", "summary"),
        ("Dynamic: Name", "dynamic"),
        ("Dynamic: Everything", "dynamic"),
        ("License-Expression: Mine, all mine", "license-expression"),
        ("License-File: ../LICENSE", "license-file"),
        ("Provides-Extra: -", "provides-extra"),
        ("Description-Content-Type: text/html", "description-content-type"),
        ("Project-URL: Home, https://a.example\nProject-URL: Home, https://b.example", "project-url"),
        ("Requires-Dist: " + "x" * 10_001, "requires-dist"),
        ("Content-Type: multipart/mixed; boundary=x", "content-type"),
        ("Content-Type: message/rfc822", "content-type"),
    ],
)
@pytest.mark.parametrize("version", ["2.4", "2.5", "2.6"])
def test_invalid_fields(version: str, line: str, field: str) -> None:
    """A problem names the field and says what to do."""
    (message,) = problems(written(line, version=version))

    assert message.startswith(f"core metadata field {field}: ")
    assert ";" in message


@pytest.mark.parametrize(
    "value",
    [
        "text/plain",
        "Text/X-rst",
        "text/markdown;",
        "text/markdown; charset=utf-8",
        'text/markdown ;\tCharset = "UTF-8"; variant=CommonMark ;',
        "text/markdown;charset=UTF-8;variant=GFM",
        "text/plain; variant=none; format=flowed",
        "UNKNOWN",
    ],
)
def test_content_types(value: str) -> None:
    """Whatever the version of packaging, and of the Python: parameters in any case, quoted or not, and others too."""
    assert parse_core_metadata(written(f"Description-Content-Type: {value}")).name == "demo"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "text/html",
        "text /markdown",
        "text/markdown, text/plain",
        "text/markdown; charset",
        "text/markdown; x\x1a",
        "text/markdown; x\x1a=1",
        "text/markdown; x=\x1a",
        'text/markdown; x="\x1a"',
        "text/markdown; x*=a",
        "text/markdown; x=a/b",
        "text/markdown; x=\N{LATIN SMALL LETTER E WITH ACUTE}",
        "text/markdown;; x=1",
        "text/markdown; charset=UTF-8; CHARSET=UTF-8",
        "text/markdown; charset=latin-1",
        "text/markdown; variant=gfm",
        "text/markdown" + "; x \t= 1" * 900 + "\x1a",
    ],
)
def test_no_content_types(value: str) -> None:
    """One problem, told once, however many readers would stumble over it."""
    (message,) = problems(written(f"Description-Content-Type: {value}"))

    assert message.startswith("core metadata field description-content-type: ")
    assert message.isprintable()


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_what_installing_needs_is_always_checked(version: str) -> None:
    """Name, version and Requires-Python must be valid in all metadata versions; all problems are told at once."""
    content = f"Metadata-Version: {version}\nName: de mo\nVersion: one\nRequires-Python: three\n".encode()

    messages = problems(content)

    assert ["name" in messages[0], "version" in messages[1], "requires-python" in messages[2]] == [True] * 3
    assert len(messages) == 3


@pytest.mark.parametrize("field", ["Metadata-Version", "Name", "Version"])
def test_missing_and_repeated_fields(field: str) -> None:
    """Metadata without one of the three required fields, or with two of one, is refused."""
    lines = written().decode().splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith(f"{field}:"))
    twice = "".join(lines) + next(line for line in lines if line.startswith(f"{field}:"))

    assert [f"field {field.lower()}: it is missing" in message for message in problems(without.encode())] == [True]
    assert [f"{field.lower()}: it is given more" in message for message in problems(twice.encode())] == [True]


@pytest.mark.parametrize("version", ["3.0", "2.7", "2", "1.3", "new"])
def test_unsupported_metadata_versions(version: str) -> None:
    """A metadata version that nobody here can read is refused, and the known ones are named."""
    (message,) = problems(written(version=version))

    assert f"'{version}' is not supported" in message
    assert "2.6" in message


def test_a_project_called_unknown() -> None:
    """A build that did not find its own name calls itself UNKNOWN; that is no name to publish."""
    (message,) = problems(b"Metadata-Version: 2.1\nName: UNKNOWN\nVersion: 0.0.0\n")

    assert "name: it is missing" in message


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (written() + b"Summary: caf\xe9\n", "not UTF-8"),
        (written() + b"Summary: a\0b\n", "NUL"),
        (written() + b"Description: x\n" + b" y\n" * 400_000, "move the description below"),
        (written() + b"Platform: x\n" * 10_001, "more than"),
        (written() + b"".join(b"X-%d: y\n" % number for number in range(201)), "more than"),
    ],
)
def test_unreadable_metadata(content: bytes, hint: str) -> None:
    """What is no text, or would take long to read, is refused as a whole."""
    (message,) = problems(content)

    assert hint in message


def test_nested_markers_end_in_a_problem() -> None:
    """A marker too deep for the parser is a problem of the upload, not of the server, whoever notices."""
    deep = "(" * 4000 + "python_version > '3'" + ")" * 4000

    (message,) = problems(written(f"Requires-Dist: other; {deep}"))

    assert message.startswith(
        ("core metadata field requires-dist: ", "core metadata field (several): RecursionError ")
    )
    assert len(message) <= 400


def a_demo(*, name: str = "Demo.Tools", version: str = "1.0") -> CoreMetadata:
    return parse_core_metadata(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode())


@pytest.mark.parametrize(
    ("name", "version", "codes"),
    [
        (None, None, []),
        ("demo_tools", "1.0.0", []),
        ("demo-tools", "v1.0", []),
        ("other", "1.0", ["name-mismatch"]),
        ("demo tools", "1.0", ["name-mismatch"]),
        ("demo-tools", "1.0.1", ["version-mismatch"]),
        ("demo-tools", "one", ["version-mismatch"]),
        ("demo-tools", "1.0+local", ["version-mismatch"]),
        ("", "", ["name-mismatch", "version-mismatch"]),
    ],
)
def test_the_form_against_the_metadata(name: str | None, version: str | None, codes: list[str]) -> None:
    """Spellings may differ, names and versions may not; what was not sent agrees."""
    found = form_disagreements(a_demo(), name=name, version=version)

    assert [problem.code for problem in found] == codes


@pytest.mark.parametrize(
    ("filename", "codes"),
    [
        ("demo_tools-1.0.0.tar.gz", []),
        ("Demo.Tools-1-py3-none-any.whl", []),
        ("demo-1.0.tar.gz", ["name-mismatch"]),
        ("demo_tools-2.0.tar.gz", ["version-mismatch"]),
        ("demo-2.0-py3-none-any.whl", ["name-mismatch", "version-mismatch"]),
    ],
)
def test_the_file_name_against_the_metadata(filename: str, codes: list[str]) -> None:
    """A file that was renamed is found out."""
    found = filename_disagreements(a_demo(), parse_filename(filename))

    assert [problem.code for problem in found] == codes


def test_a_disagreement_says_both_sides_and_the_remedy() -> None:
    """Who reads the sentence knows what to do."""
    (problem,) = filename_disagreements(a_demo(name="demo", version="2.0"), parse_filename("demo-1.0.tar.gz"))

    assert problem.message == (
        "the file name says demo 1.0 but its metadata says demo 2.0; rebuild the file or correct its name"
    )


field_names = """
    Metadata-Version Name Version Requires-Python Requires-Dist License-Expression License-File Dynamic Project-URL
    Provides-Extra Description-Content-Type Description Import-Name Keywords Content-Type From X
"""
values = st.text(max_size=30) | st.sampled_from(["2.4", "1.0", "demo", "{x}", "{", "text/markdown; x*", "UNKNOWN"])
lines = st.lists(st.tuples(st.sampled_from(field_names.split()), values), max_size=8)


def outcome(content: bytes) -> CoreMetadata | InvalidUpload:
    try:
        return parse_core_metadata(content)
    except InvalidUpload as error:
        return error


@given(st.sampled_from(ALL_VERSIONS), lines)
def test_any_fields_are_read_or_refused(version: str, fields: list[tuple[str, str]]) -> None:
    """Whatever the fields hold, there is metadata or a refusal that lists problems in one line each."""
    found = outcome(written(*(f"{name}: {value}" for name, value in fields), version=version))

    if isinstance(found, InvalidUpload):
        assert found.problems
        assert all(len(problem.message.splitlines()) == 1 for problem in found.problems)
    else:
        assert (found.name, found.version) == ("demo", "1.0")


@given(st.binary(max_size=200), st.sampled_from([b"", b"Metadata-Version: 2.4\n", written(), written(body="x")]))
def test_any_bytes_are_read_or_refused(content: bytes, before: bytes) -> None:
    """No bytes cause any other error, or a warning."""
    assert isinstance(outcome(before + content), CoreMetadata | InvalidUpload)
