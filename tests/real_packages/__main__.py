"""
Runs ``pypiserve check-file`` over the wheels of all our environments and the sdists of our direct dependencies.

``python -m tests.real_packages FOLDER`` keeps the files in FOLDER, and fetches only what is not there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .fetching import fetch_sdists, fetch_wheels
from .pins import direct_dependencies, installed_releases


def main(folder: Path) -> int:
    """Fetch, check, and print what was refused and why; the exit status is that of ``check-file``."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        pins, direct = installed_releases(), direct_dependencies()
        fetch_wheels(pins, folder)
        fetch_sdists([pin for pin in pins if pin.name in direct], folder)
    files = sorted(folder.iterdir())
    begun = time.monotonic()
    command = [sys.executable, "-m", "pypiserve", "check-file", "--json", *map(str, files)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=3600, check=False)
    _report([json.loads(line) for line in done.stdout.splitlines()], files, time.monotonic() - begun)
    return done.returncode


def _report(verdicts: list[dict[str, Any]], files: list[Path], seconds: float) -> None:
    projects = {file.name.split("-")[0].lower() for file in files}
    wheels = sum(file.suffix == ".whl" for file in files)
    size = sum(file.stat().st_size for file in files) / 1e6
    counts = f"{wheels} wheels and {len(files) - wheels} sdists of {len(projects)} projects"
    print(f"{counts}, {size:.0f} MB, checked in {seconds:.1f} s")
    for verdict in verdicts:
        for problem in verdict["problems"]:
            print(f"refused: {Path(verdict['file']).name}: {problem['message']} [{problem['code']}]")
    warned = Counter(warning["code"] for verdict in verdicts for warning in verdict["warnings"])
    for code, count in warned.most_common():
        print(f"warnings: {count} {code}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
