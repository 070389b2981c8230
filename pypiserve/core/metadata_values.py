"""
What core metadata must fulfil beyond what packaging judges: the values of texts, addresses and other projects.

These are the rules of the public index, but for what a private one must take: any classifier, direct references.

Spec: Core metadata specifications 1.0 to 2.6; Well-known project URLs; PEP 639.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pypiserve.core.archive_parts import shown
from pypiserve.core.errors import Problem
from pypiserve.core.metadata_fields import UNKNOWN, invalid

__all__ = ["check_values", "value_warnings"]

Fields = Mapping[str, tuple[str, ...]]

_MAX_SUMMARY_LENGTH = 512
_MAX_LABEL_LENGTH = 32
_EMAIL_FIELDS = ("author-email", "maintainer-email")
_URL_FIELDS = ("home-page", "download-url")
_PROJECT_FIELDS = ("provides-dist", "obsoletes-dist")
_ADDRESS = re.compile(r"[^\s@<>(),;:\"\[\]\\]+@[^\s@<>(),;:\"\[\]\\]+")
_BRACKETED = re.compile(r"<([^<>]*)>")
_WORD = r"[A-Za-z0-9!#$&^_.+~|`{}-]+"
_PARAMETER = rf'[ \t]*;[ \t]*({_WORD})[ \t]*=[ \t]*({_WORD}|"[ !#-\[\]-~]*")'
_CONTENT_TYPE = re.compile(rf"(text/plain|text/x-rst|text/markdown)((?:{_PARAMETER})*)[ \t]*;?", re.IGNORECASE)
_MARKDOWN_VARIANTS = ("GFM", "CommonMark")
_OLD_VERSION = re.compile(r"([^()\s]+)\s*\(\s*([0-9][^()\s]*)\s*\)")


def check_values(fields: Fields, metadata_version: str) -> list[Problem]:
    """
    Check the values of fields as ``read_fields`` returns them.

    Args:
        fields: All values of each field under its lowercase name.
        metadata_version: As stated; fields that came later are unknown fields.

    Returns:
        One problem with the code ``invalid-metadata`` for each thing that is wrong.
    """
    said = {field: tuple(v for v in values if v not in {"", UNKNOWN}) for field, values in fields.items()}
    checks: tuple[Callable[[Fields], Iterator[Problem]], ...] = (_texts, _addresses, _urls, _labels, _projects)
    problems = [problem for check in checks for problem in check(said)]
    problems += [
        problem
        for value in fields.get("description-content-type", ())
        if value != UNKNOWN and (problem := _content_type_problem(value))
    ]
    if metadata_version >= "2.4":
        problems += _licences(said)
    if metadata_version >= "2.3":
        problems += _extras(said)
    return problems


def _texts(fields: Fields) -> Iterator[Problem]:
    for summary in fields.get("summary", ()):
        if len(summary) > _MAX_SUMMARY_LENGTH:
            yield invalid(
                "summary", f"it has more than {_MAX_SUMMARY_LENGTH} characters; move some to the description"
            )


def _content_type_problem(value: str) -> Problem | None:
    """Judge a value that each version of packaging judges in another way, and each Python under it."""
    field = "description-content-type"
    read = _CONTENT_TYPE.fullmatch(value)
    pairs = [(name.lower(), word.strip('"')) for name, word in re.findall(_PARAMETER, read[2])] if read else []
    parameters = dict(pairs)
    if read is None or len(parameters) != len(pairs):
        return invalid(
            field,
            f"{shown(value)} is no content type that descriptions can have; write text/plain, text/x-rst or "
            "text/markdown; correct it and build again",
        )
    if parameters.get("charset", "UTF-8").upper() != "UTF-8":
        return invalid(field, f"the charset is {shown(parameters['charset'])}; save the text as UTF-8, or say so")
    variant = parameters.get("variant", "GFM")
    if read[1].lower() == "text/markdown" and variant not in _MARKDOWN_VARIANTS:
        return invalid(field, f"{shown(variant)} is no variant of Markdown; write {' or '.join(_MARKDOWN_VARIANTS)}")
    return None


def _addresses(fields: Fields) -> Iterator[Problem]:
    for field in _EMAIL_FIELDS:
        for value in fields.get(field, ()):
            bracketed = _BRACKETED.findall(value)
            wrong = [text for text in bracketed if _ADDRESS.fullmatch(text.strip()) is None]
            if wrong or _ADDRESS.search(value) is None:
                yield invalid(field, f"{shown(value)} has no valid address; write 'Name <name@example.org>'")


def _urls(fields: Fields) -> Iterator[Problem]:
    for field in _URL_FIELDS:
        for value in fields.get(field, ()):
            if not _is_web_address(value):
                yield invalid(field, f"{shown(value)} is no address that begins with http:// or https://; correct it")


def _labels(fields: Fields) -> Iterator[Problem]:
    for value in fields.get("project-url", ()):
        label, comma, url = (part.strip() for part in value.partition(","))
        if not (label and comma and url):
            yield invalid(
                "project-url", f"{shown(value)} lacks a label or an address; write 'Label, https://example.org'"
            )
        elif len(label) > _MAX_LABEL_LENGTH:
            yield invalid("project-url", f"the label {shown(label)} has more than {_MAX_LABEL_LENGTH} characters")
        elif not _is_web_address(url):
            yield invalid(
                "project-url", f"{shown(url)} is no address that begins with http:// or https://; correct it"
            )


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    printable = text.isprintable() and not any(character in text for character in ' <>"\\^`{|}')
    return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and printable


def _projects(fields: Fields) -> Iterator[Problem]:
    for field in _PROJECT_FIELDS:
        for value in fields.get(field, ()):
            if not _is_requirement(value):
                yield invalid(field, f"{shown(value)} is no project with or without a version; correct it")


def _is_requirement(text: str) -> bool:
    # These two fields may name one version without an operator, which requirements cannot.
    text = _OLD_VERSION.sub(r"\1 (==\2)", text)
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def _licences(fields: Fields) -> Iterator[Problem]:
    if fields.get("license") and fields.get("license-expression"):
        yield invalid("license", "it stands beside License-Expression, which takes its place; remove License")


def _extras(fields: Fields) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for extra in fields.get("provides-extra", ()):
        other = seen.setdefault(canonicalize_name(extra), extra)
        if other != extra:
            yield invalid("provides-extra", f"{shown(other)} and {shown(extra)} are one name; keep one of them")


def value_warnings(fields: Fields, metadata_version: str) -> Iterator[Problem]:
    """Tell what valid fields have that other indexes refuse, or that is going out of use."""
    direct = [value for value in fields.get("requires-dist", ()) if _is_direct(value)]
    if direct:
        yield Problem(
            "direct-reference",
            f"it requires {shown(direct[0])}, a direct reference, which public indexes refuse and resolvers cannot "
            "choose versions of",
        )
    classifiers = [value for value in fields.get("classifier", ()) if value.startswith("License ::")]
    if classifiers and fields.get("license-expression") and metadata_version >= "2.4":
        yield Problem(
            "license-classifier",
            f"the classifier {shown(classifiers[0])} is out of use beside License-Expression; remove it",
        )
    for extra in fields.get("provides-extra", ()) if metadata_version >= "2.3" else ():
        if canonicalize_name(extra) != extra:
            yield Problem(
                "nonstandard-extra", f"the extra {shown(extra)} should be {shown(canonicalize_name(extra))}"
            )


def _is_direct(value: str) -> bool:
    try:
        return Requirement(value).url is not None
    except InvalidRequirement:
        return False
