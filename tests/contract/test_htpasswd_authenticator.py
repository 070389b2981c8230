"""The htpasswd authenticator keeps the promises of authenticators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import bcrypt
import pytest

from pypiserve.builtin.htpasswd import HtpasswdSettings, pypiserve_authenticators
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials
from pypiserve.plugin import Authenticator
from pypiserve.testing import a_context
from pypiserve.testing.contracts.authenticators import AuthenticatorContract


class TestHtpasswdAuthenticator(AuthenticatorContract):
    @pytest.fixture
    def name(self) -> str:
        return "staff"

    @pytest.fixture
    def good_credentials(self) -> Credentials:
        return BasicCredentials("alice", "correct horse")

    @pytest.fixture
    def bad_credentials(self) -> Credentials:
        return BasicCredentials("alice", "battery staple")

    @pytest.fixture
    def foreign_credentials(self) -> Credentials:
        return BearerCredentials("eyJhbGciOiJSUzI1NiJ9.e30.x")

    @pytest.fixture
    async def authenticator(self, name: str, tmp_path: Path) -> AsyncIterator[Authenticator]:
        (tmp_path / "users").write_bytes(b"alice:" + bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)))
        (kind,) = pypiserve_authenticators()
        authenticator = kind.build(HtpasswdSettings(file=tmp_path / "users"), a_context(name, tmp_path))
        yield authenticator
        await authenticator.close()
