"""
Ask a running forge about a token, and print what comes of it: ``try_forge.py KIND URL ORGANISATION... < token``.

For a try before a release, by hand: the fake forges answer by documentation and source. Each request is printed with
the status of its answer.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pypiserve.core.errors import PypiserveError
from pypiserve.core.identity import BearerCredentials
from pypiserve.testing import a_context
from pypiserve_forge import pypiserve_authenticators

__all__ = ["main"]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


async def main(kind: str, url: str, organisations: list[str], token: str, **settings: Any) -> int:
    """Ask, print, and return 0 when the token is somebody's."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("pypiserve_forge").setLevel(logging.DEBUG)
    offered = {one.name: one for one in pypiserve_authenticators()}[kind]
    typed = offered.settings(url=url, organisations=organisations, **settings)
    context = a_context(kind, Path(tempfile.gettempdir()), now=lambda: datetime.now(UTC))
    authenticator = offered.build(typed, context)
    try:
        identity = await authenticator.authenticate(BearerCredentials(token))
    except PypiserveError as error:
        _say(f"{type(error).__name__}: {error}")
        return 1
    finally:
        await authenticator.close()
    if identity is None:
        _say("This has not the shape of such a token")
        return 1
    _say(f"{identity.subject} ({identity.display_name}), credential {identity.credential}")
    _say(f"limited to {identity.scopes}" if identity.scopes is not None else "not limited")
    for role in identity.roles:
        _say(f"{role.role.value} of {role.owner}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:], sys.stdin.read().strip())))
