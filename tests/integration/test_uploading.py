"""The expectation that an upload leaves nothing notices what is left, however late."""

from __future__ import annotations

import time
from pathlib import Path
from typing import BinaryIO

import pytest
from raw_http import RawConnection
from uploading import content_part, encode, head_of, keeps_nothing, usual_parts

from pypiserve.services.staging import StagedFile, StagingArea
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

WHEEL = a_wheel("left-behind", padding_bytes=3_000_000)
BODY = encode([*usual_parts(WHEEL), content_part(WHEEL)])


@pytest.fixture
def _stages_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server begin to write a file when its client is long gone."""
    new_on_disk = StagingArea._new_on_disk

    def late(self: StagingArea) -> tuple[Path, BinaryIO]:
        time.sleep(0.3)
        return new_on_disk(self)

    monkeypatch.setattr(StagingArea, "_new_on_disk", late)


def send_and_leave(site: ServerUnderTest) -> None:
    """Send most of an upload, and go away."""
    with RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(BODY))) + BODY[:-1000])


@pytest.mark.usefixtures("_stages_late")
def test_what_is_staged_late_and_removed_is_waited_for(server: ServerUnderTest) -> None:
    """It is never taken for what was there before the next upload."""
    for _ in range(3):
        with keeps_nothing(server):
            send_and_leave(server)


@pytest.mark.usefixtures("_stages_late")
def test_what_is_staged_late_and_left_is_found(server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the expectation around the very upload that left it."""
    monkeypatch.setattr(StagedFile, "discard", lambda self: self.handle.close())
    with pytest.raises(AssertionError, match=r"has become .*upload-"), keeps_nothing(server):
        send_and_leave(server)
