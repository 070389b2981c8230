"""
Accounts, teams, robots, grants on indexes and projects, tokens that are somebody's, and more words in the journal.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns, and say of every grant and token what the new ones say."""
    _account_tables()
    _team_tables()
    _extend_grants()
    _extend_tokens()
    for column in ("address", "credential", "request_id"):
        op.add_column("events", sa.Column(column, sa.String(64)))


def _account_tables() -> None:
    op.create_table(
        "owner_aliases",
        sa.Column("name_key", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_owner_aliases"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_owner_aliases_owner_id"),
    )
    op.create_index("ix_owner_aliases_owner_id", "owner_aliases", ["owner_id"])
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False, server_default=""),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger),
        sa.Column("disabled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("subject", name="uq_users_subject"),
    )
    op.create_table(
        "robots",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.Integer),
        sa.Column("description", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False, server_default=""),
        sa.Column("disabled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_robots"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_robots_owner_id"),
        sa.UniqueConstraint("name", name="uq_robots_name"),
    )
    op.create_index("ix_robots_owner_id", "robots", ["owner_id"])


def _team_tables() -> None:
    op.create_table(
        "teams",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("owner_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_teams"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_teams_owner_id"),
        sa.UniqueConstraint("owner_id", "name", name="uq_teams_owner_id_name"),
    )
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.Integer, nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "subject", name="pk_team_members"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_team_members_team_id"),
    )
    op.create_index("ix_team_members_subject", "team_members", ["subject"])


def _extend_grants() -> None:
    op.drop_index("uq_grants_server_subject", "grants")
    # A constraint that SQLite cannot drop in place: the table is made anew there, and nothing refers to it.
    with op.batch_alter_table("grants") as batch:
        batch.drop_constraint("uq_grants_owner_id_subject", type_="unique")
        batch.add_column(sa.Column("index_id", sa.Integer))
        batch.add_column(sa.Column("project_pattern", sa.String(200)))
        batch.add_column(sa.Column("team_id", sa.Integer))
        batch.add_column(sa.Column("place", sa.String(240), nullable=False, server_default=""))
        batch.create_foreign_key("fk_grants_index_id", "indexes", ["index_id"], ["id"])
        batch.create_foreign_key("fk_grants_team_id", "teams", ["team_id"], ["id"])
    # As catalog.grants spells it: owner, index and pattern, each empty where there is no limit.
    op.execute("UPDATE grants SET place = owner_id || '//' WHERE owner_id IS NOT NULL")
    op.execute("UPDATE grants SET place = '//' WHERE owner_id IS NULL")
    # Administrators are those of the whole server only; of an owner they were what is called its owner now.
    op.execute("UPDATE grants SET role = 'owner' WHERE role = 'administrator' AND owner_id IS NOT NULL")
    with op.batch_alter_table("grants") as batch:
        batch.create_unique_constraint("uq_grants_subject_place", ["subject", "place"])
    op.create_index("ix_grants_owner_id", "grants", ["owner_id"])
    op.create_index("ix_grants_team_id", "grants", ["team_id"])


def _extend_tokens() -> None:
    with op.batch_alter_table("api_tokens") as batch:
        batch.drop_constraint("uq_api_tokens_name", type_="unique")
        batch.add_column(sa.Column("token_id", sa.String(16), nullable=False, server_default=""))
        batch.add_column(sa.Column("owner_subject", sa.String(255)))
        batch.add_column(sa.Column("scopes", sa.Text))
        batch.add_column(sa.Column("description", sa.Text, nullable=False, server_default=""))
        batch.add_column(sa.Column("not_before", sa.BigInteger))
        batch.add_column(sa.Column("last_used_at", sa.BigInteger))
        batch.add_column(sa.Column("created_by", sa.String(255), nullable=False, server_default=""))
    _fill_token_ids()
    with op.batch_alter_table("api_tokens") as batch:
        batch.create_unique_constraint("uq_api_tokens_token_id", ["token_id"])
    op.create_index("ix_api_tokens_owner_subject", "api_tokens", ["owner_subject"])
    op.create_index(
        "uq_api_tokens_own_name",
        "api_tokens",
        ["name"],
        unique=True,
        sqlite_where=sa.text("owner_subject IS NULL"),
        postgresql_where=sa.text("owner_subject IS NULL"),
    )


def _fill_token_ids() -> None:
    connection = op.get_bind()
    tokens = sa.table("api_tokens", sa.column("id"), sa.column("secret_sha256"), sa.column("token_id"))
    for token, digest in connection.execute(sa.select(tokens.c.id, tokens.c.secret_sha256)).all():
        # Of the hash again: an id is shown, and shall tell nothing of what is looked up.
        token_id = hashlib.sha256(digest.encode()).hexdigest()[:16]
        connection.execute(sa.update(tokens).where(tokens.c.id == token).values(token_id=token_id))
