"""
Rules of indexes, quotas, more digests, warnings, and blobs whose bytes are gone.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pypiserve.core.names import look_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and fill in what follows from what is there."""
    op.add_column("indexes", sa.Column("rules", sa.Text, nullable=False, server_default="{}"))
    op.add_column("indexes", sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("projects", sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("projects", sa.Column("look", sa.String(200), nullable=False, server_default=""))
    op.add_column("projects", sa.Column("created_by", sa.String(255), nullable=False, server_default=""))
    op.add_column("files", sa.Column("md5", sa.String(32)))
    op.add_column("files", sa.Column("blake2b_256", sa.String(64)))
    op.add_column("files", sa.Column("warnings", sa.Text, nullable=False, server_default="[]"))
    op.add_column("blobs", sa.Column("purged_at", sa.BigInteger))
    op.create_index("ix_projects_index_id_look", "projects", ["index_id", "look"])
    op.create_index("ix_projects_created_by_created_at", "projects", ["created_by", "created_at"])
    _fill_looks()
    _fill_sizes()


def _fill_looks() -> None:
    connection = op.get_bind()
    projects = sa.table("projects", sa.column("id"), sa.column("name"), sa.column("look"))
    rows = connection.execute(sa.select(projects.c.id, projects.c.name)).all()
    for project_id, name in rows:
        connection.execute(sa.update(projects).where(projects.c.id == project_id).values(look=look_of(name)))


def _fill_sizes() -> None:
    op.execute(
        """
        UPDATE projects SET size_bytes = COALESCE((
            SELECT SUM(blobs.size_bytes) FROM files
            JOIN blobs ON blobs.sha256 = files.sha256
            JOIN releases ON releases.id = files.release_id
            WHERE releases.project_id = projects.id AND files.deleted_at IS NULL
        ), 0)
        """
    )
    op.execute(
        """
        UPDATE indexes SET size_bytes = COALESCE((
            SELECT SUM(projects.size_bytes) FROM projects WHERE projects.index_id = indexes.id
        ), 0)
        """
    )
