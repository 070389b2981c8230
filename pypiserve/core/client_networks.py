"""What stands for a client, wherever clients are counted by their addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["client_network"]

_IPV6_PREFIX = 64
"""What one subscriber has: its addresses are as good as one."""


def client_network(address: str) -> IPv4Address | IPv6Network | None:
    """Return an IPv4 address, also if written as IPv6, or the /64 of an IPv6 one; ``None`` for no address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or IPv6Network((found, _IPV6_PREFIX), strict=False)
    return found
