"""The comparison of uploads as one run: servers made, started empty, measured in turns, reported, and ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from .corpus import FULL, Scale, build_small_corpus
from .many_uploads import BARE, OURS, GigabyteUploads, ManyUploads
from .peers import Pypiserver, PypiserverGunicorn, install_pypiserver
from .promises import Promise, promises_table
from .report import load_average, opening
from .servers import Pypiserve, Server
from .suite import measure, say
from .upload_peers import Devpi, Pypiron, PypiserveBcrypt, install_devpi, install_pypiron
from .uploads import publish_many
from .wheels import WheelFile

__all__ = ["UPLOAD_NAMES", "compare_uploads"]

_PEERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path, Path], Server]]] = {
    "pypiserver": (install_pypiserver, PypiserverGunicorn),
    "devpi": (install_devpi, Devpi),
    "pypiron": (install_pypiron, Pypiron),
}
UPLOAD_NAMES = ("pypiserve", "pypiserve-bcrypt", *_PEERS)


async def compare_uploads(scale: Scale, folder: Path, *, names: frozenset[str], cache: Path) -> str:
    """
    Measure uploads to all servers and return the report.

    Args:
        scale: How much of everything.
        folder: Empty; the caller removes it.
        names: The servers, out of ``UPLOAD_NAMES``.
        cache: Folder that keeps the peers' environments from run to run.

    Raises:
        WrongAnswer: A server did not start, or answered something else than it should.
    """
    load_before = load_average()
    servers = [make(folder / name) for name, make in _makers(cache).items() if name in names]
    corpus = build_small_corpus(folder / "corpus", scale)
    changes = folder / "changes"
    changes.mkdir()
    many, gigabyte = ManyUploads(scale, servers, changes), GigabyteUploads(scale, servers, changes)
    with ExitStack() as running:
        for server in servers:
            running.enter_context(server.stopping())
            say(f"filling {server.label}")
            await _fill(server, corpus)
        await measure([many], scale.rounds)
        await measure([gigabyte], scale.huge_rounds)
        held = f"- Each held {len(corpus):,} files at the start, but devpi none."
        lines = opening(servers, scale, full=scale == FULL, load_before=load_before)
    return "\n".join(
        [
            *lines[:-1],
            held,
            "",
            promises_table(_promises(many, gigabyte)),
            many.table.markdown(),
            gigabyte.table.markdown(),
        ]
    )


async def _fill(server: Server, corpus: Sequence[WheelFile]) -> None:
    """Start a server with the files in it, but devpi, which would take the time of the whole run, without."""
    if isinstance(server, Pypiserver):
        server.take(corpus)
    await server.prepare()
    if not isinstance(server, (Pypiserver, Devpi)):
        await publish_many(server.connection, corpus, server.authorization, clients=8, limit_seconds=120)


def _makers(cache: Path) -> dict[str, Callable[[Path], Server]]:
    makers: dict[str, Callable[[Path], Server]] = {"pypiserve": Pypiserve, "pypiserve-bcrypt": PypiserveBcrypt}
    for name, (install, kind) in _PEERS.items():
        makers[name] = partial(_installed, install, kind, cache / name)
    return makers


def _installed(
    install: Callable[[Path], Path], kind: Callable[[Path, Path], Server], environment: Path, folder: Path
) -> Server:
    say(f"installing into {environment.name}")
    return kind(folder, install(environment))


def _promises(many: ManyUploads, gigabyte: GigabyteUploads) -> Sequence[Promise]:
    files, one = many.table, gigabyte.table
    return [
        Promise("Files per second: at least pypiron's", files, "rate_ratio", 1, at_least=True, rows=("pypiron",)),
        Promise(
            "Files per second: at least 20 times pypiserver's and devpi's",
            files,
            "rate_ratio",
            20,
            at_least=True,
            rows=("pypiserver, gunicorn -w4", "devpi"),
        ),
        Promise("p99 of these: at most 2 times pypiron's", files, "p99_ratio", 2, rows=("pypiron",)),
        Promise(
            f"1 GB: at least half of the rate of the {BARE.partition(':')[0]}",
            one,
            "bare",
            0.5,
            at_least=True,
            rows=OURS,
        ),
        Promise("Memory in an upload of 1 GB: grows by less than 64 MB", one, "growth", 64, of_rounds=max, rows=OURS),
    ]
