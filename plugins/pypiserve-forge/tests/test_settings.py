"""Settings that cannot work stop the start, with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pypiserve.core.errors import InvalidSetting
from pypiserve.testing import a_context
from pypiserve_forge import pypiserve_authenticators
from pypiserve_forge.addresses import github_api, read_base_url

_KINDS = {kind.name: kind for kind in pypiserve_authenticators()}


def _build(kind: str, folder: Path, **settings: Any) -> object:
    table = {"url": "https://forge.example", "organisations": ["acme"], **settings}
    return _KINDS[kind].build(_KINDS[kind].settings(**table), a_context("work", folder))


@pytest.mark.parametrize(
    "url",
    [
        "http://forge.example",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        "ftp://127.0.0.1",
        "https://",
        "forge.example",
        "https://user:secret@forge.example",
        "https://forge.example?a=b",
        "https://forge.example#a",
        "https://forge.example:0",
        "https://forge.example:99999",
        "https://förge.example",
        "https://forge.example/a b",
        "",
    ],
)
async def test_addresses_that_secrets_are_not_sent_to(tmp_path: Path, url: str) -> None:
    """Only https is taken, and http to this machine; nothing odd in the address."""
    with pytest.raises(InvalidSetting, match=r"^authenticator 'work': url: .*write it as https://host"):
        _build("gitea", tmp_path, url=url)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://forge.example/", "https://forge.example"),
        ("https://example.com:8443/git/", "https://example.com:8443/git"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_addresses_that_are_taken(url: str, read: str) -> None:
    """Forges may have a path, and may be on this machine."""
    assert read_base_url(url) == read


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://www.github.com", "https://api.github.com"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://github.acme.example", "https://github.acme.example/api/v3"),
        ("https://notgithub.com", "https://notgithub.com/api/v3"),
    ],
)
def test_where_the_api_of_github_is(url: str, api: str) -> None:
    """github.com and ghe.com have hosts for it, an Enterprise Server has a path."""
    assert github_api(url) == api


@pytest.mark.parametrize(
    ("kind", "settings", "problem"),
    [
        ("gitea", {"organisations": ["api"]}, "organisations: 'api' cannot be the name of an owner"),
        ("gitlab", {"organisations": ["acme/tools"]}, "'acme/tools' cannot be the name of an owner; give acme/tools"),
        ("gitlab", {"organisations": ["*"]}, "organisations: this forge has organisations of everybody"),
        ("github", {"organisations": ["*"]}, "organisations: this forge has organisations of everybody"),
        ("github", {"organisations": []}, "organisations: nobody could sign in; name the organisations, or set"),
        ("gitea", {"owners": {"other": "acme"}}, "owners: 'other' is not among the organisations"),
        ("gitea", {"owners": {"acme": "a b"}}, "'a b' cannot be the name of an owner"),
        ("github", {"teams": {"release": "publisher"}}, "teams: 'release' is no team of an organisation"),
        ("github", {"teams": {"other/release": "publisher"}}, "teams: 'other/release' is no team of an organisation"),
        ("github", {"teams": {"acme/": "publisher"}}, "teams: 'acme/' is no team of an organisation"),
        ("gitea", {"ca_file": Path("/nowhere/ca.pem")}, "ca_file: /nowhere/ca.pem cannot be used"),
        ("gitea", {"ca_file": Path(__file__)}, "ca_file: .* cannot be used"),
    ],
)
async def test_what_cannot_work(tmp_path: Path, kind: str, settings: dict[str, Any], problem: str) -> None:
    """The sentence names the setting."""
    with pytest.raises(InvalidSetting, match=problem):
        _build(kind, tmp_path, **settings)
