"""
Bringing a database's schema to the state that this version needs.

Alembic is imported only when there is something to do: it costs more than the rest of a start together.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from pypiserve.core.errors import ConfigurationError

__all__ = ["HEAD_REVISION", "migrate"]

HEAD_REVISION = "0004"
"""The newest migration; a test holds it against the folder of migrations."""


class UnknownSchema(ConfigurationError):
    """The catalog was written by a version of pypiserve that this one does not know."""

    code = "unknown-schema"

    def __init__(self, revision: str) -> None:
        super().__init__(revision)
        self.revision = revision

    def __str__(self) -> str:
        return (
            f"The catalog has schema {self.revision}, and this version of pypiserve knows it up to {HEAD_REVISION}; "
            "start the newer version that last used this data folder."
        )


class CatalogUnusable(ConfigurationError):
    """The database cannot be opened."""

    code = "catalog-unusable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"The catalog in the data folder cannot be used ({self.reason}); "
            "see that catalog.sqlite3 and its folder may be written, or restore it from a backup."
        )


def migrate(engine: Engine) -> None:
    """
    Create or upgrade the schema; do nothing when it is current.

    Raises:
        UnknownSchema: A newer version has been here.
        CatalogUnusable: The file is no database, may not be written, or is locked for too long.
    """
    try:
        with engine.connect() as connection:
            revision = _revision(connection)
        if revision is not None and revision > HEAD_REVISION:
            raise UnknownSchema(revision)
        if revision != HEAD_REVISION:
            _upgrade(engine)
    except DBAPIError as error:
        raise CatalogUnusable(str(error.orig)) from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(engine: Engine) -> None:
    # Imported here: a start that has nothing to migrate does not pay for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    # One transaction from the look at the version to the last change: two processes that start at the same time
    # on an empty folder do not both create the tables.
    with engine.connect().execution_options(pypiserve_writes=True) as connection:
        # Begun here: a transaction of its own Alembic would end after each migration.
        connection.begin()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
