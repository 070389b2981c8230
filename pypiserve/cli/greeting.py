"""What ``pypiserve serve`` prints: the addresses, and lines to paste for each client."""

from __future__ import annotations

from urllib.parse import urlsplit

from pypiserve.core.addresses import Addresses
from pypiserve.services.accounts import NewToken
from pypiserve.services.first_start import FIRST_OWNER, Prepared
from pypiserve.settings import Listen, Settings

__all__ = ["greeting"]

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on


def greeting(settings: Settings, *, port: int, prepared: Prepared) -> str:
    """
    Write the greeting.

    Args:
        settings: The settings as they hold.
        port: Where the server listens.
        prepared: How the start found the catalog; a first token is shown here and never again.
    """
    origin, addresses = _origin(settings, port), Addresses(settings.path_prefix)
    owner, index = settings.root_index.split("/") if settings.root_index else (FIRST_OWNER, "pypi")
    upload_url = f"{origin}{addresses.base(owner, index)}/"
    index_url = f"{origin}{addresses.project_list(owner, index)}"
    parts = [f"pypiserve serves {origin}{addresses.prefix}/ from {settings.data}"]
    if prepared.first_token is not None:
        parts.append(_first_lines(prepared.first_token, prepared, upload_url=upload_url, index_url=index_url))
    else:
        credentials = " with credentials" if prepared.is_private else ""
        parts.append(f"Publish to {upload_url}\nInstall from {index_url}{credentials}")
        parts.append("More tokens: pypiserve token create NAME")
    parts.append("Stop with Ctrl+C.")
    return "\n\n".join(parts)


def _origin(settings: Settings, port: int) -> str:
    if settings.public_url:
        scheme, host = urlsplit(settings.public_url)[:2]
        return f"{scheme}://{host}"
    host = _ANY_ADDRESS.get(settings.listen.host, settings.listen.host)
    return f"http://{Listen(host, port)}"


def _first_lines(token: NewToken, prepared: Prepared, *, upload_url: str, index_url: str) -> str:
    secret = token.secret
    read_url = index_url.replace("://", f"://__token__:{secret}@", 1) if prepared.is_private else index_url
    reading = (
        "Reading takes the token too: this owner is private."
        if prepared.is_private
        else "Everybody who reaches this address may read; start with --private to ask for the token."
    )
    host = urlsplit(index_url).hostname
    # pip takes plain http from this machine without a word, and from others only when it is told.
    trust = "" if index_url.startswith("https") or host in _LOOPBACK else f"\n    trusted-host = {host}"
    return f"""\
Administrator's token, shown this once:
    {secret}
{reading}

Publish
    twine upload --repository-url {upload_url} -u __token__ -p {secret} dist/*
    uv publish --publish-url {upload_url} --token {secret}

  or in ~/.pypirc, then: twine upload --repository main dist/*
    [distutils]
    index-servers = main

    [main]
    repository = {upload_url}
    username = __token__
    password = {secret}

Install
    pip install --index-url {read_url} PROJECT
    uv pip install --index-url {read_url} PROJECT

  or in pip.conf
    [global]
    index-url = {read_url}{trust}

  or in uv.toml
    [[index]]
    name = "main"
    url = "{read_url}"
    publish-url = "{upload_url}"
    default = true"""
