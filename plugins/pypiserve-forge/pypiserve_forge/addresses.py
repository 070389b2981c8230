"""The address of a forge, as the settings give it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["github_api", "read_base_url"]


def read_base_url(text: str) -> str:
    """
    Check the address of a forge and drop the slash at its end.

    Raises:
        ValueError: It is no address to send secrets to; the text says why.
    """
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname or not text.isascii() or not text.isprintable():
        raise ValueError("not an absolute https address")
    if url.username is not None or url.password is not None:
        raise ValueError("the address has credentials")
    if "?" in text or "#" in text or " " in text:
        raise ValueError("the address has a query, a fragment or a space")
    if url.port == 0:  # The property itself raises ValueError for what is no port.
        raise ValueError("the port is 0")
    if url.scheme == "http" and not _is_loopback(url.hostname):
        raise ValueError("tokens would cross the network in clear")
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}"


def github_api(base_url: str) -> str:
    """
    Return the address of GitHub's API: of github.com, of a tenant on ghe.com, else of GitHub Enterprise Server.

    Spec: GitHub REST API, "Getting started", and that of Enterprise Server.
    """
    url = urlsplit(base_url)
    host = (url.hostname or "").removeprefix("www.")
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"{url.scheme}://api.{host}"
    return f"{base_url}/api/v3"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
