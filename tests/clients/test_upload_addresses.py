"""Every address that users configure for uploads takes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clients.listing import listed_digests
from clients.publishers import Publisher
from clients.server import Server
from clients.versions import Client, newest

BASE = "/api/packages/main/pypi"
# Without and with the slash, for no client follows a redirect; then the aliases that PyPI's address suggests;
# then the same at the host's root, which is another way to the same index.
ADDRESSES = [BASE, f"{BASE}/", f"{BASE}/legacy", f"{BASE}/legacy/", "", "/", "/legacy", "/legacy/"]


@pytest.mark.parametrize("path", ADDRESSES)
def test_upload_address(path: str, publisher: Callable[[Client], Publisher], server: Server) -> None:
    """A file published at the address is listed in the index."""
    author = publisher(newest("twine"))
    published = author.publish(server.upload(path))
    assert published.succeeded, published.report
    assert listed_digests(server, author.project.name) == author.project.digests


def test_upload_to_simple_page(publisher: Callable[[Client], Publisher], server: Server) -> None:
    """The simple API's address, often pasted by mistake, gets a 405, from which uv infers the mistake."""
    refused = publisher(newest("uv")).publish(server.upload(f"{BASE}/simple/"))
    assert not refused.succeeded, refused.report
    assert "are you using the simple index URL instead of the upload URL" in refused.output, refused.report
