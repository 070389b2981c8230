"""``pypiserve htpasswd``: add, change and remove users of a user file, for those who have no Apache."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import click

from pypiserve.builtin.apache_hashes import MAX_BCRYPT_BYTES
from pypiserve.core.api_tokens import looks_like_api_token

__all__ = ["htpasswd"]

_COST = 10
_MAX_NAME_BYTES = 255
_MAX_LINE = 1024


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("user")
@click.option("--delete", is_flag=True, help="Remove the user.")
@click.option("--stdin", is_flag=True, help="Read the password as one line from standard input.")
def htpasswd(file: Path, user: str, *, delete: bool, stdin: bool) -> None:
    """
    Add USER to FILE, or give USER a new password.

    The password is asked for twice and kept as a bcrypt hash. FILE is made if it is missing. A running server
    notices the change.
    """
    _check_user(user)
    entry = None if delete else f"{user}:{_hash(_ask(stdin=stdin))}".encode()
    try:
        with _locked(file):
            _rewrite(file, user, entry)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error
    click.echo(f"Removed {user}." if delete else f"Set the password of {user}.")


def _check_user(user: str) -> None:
    if not user or user != user.strip() or not user.isprintable() or ":" in user or user.startswith("#"):
        raise click.BadParameter(
            "a user name is not empty, has no ':', no control characters and no space around it, "
            "and does not begin with '#'",
            param_hint="USER",
        )
    if len(user.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES or looks_like_api_token(user):
        raise click.BadParameter("too long, or an API token", param_hint="USER")


def _ask(*, stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _hash(password: str) -> str:
    content = password.encode("utf-8", "surrogatepass")
    if not content or password != password.strip() or "\0" in password:
        raise click.ClickException("A password is not empty and has no space around it.")
    if len(content) > MAX_BCRYPT_BYTES:
        raise click.ClickException(f"A password has at most {MAX_BCRYPT_BYTES} bytes: bcrypt ignores the rest.")
    if looks_like_api_token(password):
        raise click.ClickException("This is an API token; it works without being in the file.")
    # Apache knows this hash by its own prefix.
    return bcrypt.hashpw(content, bcrypt.gensalt(_COST)).decode().replace("$2b$", "$2y$", 1)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Keep two of these commands from losing each other's change. The folder's lock needs no file of its own."""
    descriptor = os.open(file.resolve().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _rewrite(file: Path, user: str, entry: bytes | None) -> None:
    """Put the entry in the place of the user's first line, or at the end; without one remove the user."""
    content = file.read_bytes() if file.exists() or entry is None else b""
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    mine = [number for number, line in enumerate(lines) if line.strip().partition(b":")[0].strip() == user.encode()]
    if entry is None and not mine:
        raise click.ClickException(f"{file} has no user {user}.")
    kept = [line for number, line in enumerate(lines) if number not in mine]
    if entry is not None:
        kept.insert(mine[0] if mine else len(kept), entry)
    _replace(file.resolve(), b"".join(line + b"\n" for line in kept))


def _replace(file: Path, content: bytes) -> None:
    """Write the file anew, in one step for its readers, with the mode and the owner that it had."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as sink:
            if file.exists():
                facts = file.stat()
                os.fchown(descriptor, facts.st_uid, facts.st_gid)
                os.fchmod(descriptor, facts.st_mode & 0o7777)
            sink.write(content)
            sink.flush()
            os.fsync(descriptor)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
