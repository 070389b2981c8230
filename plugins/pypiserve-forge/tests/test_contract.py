"""Each kind keeps the promises of authenticators."""

from __future__ import annotations

import pytest

from forge_fixtures import MakeAuthenticator
from people import gitea_token, github_token, gitlab_token
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials
from pypiserve.plugin import Authenticator, RecheckingAuthenticator
from pypiserve.testing.contracts.authenticators import AuthenticatorContract


class _ForgeContract(AuthenticatorContract):
    """What the four have in common."""

    @pytest.fixture
    def authenticator(self, make: MakeAuthenticator, name: str) -> Authenticator:
        return make(name)

    @pytest.fixture
    def foreign_credentials(self) -> Credentials:
        return BasicCredentials("alice", "correct horse battery staple")

    async def test_it_can_be_told_to_ask_again(self, authenticator: Authenticator) -> None:
        """It has the method for answers that must be recent."""
        assert isinstance(authenticator, RecheckingAuthenticator)


class TestGitea(_ForgeContract):
    @pytest.fixture
    def name(self) -> str:
        return "gitea"

    @pytest.fixture
    def good_credentials(self) -> Credentials:
        return BasicCredentials("__token__", gitea_token("wim"))

    @pytest.fixture
    def bad_credentials(self) -> Credentials:
        return BasicCredentials("wim", gitea_token("nobody"))


class TestForgejo(_ForgeContract):
    @pytest.fixture
    def name(self) -> str:
        return "forgejo"

    @pytest.fixture
    def good_credentials(self) -> Credentials:
        return BearerCredentials(gitea_token("rita"))

    @pytest.fixture
    def bad_credentials(self) -> Credentials:
        return BearerCredentials(gitea_token("nobody"))


class TestGitLab(_ForgeContract):
    @pytest.fixture
    def name(self) -> str:
        return "gitlab"

    @pytest.fixture
    def good_credentials(self) -> Credentials:
        return BasicCredentials("dee", gitlab_token("dee"))

    @pytest.fixture
    def bad_credentials(self) -> Credentials:
        return BasicCredentials("dee", gitlab_token("dee revoked"))


class TestGitHub(_ForgeContract):
    @pytest.fixture
    def name(self) -> str:
        return "github"

    @pytest.fixture
    def good_credentials(self) -> Credentials:
        return BasicCredentials(github_token("mel"), "x-oauth-basic")

    @pytest.fixture
    def bad_credentials(self) -> Credentials:
        return BasicCredentials("mel", github_token("nobody"))
