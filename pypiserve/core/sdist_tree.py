"""
The paths in an sdist, each against all others: what extracting them would make of them.

The yardstick is Python's ``data`` extraction filter, which pip uses, and more: it makes no difference in which order
members come, or whether the file system tells letter case apart.

Spec: PEP 706; Source distribution archive features (PyPA specifications).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from pypiserve.core.archive_parts import check_member_name, shown, too_large, unsafe
from pypiserve.core.findings import Findings
from pypiserve.core.path_collisions import case_collision, fold
from pypiserve.core.tar_members import TarKind, TarMember

__all__ = ["SdistTree", "is_look_alike"]

# All names and those of their folders are held in memory; the largest real sdists have 3 MiB of them.
_MAX_NAMES_LENGTH = 16 * 1024 * 1024


class SdistTree:
    """
    Every path of an sdist, once; ``links`` are those that are links.

    Args:
        findings: Takes what is wrong.
        repeats: Whether a file may come twice, as in archives that were appended to: extracting leaves the last.
    """

    def __init__(self, findings: Findings, *, repeats: bool) -> None:
        self._findings = findings
        self._repeats = repeats
        self._kinds: dict[str, TarKind] = {}
        self._folded: dict[str, str] = {}
        self._targets: dict[str, str] = {}
        self._length = 0

    @property
    def links(self) -> tuple[str, ...]:
        """The paths of all links."""
        return tuple(self._targets)

    def add(self, member: TarMember) -> bool:
        """
        Add the next member, and tell whether its path can be trusted.

        Raises:
            InvalidUpload: The names are too many to be held.
        """
        found = len(self._findings.problems)
        self._findings.attempt(lambda: check_member_name(member.name))
        if len(self._findings.problems) > found:
            return False
        self._findings.attempt(lambda: self._place(member))
        if member.kind in {TarKind.SYMBOLIC_LINK, TarKind.HARD_LINK}:
            self._findings.attempt(lambda: self._link(member))
        if self._length > _MAX_NAMES_LENGTH:
            raise too_large("the names of its members are too long together")
        return len(self._findings.problems) == found

    def finish(self) -> None:
        """Check what only the whole archive tells: where links lead through other links."""
        for path, target in self._targets.items():
            if self._kinds.get(path) is TarKind.SYMBOLIC_LINK:
                self._findings.attempt(functools.partial(self._check_way, path, target))

    def _place(self, member: TarMember) -> None:
        before = self._kinds.get(member.name)
        for folder in _folders(member.name):
            if self._kinds.get(folder, TarKind.DIRECTORY) is not TarKind.DIRECTORY:
                raise unsafe(f"the path of {shown(member.name)} leads through {shown(folder)}, which is no directory")
            self._note(folder, TarKind.DIRECTORY)
        if before is None:
            self._note(member.name, member.kind)
        elif before is not member.kind or before in {TarKind.SYMBOLIC_LINK, TarKind.HARD_LINK}:
            raise unsafe(f"{shown(member.name)} is {before.value} and {member.kind.value}")
        elif before is TarKind.FILE and not self._repeats:
            raise unsafe(f"it has two members called {shown(member.name)}")

    def _note(self, path: str, kind: TarKind) -> None:
        if path in self._kinds:
            return
        self._length += len(path)
        self._kinds[path] = kind
        other = self._folded.setdefault(fold(path), path)
        if other != path:
            self._findings.warn([case_collision(other, path)])

    def _link(self, member: TarMember) -> None:
        if member.kind is TarKind.HARD_LINK:
            if self._kinds.get(member.target) is not TarKind.FILE:
                raise unsafe(f"the hard link {shown(member.name)} names no file that stands before it")
        else:
            _check_target(member)
        self._length += len(member.target)
        self._targets[member.name] = member.target

    def _check_way(self, path: str, target: str) -> None:
        """Refuse a target behind another link: where '..' leads from there is another question."""
        way = path.split("/")[:-1]
        steps = target.split("/")
        for number, step in enumerate(steps, start=1):
            if step == "..":
                way.pop()
            elif step not in {"", "."}:
                way.append(step)
            if number < len(steps) and self._kinds.get("/".join(way)) is TarKind.SYMBOLIC_LINK:
                raise unsafe(f"the link {shown(path)} leads through another link")


def _folders(path: str) -> Iterator[str]:
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)


def _check_target(member: TarMember) -> None:
    """Refuse symbolic links out of the top-level directory; their targets are relative to where they stand."""
    name, target = member.name, member.target
    if not target or target.startswith("/") or "\\" in target or not target.isprintable() or target[1:2] == ":":
        raise unsafe(f"the link {shown(name)} leads to {shown(target)}, which is no relative path")
    depth = name.count("/")
    for step in target.split("/"):
        if step == "..":
            depth -= 1
        elif step not in {"", "."}:
            depth += 1
        if depth < 1:
            raise unsafe(f"the link {shown(name)} leads out of the archive, to {shown(target)}")


def is_look_alike(path: str, other: str) -> bool:
    """Tell whether some file systems take two different paths for one."""
    return path != other and fold(path) == fold(other)
