"""The corpus before other judges: the good twins install, and what ``packaging`` refuses is refused here as well."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator

import pytest
import uv
from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from raw_zip import FILENAME
from test_hostile_wheels import GOOD as GOOD_WHEELS
from test_reader_differences import GOOD as GOOD_FOR_READERS
from text_cases import METADATA_CASES, NAME_CASES

from clients.sandbox import Sandbox
from pypiserve.core.core_metadata import parse_core_metadata
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.file_checks import check_file
from pypiserve.core.filenames import parse_filename
from pypiserve.core.index_rules import Validation

GOOD = {**GOOD_WHEELS, **GOOD_FOR_READERS}
INSTALLERS = {
    "uv": (uv.find_uv_bin(), "pip", "install", "--offline", "--python", sys.executable),
    "pip": (sys.executable, "-m", "pip", "install", "--no-compile"),
}
ODD = (
    "",
    "-",
    "_",
    ".",
    "+",
    "!",
    " ",
    "1",
    "a",
    "A",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "\N{ARABIC-INDIC DIGIT ONE}",
)
PIP_IS_STRICTER = pytest.mark.xfail(
    reason="pip takes no spaces around the colon; the specification has readers ignore them"
)
FILENAMES = [
    "demo-1.0.tar.gz",
    "demo_more-1!2.0rc1.post2.dev3+local.4.tar.gz",
    "demo-1.0-py3-none-any.whl",
    "demo-1.0-1b-cp311.py3-abi3-manylinux_2_17_x86_64.whl",
]


def with_each_installer(name: str) -> list[object]:
    """Return the parameters for one twin."""
    marks = {"pip": [PIP_IS_STRICTER]} if name == "a-command-with-extras" else {}
    return [pytest.param(name, tool, id=f"{name}-{tool}", marks=marks.get(tool, ())) for tool in INSTALLERS]


@pytest.mark.parametrize(("name", "installer"), [case for name in GOOD for case in with_each_installer(name)])
def test_good_twins_install(name: str, installer: str, sandbox: Sandbox) -> None:
    """A wheel that passes the gate of a strict index is one that the installer takes."""
    wheel = sandbox.home / FILENAME
    wheel.write_bytes(GOOD[name])
    assert check_file(io.BytesIO(GOOD[name]), FILENAME, validation=Validation.STRICT).problems == ()

    options = ("--no-deps", "--no-index", "--target", sandbox.home / "target")
    done = sandbox.run(*INSTALLERS[installer], *options, wheel)

    assert done.succeeded, done.report
    assert (sandbox.home / "target" / "demo" / "__init__.py").exists()


def spoilt(text: str) -> Iterator[str]:
    """Yield a text with other characters in, or in place of, each of its own."""
    for place in range(len(text) + 1):
        for odd in ODD:
            yield text[:place] + odd + text[place:]
            yield text[:place] + odd + text[place + 1 :]


def test_packaging_refuses_no_filename_that_we_take() -> None:
    """Thousands of file names, most of them wrong: those that packaging cannot read are refused."""
    names = {case.filename for case in NAME_CASES}.union(*map(spoilt, FILENAMES))

    refused = {name for name in names if not _can_read_filename(name)}

    assert len(refused) > 500
    assert {name for name in refused if _passes_filename(name)} == set()


def _can_read_filename(name: str) -> bool:
    try:
        if name.endswith(".whl"):
            parse_wheel_filename(name)
        else:
            parse_sdist_filename(name)
    except ValueError:
        return False
    return True


def _passes_filename(name: str) -> bool:
    try:
        parse_filename(name)
    except InvalidUpload:
        return False
    return True


def metadata_files() -> Iterator[bytes]:
    """Yield the metadata of each case, and with each of its first lines left out, doubled or spoilt."""
    for case in METADATA_CASES:
        with tarfile.open(fileobj=io.BytesIO(case.content())) as members:
            path = next(path for path in members.getnames() if path.endswith("/PKG-INFO"))
            file = members.extractfile(path)
            assert file is not None
            lines = file.read().split(b"\n")
        yield b"\n".join(lines)
        for number, line in enumerate(lines[:8]):
            for other in ([], [line, line], [line + b" !"], [line.replace(b": ", b": ,")], [line[:-1]]):
                yield b"\n".join([*lines[:number], *other, *lines[number + 1 :]])


def test_packaging_refuses_no_metadata_that_we_take() -> None:
    """Thousands of metadata files: what packaging finds invalid is refused, but for fields it does not know."""
    refused = {content for content in metadata_files() if not _is_valid_metadata(content)}

    assert len(refused) > 500
    assert {content for content in refused if _passes_metadata(content)} == set()


def _is_valid_metadata(content: bytes) -> bool:
    try:
        Metadata.from_email(content)
    except ExceptionGroup as group:
        return all("unrecognized field" in str(error) for error in group.exceptions)
    except (ValueError, RecursionError):
        return False
    return True


def _passes_metadata(content: bytes) -> bool:
    try:
        parse_core_metadata(content)
    except InvalidUpload:
        return False
    return True
