"""Links, duplicates and collisions: what extracting an sdist would make of its paths."""

from __future__ import annotations

import io
import tarfile

import pytest
from archive_samples import METADATA, a_member, a_tar_of

from pypiserve.core.archives import ArchiveLimits, ArchiveReport
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.filenames import parse_filename
from pypiserve.core.index_rules import Validation
from pypiserve.core.sdist_archive import examine_sdist

FILE, FOLDER, SYMBOLIC, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
Entry = tuple[str, bytes] | tuple[str, bytes, str]


def an_archive(*entries: Entry) -> io.BytesIO:
    members = [a_member("demo-1.0/PKG-INFO", size_bytes=len(METADATA)), a_member("demo-1.0/setup.py")]
    for name, kind, *target in entries:
        members.append(a_member(f"demo-1.0/{name}", kind, target=target[0] if target else ""))
    return a_tar_of(*members)


def examine(*entries: Entry, validation: Validation = Validation.STRICT) -> ArchiveReport:
    name = parse_filename("demo-1.0.tar.gz")
    return examine_sdist(an_archive(*entries), name, validation=validation, limits=ArchiveLimits())


def codes(*entries: Entry, validation: Validation = Validation.STRICT) -> set[str]:
    try:
        examine(*entries, validation=validation)
    except InvalidUpload as error:
        return {problem.code for problem in error.problems}
    return set()


def judged_by_python(*entries: Entry) -> bool:
    """Tell whether Python's extraction filter lets every member pass."""
    with tarfile.open(fileobj=io.BytesIO(an_archive(*entries).getvalue())) as archive:
        try:
            return all(tarfile.data_filter(member, "/tmp/anywhere") for member in archive)
        except tarfile.FilterError:
            return False


GOOD = [
    [("docs", FOLDER), ("docs/a", FILE), ("docs", FOLDER)],
    [("link", SYMBOLIC, "setup.py")],
    [("link", SYMBOLIC, "./missing")],
    [("a/link", SYMBOLIC, "../setup.py")],
    [("a/b/link", SYMBOLIC, "../../c")],
    [("here", SYMBOLIC, ".")],
    [("hard", HARD, "demo-1.0/setup.py")],
    [("a", SYMBOLIC, "b"), ("b", SYMBOLIC, "setup.py")],
]
BAD = [
    [("link", SYMBOLIC, "/etc/passwd")],
    [("link", SYMBOLIC, "..")],
    [("link", SYMBOLIC, "../other")],
    [("a/link", SYMBOLIC, "../../x")],
    [("link", SYMBOLIC, "a/../../demo-1.0/x")],
    [("link", SYMBOLIC, "C:/x")],
    [("link", SYMBOLIC, "a\\b")],
    [("link", SYMBOLIC, "a\nb")],
    [("link", SYMBOLIC, "")],
    [("hard", HARD, "setup.py")],
    [("hard", HARD, "/etc/passwd")],
    [("hard", HARD, "demo-1.0/../x")],
    [("hard", HARD, "demo-1.0/later"), ("later", FILE)],
    [("l", SYMBOLIC, "."), ("l/x", FILE)],
    [("l/x", FILE), ("l", SYMBOLIC, ".")],
    [("a/l", SYMBOLIC, "../b"), ("out", SYMBOLIC, "a/l/../..")],
    [("out", SYMBOLIC, "a/l/x"), ("a/l", SYMBOLIC, "../b")],
    [("a", FILE), ("a/b", FILE)],
    [("a/b", FILE), ("a", FILE)],
    [("a", FILE), ("a", FOLDER)],
    [("a", FILE), ("a", SYMBOLIC, "b")],
    [("a", SYMBOLIC, "b"), ("a", SYMBOLIC, "b")],
    [("PKG-INFO", FILE)],
    [("pkg-info", FILE)],
    [("PKG-INFO/x", FILE)],
    [("x//y", FILE)],
    [("C:/x", FILE), ("./x", FILE)],
]


@pytest.mark.parametrize("entries", GOOD)
@pytest.mark.parametrize("validation", Validation)
def test_what_stays_inside(entries: list[Entry], validation: Validation) -> None:
    """Folders that come twice, and links to what is in the archive, are fine; Python agrees."""
    assert codes(*entries, validation=validation) == set()
    assert judged_by_python(*entries)


@pytest.mark.parametrize("entries", BAD)
@pytest.mark.parametrize("validation", Validation)
def test_what_leads_elsewhere(entries: list[Entry], validation: Validation) -> None:
    """Links that lead out or through other links, and paths that are two things, are refused everywhere."""
    assert codes(*entries, validation=validation) == {"unsafe-archive"}


def test_a_file_that_comes_twice() -> None:
    """Extracting leaves the last: a mirror may have such archives, new ones are refused."""
    twice: list[Entry] = [("a", FILE), ("a", FILE)]

    assert codes(*twice) == {"unsafe-archive"}
    assert codes(*twice, validation=Validation.LENIENT) == set()


def test_letter_case() -> None:
    """Names that are one on some systems give a warning, also when only their accents are written differently."""
    report = examine(("README", FILE), ("readme", FILE), ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", FILE))
    accents = examine(("caf\N{LATIN SMALL LETTER E WITH ACUTE}", FILE), ("cafe\N{COMBINING ACUTE ACCENT}", FILE))

    assert [warning.code for warning in report.warnings] == ["case-collision"]
    assert [warning.code for warning in accents.warnings] == ["case-collision"]


def test_all_problems_are_told() -> None:
    """One answer has them all, each once."""
    with pytest.raises(InvalidUpload) as caught:
        examine(("x", SYMBOLIC, "/"), ("../y", FILE), ("z", HARD, "nothing"), ("../y", FILE))

    assert len(caught.value.problems) == 3


def test_problems_are_bounded() -> None:
    """An archive of nothing but faults is not answered with megabytes."""
    with pytest.raises(InvalidUpload) as caught:
        examine(*[(f"l{number}", SYMBOLIC, "/") for number in range(500)])

    assert len(caught.value.problems) == 50


def test_names_are_bounded() -> None:
    """Names are held in memory to be compared; millions of long ones are refused."""
    folder = "/".join("d" * 7 for _ in range(500))

    assert codes(*[(f"{number}/{folder}", FILE) for number in range(40)]) == {"archive-too-large"}


def test_members_and_links_are_reported() -> None:
    """The report has the files and their sizes, and the links apart."""
    report = examine(("docs", FOLDER), ("link", SYMBOLIC, "setup.py"))

    assert [(member.path, member.size_bytes) for member in report.members] == [
        ("demo-1.0/PKG-INFO", len(METADATA)),
        ("demo-1.0/setup.py", 0),
    ]
    assert report.links == ("demo-1.0/link",)
