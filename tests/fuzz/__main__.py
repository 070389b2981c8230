"""The command line of the fuzzers."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .runs import TARGETS, Run, replay, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz each target for a while and print a table; 1 when anything was found."""
    options = _parser().parse_args(arguments)
    if unknown := set(options.targets).difference(TARGETS):
        sys.exit(f"{', '.join(sorted(unknown))} is no target; choose from {', '.join(TARGETS)}")
    if options.replay:
        return replay(options.targets, options.replay)
    options.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pypiserve-fuzz-") as folder:
        runs = [
            run(target, options.seconds, corpus=(options.corpus or Path(folder)) / target, findings=options.findings)
            for target in options.targets or TARGETS
        ]
    print(_table(runs))
    return int(any(each.has_failed for each in runs))


def _table(runs: list[Run]) -> str:
    lines = ["| target | inputs | seconds | crashes |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {each.target} | {each.inputs:,} | {each.seconds:.0f} | {each.crashes} |" for each in runs]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Look for inputs that break a promise.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="for each target (default: 60)")
    parser.add_argument("--corpus", type=Path, metavar="FOLDER", help="keeps interesting inputs from run to run")
    parser.add_argument(
        "--findings",
        type=Path,
        default=Path(".tox", "fuzz-findings"),
        metavar="FOLDER",
        help="where inputs that broke a promise are put (default: %(default)s)",
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try this one input again, with the one TARGET")
    return parser


if __name__ == "__main__":
    sys.exit(main())
