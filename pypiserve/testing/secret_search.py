"""Noting the secrets that tests use, and searching for them wherever a server writes."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Iterable
from pathlib import Path

__all__ = ["SecretSearch"]

_MIN_CHARACTERS = 8
"""Shorter ones turn up by chance."""

_BESIDE_A_TOKEN = frozenset({"", "x-oauth-basic"})
_FILES_OF_STRANGERS = frozenset({"files", "staging"})
"""Folders of what was published: large, and its content is its publisher's."""


class SecretSearch:
    """
    Knows secrets, and finds them in answers, in log records and in files.

    It notes what requests carry in their ``Authorization`` headers, and what it is told.
    """

    def __init__(self) -> None:
        self._secrets: dict[bytes, None] = {}
        self._handler = _Records()

    def note(self, *secrets: str) -> None:
        """Note secrets of 8 characters or more; shorter ones are passed over."""
        for secret in secrets:
            if len(secret) >= _MIN_CHARACTERS:
                self._secrets[secret.encode("utf-8", "surrogatepass")] = None

    def note_header(self, authorization: str | None) -> None:
        """Note what an ``Authorization`` header carries: a token, or a password; as it stands, and decoded."""
        if authorization is None:
            return
        scheme, _, value = authorization.strip().partition(" ")
        self.note(value.strip())
        if scheme.lower() == "basic":
            self.note(*_passwords(value))

    def listen(self) -> None:
        """Begin to keep the log records of this process."""
        logging.getLogger().addHandler(self._handler)

    def check_log(self) -> None:
        """
        Stop to keep log records, and search those that there were.

        Raises:
            AssertionError: A secret is in one.
        """
        logging.getLogger().removeHandler(self._handler)
        self.check("the log", "\n".join(self._handler.lines))

    def check(self, place: str, *texts: str | bytes) -> None:
        """
        Search texts.

        Args:
            place: What they are, for the message.
            texts: Any number of them.

        Raises:
            AssertionError: A secret is in one.
        """
        for text in texts:
            content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
            for secret in self._secrets:
                # The message would be one more place that shows it.
                assert secret not in content, f"{place}: there is the secret that begins with {secret[:6]!r}"

    def check_folder(self, folder: Path) -> None:
        """
        Search all files in a server's folder and below it, but for those that were published.

        Raises:
            AssertionError: A secret is in one.
        """
        for path in _own_files(folder):
            self.check(str(path.relative_to(folder)), path.read_bytes())


class _Records(logging.Handler):
    """Keeps what is logged, with its traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(self.format(record))


def _passwords(encoded: str) -> Iterable[str]:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return ()
    username, colon, password = text.partition(":")
    if not colon:
        return ()
    password = password.strip()
    return (username.strip(),) if password in _BESIDE_A_TOKEN else (password,)


def _own_files(folder: Path) -> Iterable[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _FILES_OF_STRANGERS & set(path.relative_to(folder).parts):
            yield path
