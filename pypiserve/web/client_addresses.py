"""
Who sent a request, also behind a reverse proxy.

``X-Forwarded-For`` is what the client says, with what each proxy adds at its end. Only what a trusted proxy has added
is believed, so the list is read from its end as long as the proxies named there are trusted too.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator, Sequence

__all__ = ["ClientAddresses"]

_log = logging.getLogger("pypiserve.web")

_MAX_HOPS = 20

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientAddresses:
    """Finds the client's address of a request."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """
        Take the proxies.

        Args:
            trusted: Their addresses, or networks such as ``10.0.0.0/8``.

        Raises:
            ValueError: One is neither.
        """
        self._trusted: tuple[Network, ...] = tuple(ipaddress.ip_network(text) for text in trusted)
        self._has_told = False

    def client_of(self, peer: str, forwarded_for: str | None) -> str:
        """
        Return the address of the client.

        Args:
            peer: The address of who is connected to us.
            forwarded_for: The header, joined by commas if there are several.
        """
        if forwarded_for is None:
            return peer
        if not self._is_trusted(_read(peer)):
            self._tell(peer)
            return peer
        client = peer
        for address in _from_the_end(forwarded_for):
            if address is None:
                break  # not an address: whoever wrote it is the last that is known
            client = str(address)
            if not self._is_trusted(address):
                break
        return client

    def trusts(self, peer: str) -> bool:
        """Tell whether who is connected to us is one of the proxies."""
        return self._is_trusted(_read(peer))

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)

    def _tell(self, peer: str) -> None:
        """Say once what is probably amiss: all clients look like one, also to the throttle of sign-ins."""
        if not self._has_told:
            self._has_told = True
            _log.warning(
                "A request from %s carries X-Forwarded-For, which is not believed; "
                "if that is your reverse proxy, name it in trusted_proxies",
                peer,
            )


def _from_the_end(header: str) -> Iterator[Address | None]:
    yield from (_read(text.strip()) for text in reversed(header.split(",")[-_MAX_HOPS:]))


def _read(text: str) -> Address | None:
    """Read an address; some proxies write a port behind it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
