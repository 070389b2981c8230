"""How Alembic runs our migrations: on the connection that ``catalog.migrate`` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from pypiserve.catalog.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False, render_as_batch=True)
context.run_migrations()
