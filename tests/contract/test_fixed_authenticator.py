"""The fake authenticator of the testing kit keeps the promises of authenticators."""

from __future__ import annotations

import pytest

from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials
from pypiserve.testing import FixedAuthenticator
from pypiserve.testing.contracts.authenticators import AuthenticatorContract


class TestFixedAuthenticator(AuthenticatorContract):
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
    def authenticator(self, name: str) -> FixedAuthenticator:
        return FixedAuthenticator(name, {"alice": "correct horse"})
