"""kill -9 before and after every write of a publishing: all or nothing, and nothing lost that was answered."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import call
from forked_server import ForkedServer
from server_process import ServerProcess
from uploading import BASE, data_of, kept_by

from pypiserve.testing import BuiltFile, a_wheel, an_sdist

pytestmark = pytest.mark.machine

PIECES = 16
"""The steps of each kind of upload are dealt to so many tests, which run side by side."""
LEAST_KILLS = 4
"""What each piece must come to: with fewer, steps are no longer seen; see dying.py."""
RUN = range(PIECES) if "EVERY_STEP" in os.environ else (5,)
"""All of them in the tox environment ``kills``, and a sample elsewhere."""


def _first_file(number: int) -> BuiltFile:
    return a_wheel(f"first{number}")


def _next_release(number: int) -> BuiltFile:
    return a_wheel("demo", f"1.{number}")


def _source(number: int) -> BuiltFile:
    return an_sdist(f"source{number}")


def _large(number: int) -> BuiltFile:
    return a_wheel("large", f"1.{number}", padding_bytes=2_000_000)


KINDS: dict[str, Callable[[int], BuiltFile]] = {
    "first file of a project": _first_file,
    "next release": _next_release,
    "source": _source,
    "large": _large,
}


class Mortal:
    """A server in one folder, started again after each of its deaths."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dying_at = folder / "dying-at"
        self.token = ""
        self.server = self._start()

    def _start(self) -> ServerProcess:
        server = ForkedServer(self.folder, token=self.token, DYING_AT=str(self.dying_at))
        self.server = server
        self.token = server.wait_until_serving().token
        return server

    def publish_and_die(self, built: BuiltFile, step: int) -> tuple[bool, bool]:
        """Publish; return whether the answer said that it is done, and whether the server died."""
        self._die_at(step)
        try:
            answered = self.server.publish(built).status == http.client.CREATED
        except (OSError, http.client.HTTPException, AssertionError):
            answered = False
        died = self._has_died()
        assert answered or died
        if not died:
            self._die_at(0)
        return answered, died

    def _die_at(self, step: int) -> None:
        self.dying_at.write_text(str(step), encoding="ascii")
        self.server.process.send_signal(signal.SIGUSR1)

    def _has_died(self) -> bool:
        try:
            return self.server.process.wait(1.0) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def start_again(self) -> None:
        """Start where the last one died."""
        self.server.kill()
        self._start()

    def assert_sound(self) -> str:
        """Expect everything that the catalog names to be in the store; return what else gc finds there."""
        fsck = call("fsck", "--older-than", "0", folder=self.folder)
        assert fsck.returncode == 0, fsck.stdout
        gc = call("gc", "--older-than", "0", folder=self.folder)
        assert gc.returncode == 0, gc.stderr
        return gc.stdout


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    """A server to be killed."""
    server = Mortal(tmp_path)
    yield server
    server.server.kill()


def files_of(server: ServerProcess, project: str) -> dict[str, dict[str, object]]:
    """Read a project's page."""
    headers = {"Accept": "application/vnd.pypi.simple.v1+json", "Authorization": f"Bearer {server.token}"}
    reply = server.request("GET", f"{BASE}/simple/{project}/", headers=headers)
    if reply.status == http.client.NOT_FOUND:
        return {}
    assert reply.status == http.client.OK
    return {file["filename"]: file for file in json.loads(reply.body)["files"]}


def assert_whole(server: ServerProcess, project: str) -> list[str]:
    """Fetch all that the page lists, and the metadata, and compare the digests; return the names."""
    files = files_of(server, project)
    for file in files.values():
        path = re.sub(r"^https?://[^/]+|#.*$", "", str(file["url"]))
        promised = {path: file["hashes"]}
        if "core-metadata" in file or path.endswith(".whl"):
            promised[f"{path}.metadata"] = file["core-metadata"]
        for address, digests in promised.items():
            reply = server.get(address, token=server.token)
            assert reply.status == http.client.OK
            assert digests == {"sha256": hashlib.sha256(reply.body).hexdigest()}
    return sorted(files)


@pytest.mark.parametrize("piece", RUN)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_every_step_leaves_all_or_nothing(kind: str, piece: int, mortal: Mortal) -> None:
    """After each kill: a sound store, what is listed is there, what was answered is listed, a retry ends well."""
    acknowledged: dict[str, set[str]] = {}
    step, kills, died = 1 + piece, 0, True
    while died:
        built = KINDS[kind](step)
        project = built.filename.split("-", 1)[0]
        answered, died = mortal.publish_and_die(built, step)
        if died:
            kills += 1
            mortal.assert_sound()
            mortal.start_again()
        listed = assert_whole(mortal.server, project)
        known = acknowledged.setdefault(project, set())
        assert known <= set(listed) <= known | {built.filename}
        assert built.filename in listed or not answered
        assert mortal.server.publish(built).status in {http.client.OK, http.client.CREATED}
        known.add(built.filename)
        assert assert_whole(mortal.server, project) == sorted(known)
        assert kept_by(data_of(mortal.server)).staged == ()
        step += PIECES
    assert kills >= LEAST_KILLS
    assert "not name: 0, with" in mortal.assert_sound()


def test_all_pieces_together_kill_often() -> None:
    """What each piece must come to makes hundreds of kills in all."""
    assert len(KINDS) * PIECES * LEAST_KILLS >= 250
