"""The authenticator of our own API tokens keeps the promises of authenticators, wherever the token stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pypiserve.builtin.token import pypiserve_authenticators
from pypiserve.core.api_tokens import new_api_token
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials
from pypiserve.plugin import Authenticator, NoSettings
from pypiserve.testing import Clock, MemoryApiTokens, a_clock, a_context
from pypiserve.testing.contracts.authenticators import AuthenticatorContract

Spell = Callable[[str], Credentials]


class TestTokenAuthenticator(AuthenticatorContract):
    @pytest.fixture(
        params=[
            BearerCredentials,
            lambda token: BasicCredentials("__token__", token),
            lambda token: BasicCredentials(token, ""),
        ],
        ids=["bearer", "password", "user name"],
    )
    def spell(self, request: pytest.FixtureRequest) -> Spell:
        spell: Spell = request.param
        return spell

    @pytest.fixture
    def tokens(self) -> MemoryApiTokens:
        return MemoryApiTokens()

    @pytest.fixture
    def clock(self) -> Clock:
        return a_clock()

    @pytest.fixture
    def name(self) -> str:
        return "our-tokens"

    @pytest.fixture
    def authenticator(self, name: str, tmp_path: Path, clock: Clock, tokens: MemoryApiTokens) -> Authenticator:
        (kind,) = pypiserve_authenticators()
        return kind.build(NoSettings(), a_context(name, tmp_path, now=clock, api_tokens=tokens))

    @pytest.fixture
    def good_credentials(self, spell: Spell, tokens: MemoryApiTokens) -> Credentials:
        return spell(tokens.add("ci"))

    @pytest.fixture(params=["unknown", "revoked", "expired"])
    def bad_credentials(
        self, request: pytest.FixtureRequest, spell: Spell, tokens: MemoryApiTokens, clock: Clock
    ) -> Credentials:
        if request.param == "unknown":
            return spell(new_api_token())
        secret = tokens.add("old", expires_at=clock() + timedelta(days=request.param == "revoked"))
        if request.param == "revoked":
            tokens.revoke("old")
        return spell(secret)

    @pytest.fixture
    def foreign_credentials(self) -> Credentials:
        return BasicCredentials("alice", "correct horse")
