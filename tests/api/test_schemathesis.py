"""
The interface for programs does what its OpenAPI document says, whatever it is sent.

schemathesis makes requests of the document, right ones and wrong ones, and holds the answers against it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

_SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
_CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
_SECONDS = 120
_NOT_ASKED = (
    # TRACE and the like are refused, and not by the document.
    "unsupported_method",
    # The document cannot tell all that names and times must be: they are refused with 400.
    "positive_data_acceptance",
)


@pytest.fixture
def stocked(server: ServerUnderTest) -> ServerUnderTest:
    """A server on which there is something of each kind."""
    with server.catalog() as catalog:
        for name in ("acme", "restless"):
            catalog.accounts.create_owner(name, public=True)
        catalog.accounts.teams.create("acme", "devs")
        catalog.accounts.robots.create("deploy", owner="acme")
    for version in ("1.0", "1.1"):
        assert server.publish(a_wheel("demo", version), path="/api/packages/acme/pypi/").status == 201
    return server


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_it_does_what_the_document_says(stocked: ServerUnderTest, tmp_path: Path, *, is_signed_in: bool) -> None:
    """No status, body or type of one that is not described, nothing that is wrong taken, and no fault of ours."""
    credentials = ["--header", f"Authorization: Bearer {stocked.token}"] if is_signed_in else []
    words = [f"--config-file={_CONFIGURATION}", "run", f"{stocked.url}/api/v1/openapi.json", *credentials]
    # Without credentials the borders of each value will do: most are 401.
    words += ["--max-examples", "5", "--phases", "coverage,fuzzing" if is_signed_in else "coverage", "--seed", "1"]
    words += ["--exclude-checks", ",".join(_NOT_ASKED), "--no-color", "--workers", "2"]
    ran = subprocess.run(
        [_SCHEMATHESIS, *words], cwd=tmp_path, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
