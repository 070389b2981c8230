"""
The tables.

Times are whole microseconds since 1970 in UTC, so that they sort, compare and round-trip alike on every database.
Names that users type are kept as written, beside the key by which they are found. Every change here needs a
migration; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

__all__ = [
    "UtcDateTime",
    "api_tokens",
    "blobs",
    "events",
    "files",
    "grants",
    "indexes",
    "journal_head",
    "metadata",
    "owner_aliases",
    "owners",
    "projects",
    "releases",
    "robots",
    "sign_in_failures",
    "subscriber_marks",
    "team_members",
    "teams",
    "users",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC ``datetime``, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Refuse naive times: they would mean something else on every machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the catalog takes aware times only")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the same
        """Return the time in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

owners = Table(
    "owners",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("name_key", String(64), nullable=False, unique=True),  # casefolded
    Column("kind", String(16), nullable=False),  # user, organisation
    Column("visibility", String(16), nullable=False),  # public, internal, private
    Column("created_at", UtcDateTime, nullable=False),
)

owner_aliases = Table(  # names that owners had: their addresses lead on, and nobody else gets them
    "owner_aliases",
    metadata,
    Column("name_key", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("owner_id", ForeignKey("owners.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

indexes = Table(
    "indexes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_id", ForeignKey("owners.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("rules", Text, nullable=False, server_default="{}"),  # JSON: those that are not the default
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),  # of all files that are not deleted
    UniqueConstraint("owner_id", "name"),
)

users = Table(  # people known here by their subject, whoever signs them in
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", String(255), nullable=False, unique=True),
    Column("display_name", String(255), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime),
    Column("disabled_at", UtcDateTime),
)

robots = Table(  # accounts of no person, which own tokens; their subject is robot:NAME
    "robots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("owner_id", ForeignKey("owners.id"), index=True),  # who administers it; NULL: the whole server
    Column("description", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(255), nullable=False, server_default=""),
    Column("disabled_at", UtcDateTime),
)

teams = Table(
    "teams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_id", ForeignKey("owners.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("owner_id", "name"),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team_id", ForeignKey("teams.id"), primary_key=True),
    Column("subject", String(255), primary_key=True, index=True),
    Column("added_at", UtcDateTime, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_id", ForeignKey("owners.id"), index=True),  # NULL: the whole server
    Column("subject", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("index_id", ForeignKey("indexes.id")),  # NULL: all indexes of the owner
    Column("project_pattern", String(200)),  # NULL: all projects
    Column("team_id", ForeignKey("teams.id"), index=True),  # of a subject that is a team
    # The three columns that say where, in one: NULLs are distinct in a unique constraint.
    Column("place", String(240), nullable=False, server_default=""),
    UniqueConstraint("subject", "place"),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("index_id", ForeignKey("indexes.id"), nullable=False),
    Column("name", String(200), nullable=False),  # normalised
    Column("display_name", String(200), nullable=False),
    Column("status", String(16), nullable=False, server_default="active"),
    Column("status_reason", Text),
    Column("last_serial", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),  # of all files that are not deleted
    Column("look", String(200), nullable=False, server_default=""),  # names that look alike have one look
    Column("created_by", String(255), nullable=False, server_default=""),
    UniqueConstraint("index_id", "name"),
    Index(None, "index_id", "look"),
    Index(None, "created_by", "created_at"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("version_key", String(200), nullable=False),  # equal versions have equal keys
    Column("version", String(200), nullable=False),  # as first published
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("project_id", "version_key"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("purged_at", UtcDateTime),  # since when the bytes are gone: all files that name them are deleted for long
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("index_id", ForeignKey("indexes.id"), nullable=False),
    Column("release_id", ForeignKey("releases.id"), nullable=False, index=True),
    Column("filename", String(255), nullable=False),
    Column("filename_key", String(255), nullable=False),  # casefolded: a name never denotes two contents
    Column("kind", String(16), nullable=False),  # sdist, bdist_wheel
    Column("sha256", ForeignKey("blobs.sha256"), nullable=False, index=True),
    Column("core_metadata_sha256", ForeignKey("blobs.sha256"), nullable=False, index=True),
    Column("requires_python", Text),
    Column("uploaded_by", String(255), nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
    Column("yanked", Boolean, nullable=False, server_default=text("false")),
    Column("yanked_reason", Text),
    Column("deleted_at", UtcDateTime),
    Column("md5", String(32)),  # NULL for files from before they were kept
    Column("blake2b_256", String(64)),  # likewise
    Column("warnings", Text, nullable=False, server_default="[]"),  # JSON: [{"code": …, "message": …}]
    UniqueConstraint("index_id", "filename_key"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("token_id", String(16), nullable=False, server_default="", unique=True),  # for people and the audit
    Column("owner_subject", String(255), index=True),  # whose it is; NULL: it is its own subject, token:NAME
    Column("scopes", Text),  # JSON: a list of scopes, of which one must admit what is done; NULL: no limit
    Column("description", Text, nullable=False, server_default=""),
    Column("not_before", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("created_by", String(255), nullable=False, server_default=""),
)
# The name of a token that is its own subject is never used again; somebody's tokens may be called alike.
Index(
    "uq_api_tokens_own_name",
    api_tokens.c.name,
    unique=True,
    sqlite_where=api_tokens.c.owner_subject.is_(None),
    postgresql_where=api_tokens.c.owner_subject.is_(None),
)

journal_head = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True),  # one row, id 1
    Column("serial", BigInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("serial", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("owner", String(64)),
    Column("index_name", String(64)),
    Column("project", String(200)),
    Column("version", String(200)),
    Column("filename", String(255)),
    Column("detail", Text, nullable=False, server_default=""),
    Column("address", String(64)),
    Column("credential", String(64)),
    Column("request_id", String(64)),
)

sign_in_failures = Table(  # beside the journal, which mirrors and servers read: strangers decide how many there are
    "sign_in_failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),  # the minute
    Column("address", String(64), nullable=False),  # of IPv6 the /64; empty: of many
    Column("code", String(64), nullable=False),
    Column("credential", String(64), nullable=False, server_default=""),
    Column("request_id", String(64), nullable=False, server_default=""),  # of the first
    Column("times", Integer, nullable=False),
)

subscriber_marks = Table(
    "subscriber_marks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("serial", BigInteger, nullable=False),
)
