"""The client's address, with and without proxies."""

from __future__ import annotations

import logging

import pytest

from pypiserve.web.client_addresses import ClientAddresses

PROXY = "10.0.0.7"


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (None, PROXY),
        ("", PROXY),
        ("198.51.100.9", "198.51.100.9"),
        ("1.2.3.4, 198.51.100.9", "198.51.100.9"),
        ("1.2.3.4,198.51.100.9, 10.9.9.9", "198.51.100.9"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("198.51.100.9, junk", PROXY),
        ("junk, 10.2.2.2", "10.2.2.2"),
        ("198.51.100.9:4711", "198.51.100.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:198.51.100.9", "198.51.100.9"),
        ("x" * 9000, PROXY),
    ],
)
def test_what_a_trusted_proxy_adds_is_believed(header: str | None, client: str) -> None:
    """The list is read from its end, through trusted proxies, to the first address that is none of theirs."""
    assert ClientAddresses(["10.0.0.0/8"]).client_of(PROXY, header) == client


def test_a_stranger_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever is no proxy of ours cannot choose an address; the log says once what is probably amiss."""
    for trusted in ([], ["10.0.0.0/8", "fd00::/8"]):
        addresses = ClientAddresses(trusted)
        for _ in range(2):
            assert addresses.client_of("203.0.113.5", "10.0.0.1") == "203.0.113.5"
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "trusted_proxies" in caplog.text


@pytest.mark.parametrize("peer", ["fd00::1", "fd00::1%eth0"])
def test_proxies_may_have_ipv6_addresses(peer: str) -> None:
    """Networks of both versions stand side by side."""
    assert ClientAddresses(["10.0.0.0/8", "fd00::/8"]).client_of(peer, "2001:db8::1") == "2001:db8::1"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example.com", ""])
def test_what_is_no_network_is_refused(text: str) -> None:
    """A name would have to be looked up, and a network with bits of a host is a mistake."""
    with pytest.raises(ValueError, match=r"."):
        ClientAddresses([text])
