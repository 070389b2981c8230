"""Print the versions of our dependencies, and fail when one is not the lowest that setup.cfg allows."""

from __future__ import annotations

import configparser
import sys
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

_SETUP_CFG = Path(__file__).parent.parent / "setup.cfg"


def lowest_versions() -> dict[str, Version]:
    """Return distribution name to the lower bound in setup.cfg, of the server and of its testing kit."""
    config = configparser.ConfigParser()
    config.read(_SETUP_CFG, encoding="utf-8")
    lines = config["options"]["install_requires"] + config["options.extras_require"]["testing"]
    requirements = [Requirement(line) for line in lines.splitlines() if line]
    return {
        requirement.name: Version(specifier.version)
        for requirement in requirements
        for specifier in requirement.specifier
        if specifier.operator == ">="
    }


def main() -> int:
    """Print a table, and return 1 when some version is another one."""
    status = 0
    for name, lowest in lowest_versions().items():
        here = Version(version(name))
        fits = here == lowest
        status |= not fits
        print(f"{name:<16} {here}{'' if fits else f'  but setup.cfg says {lowest}'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
