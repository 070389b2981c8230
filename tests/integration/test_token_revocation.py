"""Every process of a server, and every server of a data folder, knows at once what became of a token or a robot."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path

from catalog_parts import open_database
from command_line import call
from raw_http import RawConnection
from server_process import ServerProcess

from pypiserve.catalog import tokens
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.identity import Action, Role, Scope
from pypiserve.services.grants import PlaceNames
from pypiserve.services.token_terms import TokenTerms
from pypiserve.testing.fixtures import MakeServer

LIST = "/api/packages/main/pypi/simple/"
WORKERS = 3


def test_two_servers_on_one_folder_agree(make_server: MakeServer) -> None:
    """In the next request after each change, whichever of them is asked."""
    first = make_server("private = true")
    servers = [first, make_server("private = true", folder=first.folder)]
    with first.catalog() as catalog:
        accounts = catalog.accounts
        accounts.robots.create("ci", owner="main")
        accounts.grants.grant("robot:ci", Role.READER, PlaceNames("main"))
        reads = TokenTerms([Scope(actions=frozenset({Action.READ}))])
        one, two = (accounts.tokens.create(name, "robot:ci", reads) for name in ("one", "two"))

        def statuses() -> list[set[int]]:
            return [{server.get(LIST, token=made.secret).status for server in servers} for made in (one, two)]

        assert statuses() == [{200}, {200}]
        accounts.robots.set_disabled("ci", disabled=True)
        assert statuses() == [{401}, {401}]
        accounts.robots.set_disabled("ci", disabled=False)
        assert statuses() == [{200}, {200}]
        accounts.tokens.revoke(one.record.token_id)
        assert statuses() == [{401}, {200}]
        accounts.grants.withdraw("robot:ci", PlaceNames("main"))
        assert statuses() == [{401}, {404}]
        accounts.robots.delete("ci")
        assert statuses() == [{401}, {401}]


def test_a_revoked_token_is_refused_by_every_worker(tmp_path: Path) -> None:
    """All of them had let it in before; and the uses that each has seen are written down at the stop."""
    with ServerProcess(tmp_path, "--private", PYPISERVE_WORKERS=str(WORKERS)) as server:
        for name in ("used", "revoked", "unused"):
            call("robot", "create", f"{name}-ci", "--owner", "main", folder=tmp_path)
            call("role", "grant", "reader", f"robot:{name}-ci", "--owner", "main", folder=tmp_path)
        made = {
            name: call("token", "create", name, "--for", f"robot:{name}-ci", folder=tmp_path).stdout.strip()
            for name in ("used", "revoked", "unused")
        }
        server.secrets.note(made["used"])
        server.secrets.note(made["revoked"])
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(RawConnection(server)) for _ in range(8 * WORKERS)]

            def statuses(name: str) -> set[int]:
                found = set()
                for connection in connections:
                    connection.ask("GET", LIST, more={"Authorization": f"Bearer {made[name]}"})
                    found.add(connection.reply().status)
                return found

            assert (statuses("used"), statuses("revoked")) == ({200}, {200})
            assert call("token", "revoke", "revoked", folder=tmp_path).returncode == 0
            assert (statuses("used"), statuses("revoked")) == ({200}, {401})
            call("robot", "disable", "used-ci", folder=tmp_path)
            assert statuses("used") == {401}
        assert [row["last_used_at"] for row in listed(tmp_path) if row["name"] != "administrator"] == [None] * 3
        assert server.end(signal.SIGTERM) == 0
    uses = {row["name"]: row["last_used_at"] for row in listed(tmp_path)}
    assert uses["unused"] is None
    assert uses["used"] is not None
    assert uses["revoked"] is not None


def listed(folder: Path) -> list[dict[str, str | None]]:
    """Return what the command line lists of tokens."""
    found: list[dict[str, str | None]] = json.loads(call("token", "list", "--json", folder=folder).stdout)
    return found


def test_uses_are_written_at_the_stop_and_change_nothing(make_server: MakeServer) -> None:
    """No event tells of a use, and a token that was refused was not used."""
    server = make_server("private = true")
    with server.catalog() as catalog:
        accounts = catalog.accounts
        good, revoked = (
            accounts.create_token(name, Role.READER, owner="main").secret for name in ("good", "revoked")
        )
        accounts.revoke_token("revoked")
    assert [server.get(LIST, token=secret).status for secret in (good, revoked)] == [200, 401]
    serial = server.get(LIST, token=good).headers["x-pypi-last-serial"]
    server.stop()
    database = open_database(server.folder / "pypiserve-data")
    found = {token.name: token for token in database.read_now(tokens.list_tokens)}
    database.close()
    assert [was_used(found[name]) for name in ("good", "revoked")] == [True, False]
    again = make_server("private = true", folder=server.folder)
    assert again.get(LIST, token=good).headers["x-pypi-last-serial"] == serial


def was_used(token: TokenRecord) -> bool:
    """Tell whether a token was used after it was made."""
    return token.last_used_at is not None and token.last_used_at >= token.created_at
