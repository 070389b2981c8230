"""What every authenticator promises, as tests to inherit."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from pypiserve.core.errors import AuthenticationFailed
from pypiserve.core.identity import BearerCredentials, Credentials, Identity
from pypiserve.plugin import Authenticator

__all__ = ["AuthenticatorContract"]


@pytest.mark.asyncio
class AuthenticatorContract:
    """
    Inherit this in a class named ``Test…`` and supply the five fixtures.

    ``authenticator`` also closes the authenticator at the end. Secrets should be 6 characters or longer, so that they
    do not turn up in a message by chance.
    """

    @pytest.fixture
    def authenticator(self) -> Authenticator:
        """The authenticator under test."""
        raise NotImplementedError("supply the fixture 'authenticator'")

    @pytest.fixture
    def name(self) -> str:
        """The name with which the authenticator was built."""
        raise NotImplementedError("supply the fixture 'name'")

    @pytest.fixture
    def good_credentials(self) -> Credentials:
        """Credentials of somebody."""
        raise NotImplementedError("supply the fixture 'good_credentials'")

    @pytest.fixture
    def bad_credentials(self) -> Credentials:
        """Credentials of the authenticator's kind that are wrong."""
        raise NotImplementedError("supply the fixture 'bad_credentials'")

    @pytest.fixture
    def foreign_credentials(self) -> Credentials:
        """Credentials that the authenticator leaves to others."""
        raise NotImplementedError("supply the fixture 'foreign_credentials'")

    async def test_it_is_an_authenticator(self, authenticator: Authenticator) -> None:
        """The object has the methods of the protocol."""
        assert isinstance(authenticator, Authenticator)

    async def test_good_credentials_give_an_identity(
        self, authenticator: Authenticator, name: str, good_credentials: Credentials
    ) -> None:
        """The identity bears the authenticator's name and one of its own, and is the same each time."""
        identity = await authenticator.authenticate(good_credentials)
        assert isinstance(identity, Identity)
        assert identity.authenticator == name
        assert identity.name
        assert identity.name.isprintable()
        assert await authenticator.authenticate(good_credentials) == identity

    async def test_bad_credentials_are_refused(
        self, authenticator: Authenticator, bad_credentials: Credentials
    ) -> None:
        """Wrong credentials are refused each time, in one line."""
        for _ in range(2):
            with pytest.raises(AuthenticationFailed) as caught:
                await authenticator.authenticate(bad_credentials)
            assert str(caught.value).strip()
            assert str(caught.value).isprintable()

    async def test_foreign_credentials_are_left_to_others(
        self, authenticator: Authenticator, foreign_credentials: Credentials
    ) -> None:
        """What is of another kind is neither known nor refused."""
        assert await authenticator.authenticate(foreign_credentials) is None

    async def test_no_secret_is_told(
        self,
        authenticator: Authenticator,
        good_credentials: Credentials,
        bad_credentials: Credentials,
        foreign_credentials: Credentials,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Neither the error nor what led to it nor the log shows a password or token."""
        told = []
        for credentials in (good_credentials, bad_credentials, foreign_credentials):
            try:
                told.append(repr(await authenticator.authenticate(credentials)))
            except AuthenticationFailed as error:
                told += _all_texts(error)
        told += [caplog.text, repr(authenticator)]
        for credentials in (good_credentials, bad_credentials, foreign_credentials):
            for secret in filter(None, _secrets(credentials)):
                assert not any(secret in text for text in told)

    async def test_many_at_once_agree(
        self,
        authenticator: Authenticator,
        good_credentials: Credentials,
        bad_credentials: Credentials,
        foreign_credentials: Credentials,
    ) -> None:
        """Good, bad and foreign credentials at the same time are told apart, and equal ones get equal answers."""
        alone = await authenticator.authenticate(good_credentials)
        mixture = [good_credentials, bad_credentials, foreign_credentials] * 8
        answers = await asyncio.gather(*map(authenticator.authenticate, mixture), return_exceptions=True)
        assert answers[0::3] == [alone] * 8
        assert all(isinstance(answer, AuthenticationFailed) for answer in answers[1::3])
        assert answers[2::3] == [None] * 8

    async def test_bad_credentials_do_not_spoil_good_ones(
        self, authenticator: Authenticator, good_credentials: Credentials, bad_credentials: Credentials
    ) -> None:
        """A refusal is not held against those who come after, nor does a success help the wrong."""
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(bad_credentials)
        assert await authenticator.authenticate(good_credentials) is not None
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(bad_credentials)

    @pytest.mark.parametrize("steps", [0, 1, 2, 5])
    async def test_a_cancelled_caller_disturbs_nobody(
        self, authenticator: Authenticator, good_credentials: Credentials, steps: int
    ) -> None:
        """One of several callers goes away; the others with the same credentials get their answer."""
        leaving = asyncio.create_task(_ask(authenticator, good_credentials))
        staying = [asyncio.create_task(_ask(authenticator, good_credentials)) for _ in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
        answers = await asyncio.gather(*staying)
        assert len(set(answers)) == 1
        assert answers[0] is not None


async def _ask(authenticator: Authenticator, credentials: Credentials) -> Identity | None:
    return await authenticator.authenticate(credentials)


def _secrets(credentials: Credentials) -> tuple[str, ...]:
    """Name what must not be told; a user name beside an empty password may be a token."""
    if isinstance(credentials, BearerCredentials):
        return (credentials.token,)
    return (credentials.password,) if credentials.password else (credentials.username,)


def _all_texts(error: BaseException | None) -> list[str]:
    """Spell an error and all those behind it in every way in which they may reach a reader."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error)), *getattr(error, "__notes__", ())]
        error = error.__cause__ or error.__context__
    return texts
