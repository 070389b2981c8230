"""
The form of an upload against the file: what the archive says is trusted, the form is a hint that must not contradict.

Clients send metadata with losses (flit always says metadata version 2.3, PDM leaves fields out), so that nothing but
the identity of the file is compared.

Spec: none; the public index and its clients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pypiserve.core.archive_parts import shown
from pypiserve.core.errors import Problem
from pypiserve.core.filenames import DistributionFilename, FileKind
from pypiserve.core.index_rules import Validation

__all__ = ["field_of", "form_problems", "hint_problems"]

Form = Mapping[str, Sequence[str]]

_ONCE = (
    ":action",
    "protocol_version",
    "name",
    "version",
    "filetype",
    "pyversion",
    "sha256_digest",
    "blake2_256_digest",
    "md5_digest",
)
# What distutils sent for wheels: the Python that built them.
_PYTHON_VERSION = re.compile(r"[0-9]+(\.[0-9]+)?")


def field_of(fields: Form, name: str) -> str | None:
    """Return a field's only or first value; a field that is empty counts as absent."""
    values = fields.get(name)
    return (values[0].strip() or None) if values else None


def form_problems(fields: Form) -> Iterator[Problem]:
    """Tell what is wrong with the form whatever the file is."""
    if field_of(fields, "protocol_version") not in {None, "1"}:
        yield Problem("unknown-protocol-version", "Unknown protocol version; this index speaks version 1")
    for name in _ONCE:
        if len({value.strip() for value in fields.get(name, ())}) > 1:
            yield Problem("ambiguous-field", f"The form gives {name} several values; send one")


def hint_problems(fields: Form, filename: DistributionFilename, *, validation: Validation) -> Iterator[Problem]:
    """Tell where the form contradicts the file name."""
    filetype, kind = field_of(fields, "filetype"), filename.kind
    if filetype not in {None, kind.value}:
        yield Problem(
            "filetype-mismatch",
            f"The form says filetype {_shown(filetype)}, but {filename.filename} is a {kind.value}",
        )
    pyversion = field_of(fields, "pyversion")
    if pyversion is not None and validation is Validation.STRICT and not _is_python_of(pyversion, filename):
        yield Problem(
            "pyversion-mismatch",
            f"The form says pyversion {_shown(pyversion)}, but that of {filename.filename} is {filename.python_tag}",
        )


def _is_python_of(pyversion: str, filename: DistributionFilename) -> bool:
    if filename.kind is FileKind.WHEEL and _PYTHON_VERSION.fullmatch(pyversion):
        return True
    return set(pyversion.split(".")) == set(filename.python_tag.split("."))


def _shown(text: str | None) -> str:
    return shown((text or "")[:40])
