"""The program for a try on a running forge works, so that it does on the day."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from forge_process import Forges
from people import gitea_token

_TESTS = Path(__file__).parent


def test_it_prints_what_was_asked_and_found(forges: Forges) -> None:
    """Requests with their statuses, the identity and its roles; not the token."""
    command = [sys.executable, "try_forge.py", "forgejo", forges.forgejo.url, "acme"]
    path = os.pathsep.join([str(_TESTS.parent), os.environ.get("PYTHONPATH", "")])
    said = subprocess.run(
        command,
        cwd=_TESTS,
        env=os.environ | {"PYTHONPATH": path},
        input=gitea_token("wim reads"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "forgejo: GET /api/v1/user: 200\n" in said
    assert "forgejo: POST /api/packages/wim/pypi/: 401\n" in said
    assert "forgejo:3 (wim)" in said
    assert "publisher of acme" in said
    assert gitea_token("wim reads") not in said
