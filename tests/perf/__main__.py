"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .accounts import compare_accounts
from .client import WrongAnswer
from .comparison import UPLOAD_NAMES, compare_uploads
from .corpus import FULL, QUICK
from .report import ACCOUNTS, UPLOADS, Page
from .run import NAMES, Plan, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and print the report; 1 when an answer was wrong or too late, so that there is none."""
    options = _parser().parse_args(arguments)
    # Debian keeps nginx where only root's PATH looks.
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    names = UPLOAD_NAMES if options.uploads else ("pypiserve",) if options.accounts else NAMES
    if unknown := set(options.only or ()).difference(names):
        sys.exit(f"{', '.join(sorted(unknown))} takes no part in this; choose from {', '.join(names)}")
    if set(options.only or names) <= {"nginx", "tornado"}:
        sys.exit("nginx and tornado only repeat what another server answers; name one that they can copy")
    scale = QUICK if options.quick else FULL
    if options.rounds:
        scale = dataclasses.replace(scale, rounds=options.rounds)
    plan = Plan(scale, frozenset(options.only or names), options.cache.resolve())
    kind = UPLOADS if options.uploads else ACCOUNTS if options.accounts else "--write"
    page = Page(options.write, kind) if options.write else None
    report = ""
    try:
        with tempfile.TemporaryDirectory(prefix="pypiserve-perf-", dir=options.folder) as folder:
            report = asyncio.run(_bounded(plan, Path(folder), options))
    except* (WrongAnswer, ConnectionError) as errors:
        print(f"The figures would mean nothing: {_first(errors)}", file=sys.stderr)
    except* TimeoutError:
        print(f"Stopped: an answer took too long, or all of it more than {options.minutes} minutes.", file=sys.stderr)
    except* asyncio.CancelledError:
        print("Stopped as asked.", file=sys.stderr)
    if not report:
        return 1
    print(report)
    if page is not None:
        page.write(report)
    return 0


def _first(errors: BaseExceptionGroup) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


async def _bounded(plan: Plan, folder: Path, options: argparse.Namespace) -> str:
    """Give a run its time, and end it as orderly when it is asked to terminate as when it is interrupted."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with asyncio.timeout(options.minutes * 60):
        if options.uploads:
            return await compare_uploads(plan.scale, folder, names=plan.names, cache=plan.cache)
        if options.accounts:
            return await compare_accounts(plan.scale, folder)
        return await run(plan, folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.perf", description="Measure pypiserve beside its peers.")
    parser.add_argument("--quick", action="store_true", help="one short round with small files: does it work at all?")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the report between the markers of this page")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--uploads", action="store_true", help="compare uploads only, with more servers")
    kind.add_argument("--accounts", action="store_true", help="measure accounts only: sign-ins, decisions, floods")
    choices = f"{', '.join(NAMES)}; with --uploads {', '.join(UPLOAD_NAMES)}"
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"servers, of {choices}")
    parser.add_argument("--rounds", type=int, metavar="N", help="repeat each measurement so often")
    parser.add_argument("--minutes", type=int, default=45, metavar="N", help="stop after this time (default: 45)")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the temporary folder is made")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(".tox", "perf-peers"),
        metavar="FOLDER",
        help="keeps the peers' environments (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
