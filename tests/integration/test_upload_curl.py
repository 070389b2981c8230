"""curl publishes with and without asking first, and sees why it is refused."""

from __future__ import annotations

import http.client
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from uploading import BASE, keeps_nothing, published

from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest
from pypiserve.web import draining
from pypiserve.web.draining import DrainBounds

CURL = shutil.which("curl")
MEGABYTE = 1 << 20
ASKING = ["--header", "Expect: 100-continue"]
NOT_ASKING = ["--header", "Expect:"]

_FIGURES = "\n%{http_code} %{size_upload}"

pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")


@dataclass(frozen=True)
class Sent:
    """What curl did: the status and text that it saw, and how many bytes of the body it sent."""

    status: int
    text: str
    uploaded_bytes: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server that the tests of this module share."""
    with ServerUnderTest(tmp_path_factory.mktemp("site"), "max_file_size_bytes = 20000000\n") as running:
        yield running


def large_file(folder: Path, megabytes: int) -> Path:
    """Make a file that takes no room."""
    path = folder / "large-1.0-py3-none-any.whl"
    with path.open("wb") as file:
        file.truncate(megabytes * MEGABYTE)
    return path


def send(server: ServerUnderTest, file: Path, *options: str, token: str | None = None) -> Sent:
    """Publish a file with curl."""
    words = ["--silent", "--show-error", "--max-time", "60", "--user", f"__token__:{token or server.token}"]
    words += [
        "--form",
        ":action=file_upload",
        "--form",
        f"content=@{file}",
        "--write-out",
        "\n%{http_code} %{size_upload}",
    ]
    finished = subprocess.run(
        [str(CURL), *words, *options, f"{server.url}{BASE}"], capture_output=True, text=True, timeout=90, check=False
    )
    assert finished.returncode == 0, finished.stderr
    text, _, figures = finished.stdout.rpartition("\n")
    status, uploaded = figures.split()
    return Sent(int(status), text, int(uploaded))


@pytest.mark.parametrize("options", [ASKING, NOT_ASKING], ids=["asking", "not-asking"])
def test_a_file_is_published(site: ServerUnderTest, tmp_path: Path, options: list[str]) -> None:
    """Whether curl asks first or not."""
    wheel = a_wheel("asking" if options is ASKING else "bold")
    sent = send(site, wheel.write_to(tmp_path), *options, "--form", f"sha256_digest={wheel.sha256}")
    assert sent.status == http.client.CREATED
    assert published(site, wheel.filename.split("-")[0]) == [wheel.filename]


@pytest.mark.parametrize(("token", "status"), [("wrong", 401), (None, 413)], ids=["wrong-token", "too-large"])
def test_who_asks_first_sends_nothing(site: ServerUnderTest, tmp_path: Path, token: str | None, status: int) -> None:
    """The refusal comes in place of the permission."""
    with keeps_nothing(site):
        sent = send(site, large_file(tmp_path, 300), *ASKING, token=token)
    assert (sent.status, sent.uploaded_bytes) == (status, 0)
    assert sent.text.strip()


@pytest.mark.parametrize(("token", "status"), [("wrong", 401), (None, 413)], ids=["wrong-token", "too-large"])
@pytest.mark.parametrize("megabytes", [30, 300])
def test_who_does_not_ask_sees_the_answer_and_stops(
    site: ServerUnderTest, tmp_path: Path, megabytes: int, token: str | None, status: int
) -> None:
    """curl looks for the answer while it sends, and does not send the rest."""
    with keeps_nothing(site):
        sent = send(site, large_file(tmp_path, megabytes), *NOT_ASKING, token=token)
    assert (sent.status, sent.uploaded_bytes < megabytes * MEGABYTE) == (status, True)
    assert sent.text.strip()


def test_the_answer_is_seen_when_the_bound_is_passed(
    site: ServerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little the server reads of what nobody wants: it leaves time to look before it closes."""
    monkeypatch.setattr(draining, "BOUNDS", DrainBounds(reuse_bytes=0, max_bytes=1))
    with keeps_nothing(site):
        assert send(site, large_file(tmp_path, 30), *NOT_ASKING, token="wrong").status == http.client.UNAUTHORIZED
