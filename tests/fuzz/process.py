"""The process that fuzzes one target: ``python -m tests.fuzz.process TARGET [argument of libFuzzer ...]``."""

from __future__ import annotations

import hashlib
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import atheris

_MAX_SEED_BYTES = 16_384
_MAX_CPU_SECONDS = 3.0
"""For one input: of the processor, not of the clock, so that a busy machine makes no finding."""


def main() -> None:
    """Write the seeds into the corpus, and hand over to libFuzzer, which ends the process."""
    with atheris.instrument_imports(include=["pypiserve", "multipart", "pkginfo", "packaging.metadata"]):
        # Imported late: only what is imported in here reports its coverage.
        importlib.import_module("pypiserve.core.file_checks")
        importlib.import_module("pypiserve.web.multipart")
    target = importlib.import_module(f".{sys.argv[1]}", __package__)
    for argument in sys.argv[2:]:
        if (folder := Path(argument)).is_dir():
            _sow(folder, target.seeds())
    mutator = {"custom_mutator": target.mutate} if hasattr(target, "mutate") else {}
    atheris.Setup([sys.argv[0], *sys.argv[2:]], _timed(target.test), **mutator)
    atheris.Fuzz()


def _timed(test: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def timed(data: bytes) -> None:
        begun = time.process_time()
        test(data)
        taken = time.process_time() - begun
        assert taken < _MAX_CPU_SECONDS, f"one input of {len(data)} bytes took {taken:.1f} seconds"

    return timed


def _sow(folder: Path, seeds: list[bytes]) -> None:
    for seed in seeds:
        if len(seed) <= _MAX_SEED_BYTES:
            (folder / hashlib.sha256(seed).hexdigest()).write_bytes(seed)


if __name__ == "__main__":
    main()
