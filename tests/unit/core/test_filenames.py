"""File names: what they say, and which are refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pypiserve.core.errors import InvalidUpload
from pypiserve.core.filenames import MAX_FILENAME_LENGTH, DistributionFilename, FileKind, parse_filename
from pypiserve.core.index_rules import Validation

SDIST, WHEEL = FileKind.SDIST, FileKind.WHEEL


@pytest.mark.parametrize(
    ("filename", "project", "version", "kind", "python_tag"),
    [
        ("demo-1.0-py3-none-any.whl", "demo", "1.0", WHEEL, "py3"),
        ("demo-1.0-py2.py3-none-any.whl", "demo", "1.0", WHEEL, "py2.py3"),
        ("demo-1.0-7b-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "demo", "1.0", WHEEL, "cp312"),
        ("demo-1.0+cu118-cp312-cp312-linux_x86_64.whl", "demo", "1.0+cu118", WHEEL, "cp312"),
        ("demo-2!1.0-py3-none-any.whl", "demo", "2!1.0", WHEEL, "py3"),
        ("Zope.Interface_x-6.0rc1-py3-none-any.whl", "zope-interface-x", "6.0rc1", WHEEL, "py3"),
        ("demo_tools-1.0.tar.gz", "demo-tools", "1.0", SDIST, "source"),
        ("Demo.Tools-1.0.zip", "demo-tools", "1.0", SDIST, "source"),
        ("demo-tools-1.0.tar.gz", "demo-tools", "1.0", SDIST, "source"),
        ("demo--tools-1.0.tar.gz", "demo-tools", "1.0", SDIST, "source"),
        ("demo-1.0+local.1.tar.gz", "demo", "1.0+local.1", SDIST, "source"),
        ("demo-1!1.0.tar.gz", "demo", "1!1.0", SDIST, "source"),
    ],
)
def test_file_names(filename: str, project: str, version: str, kind: FileKind, python_tag: str) -> None:
    """Wheels and sdists are recognised, in the spellings of today and in those of before."""
    parsed = parse_filename(filename)

    assert (parsed.filename, parsed.project, parsed.version) == (filename, project, Version(version))
    assert (parsed.kind, parsed.python_tag) == (kind, python_tag)


@pytest.mark.parametrize(
    ("filename", "remedy"),
    [
        ("", "send the file's own name"),
        ("a/../foo-1.0.tar.gz", "own name only"),
        ("..\\foo-1.0.tar.gz", "own name only"),
        ("/foo-1.0.tar.gz", "own name only"),
        (".foo-1.0.tar.gz", "begin with the project's name"),
        ("-1.0.tar.gz", "ASCII letters"),
        ("foo\0-1.0.tar.gz", "ASCII letters"),
        ("foo-1.0.tar.gz\n", "ASCII letters"),
        ("foo bar-1.0.tar.gz", "ASCII letters"),
        ("föö-1.0.tar.gz", "ASCII letters"),
        ("foo-\u0661.0.tar.gz", "ASCII letters"),
        ("foo%2f-1.0.tar.gz", "ASCII letters"),
        ("f" * 230 + "-1.0.tar.gz", "shorten it"),
        ("foo-1.0.egg", "only .whl, .tar.gz and .zip"),
        ("foo-1.0.tar.bz2", "only .whl, .tar.gz and .zip"),
        ("foo-1.0.tar", "only .whl, .tar.gz and .zip"),
        ("foo-1.0.TAR.GZ", "only .whl, .tar.gz and .zip"),
        ("foo-1.0.exe", "only .whl, .tar.gz and .zip"),
        ("foo", "only .whl, .tar.gz and .zip"),
        ("foo.tar.gz", "such as demo-1.0.tar.gz"),
        ("foo-1.0-beta.tar.gz", "such as demo-1.0.tar.gz"),
        ("foo-.tar.gz", "such as demo-1.0.tar.gz"),
        ("foo_-1.0.tar.gz", "is no project name"),
        ("foo-1.0.whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo-1.0-py3-none.whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo-1.0-x1-py3-none-any.whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo-bar-baz-1.0-py3-none-any.whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo-nope-py3-none-any.whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo-1.0-py3--any.whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo-1.0-py3..py2-none-any.whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo-1.0-py3-none-any..whl", "such as demo-1.0-py3-none-any.whl"),
        ("foo_-1.0-py3-none-any.whl", "is no project name"),
    ],
)
def test_refused_file_names(filename: str, remedy: str) -> None:
    """A refused file name gets one line that says how to mend it."""
    with pytest.raises(InvalidUpload, match=re.escape(remedy)) as caught:
        parse_filename(filename)

    assert [problem.code for problem in caught.value.problems] == ["invalid-filename"]
    assert "\n" not in str(caught.value)


def test_the_longest_file_name() -> None:
    """A file name may be as long as the bound says."""
    name = "d" * (MAX_FILENAME_LENGTH - 60) + "-1.0-py3-none-" + "a" * 42 + ".whl"

    assert len(name) == MAX_FILENAME_LENGTH
    assert parse_filename(name).filename == name


@pytest.mark.parametrize(
    "filename",
    [
        "demo_tools-1.0.tar.gz",
        "demo-1!1.0rc1.post2.dev3+local.1.tar.gz",
        "demo_tools-1.0-py3-none-any.whl",
        "demo-1.0-7b-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "demo-1.0+cu118-cp312-cp312-linux_x86_64.whl",
        "demo-1.0-py2.py3-none-any.whl",
        "demo-1.0-cp312-cp312-somewhere_else.whl",
    ],
)
def test_standard_file_names(filename: str) -> None:
    """Local versions, build tags and any platform are fine on a strict index."""
    assert parse_filename(filename, validation=Validation.STRICT).filename == filename


@pytest.mark.parametrize(
    ("filename", "right"),
    [
        ("Demo-1.0.tar.gz", "demo-1.0.tar.gz"),
        ("demo-tools-1.0.tar.gz", "demo_tools-1.0.tar.gz"),
        ("demo.tools-1.0.tar.gz", "demo_tools-1.0.tar.gz"),
        ("demo__tools-1.0.tar.gz", "demo_tools-1.0.tar.gz"),
        ("demo-v1.0.tar.gz", "demo-1.0.tar.gz"),
        ("demo-1.0.RC1.tar.gz", "demo-1.0rc1.tar.gz"),
        ("demo-2024.01.tar.gz", "demo-2024.1.tar.gz"),
        ("demo-1.0.zip", "demo-1.0.tar.gz"),
        ("Demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl"),
        ("demo.tools-1.0-1-py3-none-any.whl", "demo_tools-1.0-1-py3-none-any.whl"),
        ("demo-1.0.post_1-py3-none-any.whl", "demo-1.0.post1-py3-none-any.whl"),
        ("demo-1.0+Local_1-py3-none-any.whl", "demo-1.0+local.1-py3-none-any.whl"),
    ],
)
def test_nonstandard_file_names(filename: str, right: str) -> None:
    """A strict index tells the right name; a lenient one takes the file as it is."""
    assert parse_filename(filename).filename == filename
    with pytest.raises(InvalidUpload, match=re.escape(f"should be '{right}'")) as caught:
        parse_filename(filename, validation=Validation.STRICT)

    assert [problem.code for problem in caught.value.problems] == ["nonstandard-filename"]
    assert parse_filename(right, validation=Validation.STRICT).project == parse_filename(filename).project


messy = st.text(st.sampled_from("ab1-._+!/\\ \0é%AZ"), max_size=25)
suffixes = st.sampled_from(
    [".tar.gz", ".zip", ".whl", "-py3-none-any.whl", "-1.0.tar.gz", "-1.0-py3-none-any.whl", ""]
)


def _outcome(filename: str) -> DistributionFilename | InvalidUpload:
    try:
        return parse_filename(filename)
    except InvalidUpload as error:
        return error


@given(messy, suffixes)
def test_an_accepted_file_name_is_a_safe_path_segment(stem: str, suffix: str) -> None:
    """What is accepted is one harmless segment of a path and of a URL, and names a project."""
    outcome = _outcome(stem + suffix)

    if isinstance(outcome, DistributionFilename):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", outcome.filename)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", outcome.project)


@given(st.text(max_size=60), suffixes)
def test_any_text_is_a_file_name_or_refused_in_one_line(stem: str, suffix: str) -> None:
    """No text causes any other error, and no text comes back in a form that breaks a header line."""
    outcome = _outcome(stem + suffix)

    if isinstance(outcome, InvalidUpload):
        assert [problem.code for problem in outcome.problems] == ["invalid-filename"]
        assert str(outcome).isascii()
        assert str(outcome).isprintable()
    else:
        assert outcome.filename == stem + suffix
