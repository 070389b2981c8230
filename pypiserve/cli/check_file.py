"""``pypiserve check-file``: the gate of the index for files that are not published yet."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from pypiserve.core.errors import Problem
from pypiserve.core.file_checks import check_file
from pypiserve.core.index_rules import Validation

__all__ = ["check_file_command"]

_GOOD, _REFUSED, _UNREADABLE = 0, 1, 2


@dataclass(frozen=True)
class _Outcome:
    path: Path
    status: int
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    error: str = ""


@click.command("check-file")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--lenient", is_flag=True, help="Make the checks of a lenient index: safety and identity only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file, one a line.")
def check_file_command(*, files: tuple[Path, ...], lenient: bool, as_json: bool) -> None:
    """
    Check each FILE, a wheel or an sdist, as a strict index does when it is published. Nothing is sent.

    The exit status is 0 when all files are good, 1 when one would be refused, 2 when one cannot be read.
    """
    validation = Validation.LENIENT if lenient else Validation.STRICT
    worst = _GOOD
    for path in files:
        outcome = _examine(path, validation)
        click.echo(_as_json(outcome) if as_json else _as_text(outcome))
        worst = max(worst, outcome.status)
    sys.exit(worst)


def _examine(path: Path, validation: Validation) -> _Outcome:
    try:
        with path.open("rb") as file:
            report = check_file(file, path.name, validation=validation)
    except OSError as error:
        return _Outcome(path, _UNREADABLE, error=error.strerror or type(error).__name__)
    return _Outcome(path, _REFUSED if report.problems else _GOOD, report.problems, report.warnings)


def _as_text(outcome: _Outcome) -> str:
    if outcome.status == _UNREADABLE:
        return f"{outcome.path}: cannot be read: {outcome.error}"
    lines = [f"{outcome.path}: {'refused' if outcome.problems else 'good'}"]
    lines += [f"  problem: {problem.message} [{problem.code}]" for problem in outcome.problems]
    lines += [f"  warning: {warning.message} [{warning.code}]" for warning in outcome.warnings]
    return "\n".join(lines)


def _as_json(outcome: _Outcome) -> str:
    document: dict[str, object] = {
        "file": str(outcome.path),
        "status": ("good", "refused", "unreadable")[outcome.status],
        "problems": [{"code": problem.code, "message": problem.message} for problem in outcome.problems],
        "warnings": [{"code": warning.code, "message": warning.message} for warning in outcome.warnings],
    }
    if outcome.error:
        document["error"] = outcome.error
    return json.dumps(document)
