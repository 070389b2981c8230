"""Hostile and malformed names, metadata and forms, around archives that are good."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from hostile_case import HostileCase

from pypiserve.testing import BuiltFile, a_wheel, an_sdist

__all__ = ["FORM_CASES", "METADATA_CASES", "NAME_CASES"]


def _renamed(filename: str, *codes: str, lenient: tuple[str, ...] | None = None) -> HostileCase:
    build = a_wheel if filename.endswith(".whl") else an_sdist
    # The form says nothing about what the file name should say.
    empty = {"name": "", "version": "", "filetype": "", "pyversion": ""}
    return HostileCase(f"name-{filename!a}", filename, lambda: build().content, codes, empty, lenient)


_INVALID, _NONSTANDARD = "invalid-filename", "nonstandard-filename"
NAME_CASES = [
    _renamed(".demo-1.0.tar.gz", _INVALID),
    _renamed("-1.0.tar.gz", _INVALID),
    _renamed("demo.tar.gz", _INVALID),
    _renamed("demo-.tar.gz", _INVALID),
    _renamed("demo-1.0-final.tar.gz", _INVALID),
    _renamed("demo-one.tar.gz", _INVALID),
    _renamed("demo_-1.0.tar.gz", _INVALID),
    _renamed("demo 1.0.tar.gz", _INVALID),
    _renamed("demo-1.0.tar.bz2", _INVALID),
    _renamed("demo-1.0.tgz", _INVALID),
    _renamed("demo-1.0.TAR.GZ", _INVALID),
    _renamed("demo-1.0.egg", _INVALID),
    _renamed("demo-1.0.exe", _INVALID),
    _renamed("demo-1.0.tar.gz.asc", _INVALID),
    _renamed("d\N{LATIN SMALL LETTER E WITH ACUTE}mo-1.0.tar.gz", _INVALID),
    _renamed("demo-\N{ARABIC-INDIC DIGIT ONE}.0.tar.gz", _INVALID),
    _renamed("d" * 300 + "-1.0.tar.gz", _INVALID),
    _renamed("demo-1.0.whl", _INVALID),
    _renamed("demo-1.0-py3-none.whl", _INVALID),
    _renamed("demo-1.0-b1-py3-none-any.whl", _INVALID),
    _renamed("demo-1.0-py3..py2-none-any.whl", _INVALID),
    _renamed("demo-1.0-py3-none-any-more-x.whl", _INVALID),
    _renamed("Demo-1.0.tar.gz", _NONSTANDARD, lenient=()),
    _renamed("demo-v1.0.tar.gz", _NONSTANDARD, lenient=()),
    _renamed("demo-01.0.tar.gz", _NONSTANDARD, lenient=()),
    _renamed("DEMO-1.0-py3-none-any.whl", _NONSTANDARD, lenient=()),
    HostileCase("zip-sdist", "demo-1.0.zip", lambda: an_sdist(suffix=".zip").content, (_NONSTANDARD,), lenient=()),
    HostileCase(
        "hyphen-in-the-name",
        "my-demo-1.0.tar.gz",
        lambda: an_sdist("my-demo").content,
        (_NONSTANDARD,),
        {"name": "my-demo"},
        (),
    ),
    HostileCase(
        "unnormalised-local-version",
        "demo-1.0+Local_1.tar.gz",
        lambda: an_sdist(version="1.0+local.1").content,
        (_NONSTANDARD,),
        {"version": "1.0+local.1"},
        (),
    ),
    HostileCase("empty-file", "demo-1.0.tar.gz", lambda: b"", ("empty-file",)),
]


def _metadata(
    name: str, fields: dict[str, str | Sequence[str]], *, count: int = 1, lenient: int = 0, version: str = "2.4"
) -> HostileCase:
    """Make a case with so many problems; ``lenient`` of them are told by a lenient index, too."""
    build = functools.partial(an_sdist, metadata={"Metadata-Version": version} | fields)
    code = ("invalid-metadata",)
    return HostileCase(
        f"metadata-{name}", "demo-1.0.tar.gz", lambda: build().content, code * count, {}, code * lenient
    )


METADATA_CASES = [
    _metadata("version-3.0", {"Metadata-Version": "3.0"}, lenient=1),
    _metadata("version-2.0", {"Metadata-Version": "2.0"}),
    _metadata("version-missing", {"Metadata-Version": ()}, lenient=1),
    _metadata("name-missing", {"Name": ()}, lenient=1),
    _metadata("name-twice", {"Name": ["demo", "other"]}, lenient=1),
    _metadata("name-invalid", {"Name": "de mo"}, lenient=1),
    _metadata("name-behind-a-separator-of-records", {"Name": "\x1edemo"}, lenient=1),
    _metadata("content-type-with-a-control-character", {"Description-Content-Type": "text/mark\x1adown"}),
    _metadata("parameter-with-a-control-character", {"Description-Content-Type": "text/markdown; charset\x1a"}),
    _metadata("name-unknown", {"Name": "UNKNOWN"}, lenient=1),
    _metadata("version-of-project-invalid", {"Version": "one"}, lenient=1),
    _metadata("version-of-project-twice", {"Version": ["1.0", "2.0"]}, lenient=1),
    _metadata("requires-python-invalid", {"Requires-Python": "three"}, lenient=1),
    _metadata("requires-python-star", {"Requires-Python": ">=3.*"}, lenient=1),
    _metadata("requires-python-twice", {"Requires-Python": [">=3.9", ">=3.10"]}, lenient=1),
    _metadata("nul", {"Description": "a\0b"}, lenient=1),
    _metadata("mime-parts", {"Content-Type": "multipart/mixed; boundary=x"}, lenient=1),
    _metadata("too-many-fields", {f"X-{number}": "y" for number in range(300)}, lenient=1),
    _metadata("value-too-long", {"Requires-Dist": "x" * 20_000}, lenient=1),
    _metadata("head-too-long", {"Keywords": "x" * (2 << 20)}, lenient=1),
    _metadata("summary-too-long", {"Summary": "x" * 513}),
    _metadata("summary-of-two-lines", {"Summary": "one\n  two"}),
    _metadata("summary-twice", {"Summary": ["one", "two"]}),
    _metadata("author-email", {"Author-email": "me at example.org"}),
    _metadata("maintainer-email", {"Maintainer-email": "Me <me>"}),
    _metadata("home-page-ftp", {"Home-page": "ftp://example.org/"}),
    _metadata("home-page-script", {"Home-page": "javascript:alert(1)"}),
    _metadata("home-page-without-host", {"Home-page": "https://"}),
    _metadata("home-page-port", {"Home-page": "https://example.org:port/"}),
    _metadata("download-url-file", {"Download-URL": "file:///etc/passwd"}),
    _metadata("project-url-without-label", {"Project-URL": "https://example.org"}),
    _metadata("project-url-empty-label", {"Project-URL": ", https://example.org"}),
    _metadata("project-url-long-label", {"Project-URL": f"{'x' * 33}, https://example.org"}),
    _metadata("project-url-script", {"Project-URL": "Docs, javascript:alert(1)"}),
    _metadata("project-url-twice", {"Project-URL": ["a, https://example.org", "a, https://example.com"]}),
    _metadata("requires-dist", {"Requires-Dist": "other >> 1"}),
    _metadata("requires-dist-marker", {"Requires-Dist": "other; os_name = 'posix'"}),
    _metadata("requires-dist-nested", {"Requires-Dist": "other; " + "(" * 3000 + "os_name=='a'" + ")" * 3000}),
    _metadata("provides-dist", {"Provides-Dist": "((("}),
    _metadata("obsoletes-dist", {"Obsoletes-Dist": "other >> 1"}),
    _metadata("provides-extra", {"Provides-Extra": "-x-"}),
    _metadata("provides-extra-twice", {"Provides-Extra": ["a_b", "a-b"]}),
    _metadata("dynamic-name", {"Dynamic": "Name"}),
    _metadata("dynamic-version", {"Dynamic": "Version"}),
    _metadata("dynamic-metadata-version", {"Dynamic": "Metadata-Version"}),
    _metadata("dynamic-unknown", {"Dynamic": "Everything"}),
    _metadata("licence-expression", {"License-Expression": "Mine, all mine"}),
    _metadata("licence-and-expression", {"License-Expression": "MIT", "License": "MIT License"}),
    _metadata("licence-file-up", {"License-File": "../LICENSE"}),
    _metadata("licence-file-absolute", {"License-File": "/LICENSE"}),
    _metadata("licence-file-pattern", {"License-File": "LICEN*"}),
    _metadata("licence-file-backslash", {"License-File": "a\\LICENSE"}),
    _metadata("licence-file-dot", {"License-File": "./LICENSE"}),
    _metadata("description-type", {"Description-Content-Type": "text/html"}),
    _metadata("description-charset", {"Description-Content-Type": "text/markdown; charset=latin-1"}),
    _metadata("description-variant", {"Description-Content-Type": "text/markdown; variant=MultiMarkdown"}),
    _metadata("import-name", {"Import-Name": "a-b"}, version="2.5"),
    _metadata("import-name-keyword", {"Import-Name": "class"}, version="2.5"),
    _metadata("import-namespace", {"Import-Namespace": "a..b"}, version="2.5"),
    _metadata("import-option", {"Import-Name": "a; public"}, version="2.5"),
    _metadata("old-version-requires-dist", {"Requires-Dist": "other >> 1"}, version="1.2"),
    _metadata("old-version-home-page", {"Home-page": "example"}, version="1.0"),
    _metadata("old-version-summary", {"Summary": "one\n  two"}, version="1.1"),
    _metadata("three-things", {"Summary": "x" * 600, "Home-page": "x", "Author-email": "x"}, count=3),
    HostileCase(
        "metadata-licence-file-missing",
        "demo-1.0.tar.gz",
        lambda: an_sdist(metadata={"Metadata-Version": "2.4", "License-File": "LICENSE"}).content,
        ("missing-license-file",),
        lenient=(),
    ),
    HostileCase(
        "metadata-of-another-project",
        "demo-1.0.tar.gz",
        lambda: an_sdist(metadata={"Name": "other"}).content,
        ("name-mismatch",),
        {"name": ""},
    ),
    HostileCase(
        "metadata-of-another-version",
        "demo-1.0.tar.gz",
        lambda: an_sdist(metadata={"Version": "2.0"}).content,
        ("version-mismatch",),
        {"version": ""},
    ),
]


def _form(
    name: str, fields: dict[str, str | list[str]], *codes: str, file: BuiltFile | None = None, lenient: bool = True
) -> HostileCase:
    built = file or an_sdist()
    told = None if lenient else ()
    return HostileCase(f"form-{name}", built.filename, lambda: built.content, codes, fields, told)


FORM_CASES = [
    _form("another-name", {"name": "other"}, "name-mismatch"),
    _form("invalid-name", {"name": "de mo"}, "name-mismatch"),
    _form("another-version", {"version": "1.1"}, "version-mismatch"),
    _form("local-version", {"version": "1.0+local"}, "version-mismatch"),
    _form("filetype-of-a-wheel", {"filetype": "bdist_wheel"}, "filetype-mismatch"),
    _form("filetype-of-an-egg", {"filetype": "bdist_egg"}, "filetype-mismatch"),
    _form("pyversion-of-a-wheel", {"pyversion": "py3"}, "pyversion-mismatch", lenient=False),
    _form("pyversion-source", {"pyversion": "source"}, "pyversion-mismatch", file=a_wheel(), lenient=False),
    _form("pyversion-of-another", {"pyversion": "cp312"}, "pyversion-mismatch", file=a_wheel(), lenient=False),
    _form("two-names", {"name": ["demo", "other"]}, "ambiguous-field"),
    _form("two-versions", {"version": ["1.0", "2.0"]}, "ambiguous-field"),
    _form("two-digests", {"sha256_digest": [an_sdist().sha256, "0" * 64]}, "ambiguous-field"),
    _form("digest-of-another", {"sha256_digest": "0" * 64}, "digest-mismatch"),
    _form("digest-too-short", {"sha256_digest": "0" * 63}, "invalid-digest"),
    _form("digest-no-hex", {"md5_digest": "x" * 32}, "invalid-digest"),
    _form("no-digest", {"sha256_digest": ""}, "missing-digest"),
    _form("protocol-version", {"protocol_version": "2"}, "unknown-protocol-version"),
    _form("another-action", {":action": "remove_pkg"}, "unknown-action"),
    _form("name-and-version", {"name": "other", "version": "2"}, "name-mismatch", "version-mismatch"),
]
