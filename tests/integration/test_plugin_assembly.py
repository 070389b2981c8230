"""What the settings pick is what runs: without a part the server does without it, and parts of others fit in."""

from __future__ import annotations

import json

import pytest

from pypiserve.core.errors import ConfigurationError, PluginUnusable
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"
ADDED = 'plugins = ["plugin_parts"]\n'


@pytest.mark.parametrize(
    ("renderers", "answers"),
    [
        ('["html", "json"]', {"*/*": HTML, "text/html": HTML, JSON: JSON, f"{JSON}, text/html": HTML}),
        ('["json", "html"]', {"*/*": JSON, "text/html": HTML, JSON: JSON, f"{JSON}, text/html": JSON}),
        ('["json"]', {"*/*": JSON, "text/html": None, JSON: JSON, f"text/html, {JSON};q=0.1": JSON}),
        ('["html"]', {"*/*": HTML, "text/html": HTML, JSON: None, f"{JSON}, text/html;q=0.01": HTML}),
        ('["counted", "html"]', {"*/*": "text/x-counted", "text/html": HTML, "text/x-counted": "text/x-counted"}),
    ],
)
def test_renderers_are_those_of_the_settings(
    make_server: MakeServer, renderers: str, answers: dict[str, str | None]
) -> None:
    """The first decides between equals; a form that nobody writes is 406, and the 406 does not name it."""
    server = make_server(f"{ADDED}renderers = {renderers}")
    server.publish(a_wheel("demo", "1.0"))
    for accept, media_type in answers.items():
        for path in ("/simple/", "/simple/demo/"):
            reply = server.get(path, accept=accept)
            assert reply.status == (406 if media_type is None else 200)
            assert reply.headers["content-type"] == (media_type or "text/plain; charset=utf-8")
            if media_type is None:
                assert accept not in reply.text


def test_without_tokens_other_authenticators_go_on(make_server: MakeServer) -> None:
    """Remove ``token`` from the settings: tokens are not recognised, no administrator's token is made."""
    kinds = '[[authenticators]]\nkind = "crashing"\n'
    server = make_server(ADDED + kinds)
    assert server.token == ""
    with server.catalog() as catalog:
        assert catalog.accounts.list_tokens() == []
    assert server.get("/simple/", token="pypiserve_of_nobody").status == 401
    assert server.get("/simple/").status == 200


def test_a_named_token_authenticator_names_its_subjects(make_server: MakeServer) -> None:
    """With another name in the settings tokens have that name in grants, and work."""
    server = make_server('private = true\n[[authenticators]]\nkind = "token"\nname = "keys"\n')
    assert server.get("/simple/", token=server.token).status == 200
    with server.catalog() as catalog:
        assert [subject for _, subject, _ in catalog.accounts.list_grants()] == ["keys:administrator"]


def test_an_upload_policy_judges_uploads_and_nothing_else(make_server: MakeServer) -> None:
    """Its denial is 403 with its sentence and code; pages do not ask it."""
    server = make_server(f'{ADDED}[[policies]]\nkind = "no-betas"\n')
    assert server.publish(a_wheel("demo", "1.0")).status == 201
    denied = server.publish(a_wheel("demo", "2.0b1"))
    assert (denied.status, denied.text) == (403, "Betas are not welcome\n")
    assert [file["filename"] for file in _files(server.get("/simple/demo/", accept=JSON).body)] == [
        "demo-1.0-py3-none-any.whl"
    ]


def test_a_read_policy_judges_what_is_shown_and_nothing_else(make_server: MakeServer) -> None:
    """What it denies can be published, is on no page, and neither it nor its metadata can be fetched."""
    server = make_server(f'{ADDED}[[policies]]\nkind = "hide-windows"\n')
    hidden, shown = a_wheel("demo", "1.0", tag="py3-none-win32"), a_wheel("demo", "1.0")
    assert [server.publish(built).status for built in (hidden, shown)] == [201, 201]
    for accept in (JSON, "text/html"):
        page = server.get("/simple/demo/", accept=accept).text
        assert (shown.filename in page, hidden.filename in page) == (True, False)
    for suffix in ("", ".metadata"):
        assert server.get(f"/files/demo/1.0/{shown.filename}{suffix}").status == 200
        assert server.get(f"/files/demo/1.0/{hidden.filename}{suffix}").status == 403


def test_a_read_policy_judges_documents_feeds_and_second_addresses(make_server: MakeServer) -> None:
    """What it denies is in none of them, and a project of which it denies all is not found there."""
    server = make_server(f'{ADDED}[[policies]]\nkind = "hide-windows"\n')
    for version, tag in (("1.0", "py3-none-any"), ("2.0", "py3-none-win32")):
        assert server.publish(a_wheel("demo", version, tag=tag)).status == 201
    assert server.publish(a_wheel("windows-only", "1.0", tag="py3-none-win32")).status == 201
    assert list(json.loads(server.get("/mirror/pypi/demo/json").body)["releases"]) == ["1.0"]
    assert server.get("/packages/main/pypi/demo/2.0/demo-2.0-py3-none-win32.whl").status == 403
    for path in ("/rss/updates.xml", "/rss/packages.xml", "/rss/project/demo/releases.xml", "/stats"):
        told = server.get(path).text
        assert ("demo" in told, "2.0</title>" in told, "windows-only" in told) == (True, False, False)
    for path in ("/pypi/windows-only/json", "/rss/project/windows-only/releases.xml"):
        assert server.get(path).status == 404


def _files(page: bytes) -> list[dict[str, object]]:
    files: list[dict[str, object]] = json.loads(page)["files"]
    return files


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('[store]\nkind = "broken"', r"Plugin module plugin_parts: store \(broken\) cannot be built: RuntimeError"),
        ('[store]\nkind = "hollow"', r"Plugin module plugin_parts: hollow built a object, which lacks .* FileStore"),
        ('[store]\nkind = "missing"', r"store\.kind: no installed distribution offers 'missing'.*disk.*memory"),
        ('[[policies]]\nkind = "memory"', r"policies\[0\]\.kind: no installed distribution offers 'memory'"),
        ('[[subscribers]]\nkind = "x"', r"subscribers\[0\]\.kind: no installed distribution offers 'x'"),
    ],
)
def test_a_part_that_does_not_fit_stops_the_start(make_server: MakeServer, settings: str, problem: str) -> None:
    """The sentence names the distribution, or the place in the settings and what there is."""
    with pytest.raises(ConfigurationError, match=problem) as caught:
        make_server(ADDED + settings)
    assert isinstance(caught.value, PluginUnusable) == ("Plugin" in problem)
