"""
Fixtures for the tests of plugin authors.

Opt in with ``pytest_plugins = ["pypiserve.testing.fixtures"]`` in the top-level ``conftest.py``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pypiserve.testing.server import ServerUnderTest

__all__ = ["make_server", "server"]

MakeServer = Callable[..., ServerUnderTest]


@pytest.fixture
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeServer]:
    """
    Return a function that starts a server in a folder of its own and stops it after the test.

    Its argument is the text of a settings file; ``folder=`` names a folder to use, such as that of an earlier server.
    """
    with contextlib.ExitStack() as running:

        def start(settings: str = "", *, folder: Path | None = None) -> ServerUnderTest:
            place = folder or tmp_path_factory.mktemp("pypiserve")
            return running.enter_context(ServerUnderTest(place, settings))

        yield start


@pytest.fixture
def server(make_server: MakeServer) -> ServerUnderTest:
    """Return a running server with default settings: the public owner ``main``, and an administrator's token."""
    return make_server()
