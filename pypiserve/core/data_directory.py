"""
The ``.data`` directory of a wheel: what is spread over the schemes of an installation.

Spec: Binary distribution format, "The .data directory" (PyPA specifications), PEP 427.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pypiserve.core.archive_parts import shown
from pypiserve.core.errors import Problem
from pypiserve.core.reserved_commands import is_reserved_command

__all__ = ["data_problems"]

_SUFFIX = ".data"
_SCHEMES = frozenset({"data", "headers", "platlib", "purelib", "scripts"})
_LIBRARIES = frozenset({"platlib", "purelib"})
_COMMAND_FOLDERS = frozenset({"bin", "scripts"})


def data_problems(paths: Collection[str], stem: str) -> Iterator[Problem]:
    """
    Find what installers refuse, or would write over what is not the project's.

    Args:
        paths: Every member of the wheel; directories end in a slash.
        stem: ``{name}-{version}`` as the ``.dist-info`` directory has it.

    Returns:
        Problems with the code ``invalid-data-directory``.
    """
    own = f"{stem}{_SUFFIX}"
    tops = {path.partition("/")[0] for path in paths}
    for top in sorted(top for top in tops if top.lower().endswith(_SUFFIX) and top != own):
        if any(path.startswith(f"{top}/") for path in paths):
            yield _problem(f"{shown(top)} should be called {shown(own)}")
    inside = sorted(
        path.removeprefix(f"{own}/") for path in paths if path.startswith(f"{own}/") and path != f"{own}/"
    )
    unknown = next((path for path in inside if path.split("/")[0] not in _SCHEMES or path in _SCHEMES), None)
    if unknown is not None:
        known = ", ".join(sorted(_SCHEMES))
        yield _problem(f"{shown(unknown)} in {shown(own)} is in none of the folders {known}")
    for path in inside:
        reason = _reason(path)
        if reason:
            yield _problem(f"{shown(path)} in {shown(own)} {reason}")


def _reason(path: str) -> str:
    scheme, *rest = path.removesuffix("/").split("/")
    if scheme == "scripts" and (len(rest) > 1 or (rest and path.endswith("/"))):
        return "is a folder, and installers take files there only"
    if scheme in _LIBRARIES and rest and rest[0].lower().endswith(".dist-info"):
        return "would be installed as the metadata of a project"
    folder = rest[:-1] if scheme == "data" else ["scripts"] * (scheme == "scripts")
    if len(folder) == 1 and folder[0].lower() in _COMMAND_FOLDERS and is_reserved_command(rest[-1] if rest else ""):
        return "would take the place of the Python interpreter"
    return ""


def _problem(reason: str) -> Problem:
    return Problem("invalid-data-directory", f"the data directory of the wheel is wrong: {reason}; build it again")
