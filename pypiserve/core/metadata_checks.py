"""Whether the fields of core metadata are valid; every problem is found, not the first one only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata, parse_email

from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.index_rules import Validation
from pypiserve.core.metadata_fields import UNKNOWN, invalid
from pypiserve.core.metadata_values import check_values
from pypiserve.core.names import is_project_name
from pypiserve.core.versions import parse_version

__all__ = ["check_fields"]

_STRICT_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
# Version 2.0 was never accepted, but is in most wheels from 2013 to 2018.
_LENIENT_VERSIONS = (*_STRICT_VERSIONS[:3], "2.0", *_STRICT_VERSIONS[3:])
_VITAL = ("metadata-version", "name", "version", "requires-python")
_ONCE = (
    "metadata-version",
    "name",
    "version",
    "summary",
    "description",
    "description-content-type",
    "keywords",
    "home-page",
    "download-url",
    "author",
    "author-email",
    "maintainer",
    "maintainer-email",
    "license",
    "license-expression",
    "requires-python",
)

# Build tools wrote these before they were standard, with other rules; in older versions they are unknown fields.
_SINCE = {
    "dynamic": "2.2",
    "license_expression": "2.4",
    "license_files": "2.4",
    "import_names": "2.5",
    "import_namespaces": "2.5",
}
# Stands in for what is checked here, so that packaging does not report it a second time.
_CHECKED = {"name": "name", "version": "0"}

Fields = dict[str, tuple[str, ...]]


def check_fields(fields: Fields, head: str, *, validation: Validation) -> list[Problem]:
    """
    Check fields as ``read_fields`` returns them, and the headers that they were read from.

    Lenient indexes have old files, which have much that is not valid today: only what identifies the file and what
    pages say about it, Requires-Python, must be.

    Returns:
        One problem with the code ``invalid-metadata`` for each thing that is wrong.
    """
    strict = validation is Validation.STRICT
    stated = fields.get("metadata-version", ("",))[0]
    known = _STRICT_VERSIONS if strict else _LENIENT_VERSIONS
    problems = [*_check_metadata_version(stated, known), *_check_name(fields), *_check_version(fields)]
    problems += [
        invalid(field, "it is given more than once; give it once")
        for field in (_ONCE if strict else _VITAL)
        if len(fields.get(field, ())) > 1
    ]
    try:
        return problems + (_judge_strictly(fields, head, stated) if strict else _judge_leniently(fields))
    except Exception as error:  # noqa: BLE001 - whatever escapes packaging, the metadata is the cause
        return [*problems, _as_problem(error)]


def _check_metadata_version(stated: str, known: Sequence[str]) -> list[Problem]:
    if stated in known:
        return []
    problem = f"{stated[:40]!a} is not supported" if stated else "it is missing"
    return [
        invalid("metadata-version", f"{problem}; build the file with a tool that writes one of {', '.join(known)}")
    ]


def _check_name(fields: Fields) -> list[Problem]:
    name = fields.get("name", ("",))[0]
    if not name or name == UNKNOWN:
        return [invalid("name", "it is missing; set the project's name and build again")]
    if not is_project_name(name):
        return [invalid("name", f"{name[:100]!a} is not a project name; use letters, digits, '-', '_' and '.'")]
    return []


def _check_version(fields: Fields) -> list[Problem]:
    version = fields.get("version", ("",))[0]
    if not version or version == UNKNOWN:
        return [invalid("version", "it is missing; set the project's version and build again")]
    try:
        parse_version(version)
    except InvalidUpload as error:
        return [invalid("version", str(error))]
    return []


def _judge_strictly(fields: Fields, head: str, stated: str) -> list[Problem]:
    """Have packaging judge all fields but those that are checked above, and check what it does not look at."""
    raw, unparsed = parse_email(head)
    told = {key: value for key, value in raw.items() if value != UNKNOWN and stated >= _SINCE.get(key, "")}
    # Before 2.1 tools wrote fields of later versions as well, and installers obey them. Version 2.6 brought no new
    # field, and packaging 26.0 does not know it.
    if told.get("import_names") == [""]:
        del told["import_names"]  # says that there is nothing to import, and is valid
    told.pop("description_content_type", None)  # check_values judges it, whatever the version of packaging
    told["metadata_version"] = min(max(stated, "2.1"), "2.5")
    problems = _judge(cast("RawMetadata", told | _CHECKED)) + check_values(fields, stated)
    if "project-url" in unparsed:
        problems.append(invalid("project-url", "two values have the same label; give each its own"))
    return problems


def _judge_leniently(fields: Fields) -> list[Problem]:
    specifiers = [value for value in fields.get("requires-python", ()) if value != UNKNOWN]
    raw = {"metadata_version": "1.2", "requires_python": specifiers[0]} if specifiers else {}
    return _judge(cast("RawMetadata", raw | _CHECKED)) if raw else []


def _judge(raw: RawMetadata) -> list[Problem]:
    try:
        Metadata.from_raw(raw, validate=True)
    except ExceptionGroup as group:
        return sorted((_as_problem(error) for error in group.exceptions), key=lambda problem: problem.message)
    return []


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, InvalidMetadata):
        said = "".join(letter if letter.isprintable() else "?" for letter in str(error))
        return invalid(error.field, f"{said}; correct it and build again")
    return invalid("(several)", f"{type(error).__name__} while they were read; simplify them and build again")
