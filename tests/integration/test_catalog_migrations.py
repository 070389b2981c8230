"""The catalog's schema: what its migrations make of it, from every version on."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from catalog_parts import an_event, open_database

import pypiserve.catalog
from pypiserve.catalog import grants, journal, owners, tokens
from pypiserve.catalog.database import Database
from pypiserve.catalog.migrate import HEAD_REVISION, migrate
from pypiserve.catalog.schema import metadata
from pypiserve.core.errors import ConfigurationError
from pypiserve.core.index_rules import IndexRules
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty catalog with its schema."""
    database = open_database(tmp_path)
    migrate(database.engine)
    yield database
    database.close()


def test_the_newest_migration_is_the_one_that_the_start_looks_for() -> None:
    """A migration that was added without raising HEAD_REVISION would never run."""
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(pypiserve.catalog.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


def test_all_migrations_are_one_transaction(tmp_path: Path) -> None:
    """From empty to the newest: two processes that start at once take turns, and a crash leaves nothing."""
    database = open_database(tmp_path)
    told: list[str] = []

    @sa.event.listens_for(database.engine, "connect")
    def _trace(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(told.append)

    migrate(database.engine)
    words = [statement.split()[0] for statement in told]
    assert told.count("BEGIN IMMEDIATE") == words.count("COMMIT") == 1
    assert not any(word == "CREATE" for word in words[words.index("COMMIT") :])
    database.close()


def test_the_tables_are_what_the_migrations_make(database: Database) -> None:
    """Schema and migrations say the same, so that a change of one without the other fails here."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_schema_of_the_tables_is_the_schema_of_the_migrations_to_the_letter(database: Database) -> None:
    """Indexes, uniqueness and defaults agree too, which the comparison above does not see in full."""
    plain = sa.create_engine("sqlite://")
    metadata.create_all(plain)

    def shape(engine: sa.Engine) -> dict[str, object]:
        found = sa.inspect(engine)
        return {
            table: (
                sorted(
                    (column["name"], str(column["type"]), column["nullable"], column["default"] or "")
                    for column in found.get_columns(table)
                ),
                sorted(
                    (index["name"] or "", index["column_names"], index["unique"])
                    for index in found.get_indexes(table)
                ),
                sorted(
                    (unique["name"] or "", unique["column_names"]) for unique in found.get_unique_constraints(table)
                ),
                sorted((key["constrained_columns"], key["referred_table"]) for key in found.get_foreign_keys(table)),
            )
            for table in found.get_table_names()
            if table != "alembic_version"
        }

    assert shape(database.engine) == shape(plain)
    plain.dispose()


def test_migrating_again_changes_nothing(database: Database) -> None:
    """A start on a current catalog leaves it as it is."""
    database.write_now(lambda connection: journal.append(connection, an_event()))
    migrate(database.engine)
    assert database.read_now(journal.head) == 1


def empty_catalog(folder: Path, revision: str) -> Path:
    """Make the tables as they were after a migration."""
    database = open_database(folder)
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(pypiserve.catalog.__file__).parent / "migrations"))
    with database.engine.connect().execution_options(pypiserve_writes=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    database.close()
    return folder / "catalog.sqlite3"


def catalog_of_0001(folder: Path) -> Path:
    """Make a catalog as the first version left it, with two projects, a deleted file and an empty index."""
    path = empty_catalog(folder, "0001")
    digests = {name: name * 64 for name in "abc"}
    files: list[tuple[int, int, str, str, int | None]] = [
        (1, 1, "foo_oil-1.0.tar.gz", "a", None),
        (2, 1, "foo_oil-1.0-py3-none-any.whl", "b", None),
    ]
    files += [(3, 2, "bar-1.0.tar.gz", "b", None), (4, 2, "bar-1.0-py3-none-any.whl", "a", 5)]
    with contextlib.closing(sqlite3.connect(path)) as catalog, catalog:
        catalog.execute("INSERT INTO owners VALUES (1, 'main', 'main', 'organisation', 'public', 1)")
        catalog.executemany("INSERT INTO indexes VALUES (?, 1, ?, 1)", [(1, "pypi"), (2, "empty")])
        projects = [(1, "foo-oil", "Foo.Oil"), (2, "bar", "bar")]
        catalog.executemany("INSERT INTO projects VALUES (?, 1, ?, ?, 'active', NULL, 1, 1)", projects)
        catalog.executemany("INSERT INTO releases VALUES (?, ?, '1', '1.0', 1)", [(1, 1), (2, 2)])
        blobs = [(digests["a"], 100), (digests["b"], 30), (digests["c"], 7)]
        catalog.executemany("INSERT INTO blobs VALUES (?, ?, 1)", blobs)
        catalog.executemany(
            "INSERT INTO files (id, index_id, release_id, filename, filename_key, kind, sha256, "
            "core_metadata_sha256, uploaded_by, uploaded_at, deleted_at) "
            "VALUES (?, 1, ?, ?, ?, 'x', ?, ?, 'token:ci', 1, ?)",
            [(key, release, name, name, digests[blob], digests["c"], at) for key, release, name, blob, at in files],
        )
    return path


def test_a_catalog_of_the_first_version_is_brought_up(tmp_path: Path) -> None:
    """Nothing is lost, and what later versions count and compare is there: sizes, looks, default rules."""
    path = catalog_of_0001(tmp_path)
    database = open_database(tmp_path)
    migrate(database.engine)
    index = database.read_now(lambda connection: owners.find_index(connection, "main", "pypi"))
    database.close()
    assert index is not None
    assert index.rules == IndexRules()
    with contextlib.closing(sqlite3.connect(path)) as catalog:
        projects = catalog.execute("SELECT name, look, size_bytes FROM projects ORDER BY id").fetchall()
        indexes = catalog.execute("SELECT name, size_bytes FROM indexes ORDER BY id").fetchall()
        count = catalog.execute("SELECT count(*) FROM files WHERE warnings = '[]' AND md5 IS NULL").fetchone()
        unpurged = catalog.execute("SELECT count(*) FROM blobs WHERE purged_at IS NULL").fetchone()
    assert projects == [("foo-oil", "f00011", 130), ("bar", "bar", 30)]
    assert indexes == [("pypi", 160), ("empty", 0)]
    assert (count, unpurged) == ((4,), (3,))


def test_rights_of_the_second_version_are_brought_up(tmp_path: Path) -> None:
    """Every grant and token works as before; who administered an owner is what is called its owner now."""
    path = empty_catalog(tmp_path, "0002")
    with contextlib.closing(sqlite3.connect(path)) as catalog, catalog:
        rows = [(1, "main", "main"), (2, "Acme", "acme")]
        catalog.executemany("INSERT INTO owners VALUES (?, ?, ?, 'organisation', 'private', 1)", rows)
        given: list[tuple[int | None, str, str]] = [
            (1, "token:ci", "publisher"),
            (1, "htpasswd:alice", "administrator"),
            (2, "htpasswd:alice", "reader"),
            (None, "token:root", "administrator"),
            (None, "htpasswd:alice", "reader"),
        ]
        catalog.executemany("INSERT INTO grants (owner_id, subject, role, created_at) VALUES (?, ?, ?, 5)", given)
        held = [("ci", "a" * 64, None, None), ("root", "b" * 64, 9, 8)]
        catalog.executemany(
            "INSERT INTO api_tokens (name, secret_sha256, created_at, expires_at, revoked_at) VALUES (?, ?, 5, ?, ?)",
            held,
        )
        catalog.execute("INSERT INTO events (serial, at, kind, subject) VALUES (1, 5, 'owner.created', 'operator')")
        catalog.execute("UPDATE journal_head SET serial = 1")
    database = open_database(tmp_path)
    migrate(database.engine)
    found = database.read_now(grants.list_grants)
    alice = database.read_now(lambda connection: grants.standing_of(connection, "htpasswd:alice"))
    known = database.read_now(tokens.list_tokens)
    (event,) = database.read_now(lambda connection: journal.since(connection, 0))
    database.close()
    assert {(grant.owner, grant.subject, grant.role.value, grant.place) for grant in found} == {
        ("main", "token:ci", "publisher", "main"),
        ("main", "htpasswd:alice", "owner", "main"),
        ("Acme", "htpasswd:alice", "reader", "Acme"),
        (None, "token:root", "administrator", "the whole server"),
        (None, "htpasswd:alice", "reader", "the whole server"),
    }
    assert {owner: [grant.role.value for grant in held] for owner, held in alice.by_owner.items()} == {
        None: ["reader"],
        1: ["owner"],
        2: ["reader"],
    }
    assert [(token.name, token.secret_sha256[0], token.revoked_at is None) for token in known] == [
        ("ci", "a", True),
        ("root", "b", False),
    ]
    assert len({token.token_id for token in known} - {""}) == 2
    assert (event.address, event.credential, event.request_id) == (None, None, None)


def test_a_newer_schema_is_refused(make_server: MakeServer) -> None:
    """An older version must not touch what a newer one wrote; the sentence says which is which."""
    server = make_server()
    server.stop()
    file = server.folder / "pypiserve-data" / "catalog.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(ConfigurationError, match=f"schema 9999.*up to {HEAD_REVISION}"):
        ServerUnderTest(server.folder).start()
