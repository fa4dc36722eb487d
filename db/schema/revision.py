"""Which schema a database has: making a new one, and refusing one that this version cannot read.

A new database is made at `HEAD` in one transaction, without Alembic, whose import takes longer than
everything else together; it is stamped as Alembic would, so that later migrations find it.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select, text

from db.schema.service import metadata
from db.schema.tables import HEAD, REVISIONS, identity, searches, suit
from db.schema.views import create_views
from vlga.errors import SchemaVersionError

__all__ = ["create_schema", "require_head", "stored_revision"]

#: Alembic's own table, as Alembic makes it.
_versions = Table(
    "alembic_version",
    MetaData(naming_convention={"pk": "%(table_name)s_pkc"}),
    Column("version_num", String(32), primary_key=True),
)

#: Names Postgres' advisory lock under which a database is made; any fixed number does.
_CREATION_LOCK = 0x766C6761


def stored_revision(connection: Connection, where: str) -> str | None:
    """Give the revision of a database, or None if it is empty.

    Raises:
        SchemaVersionError: it has tables, but not ours.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if not {_versions.name, searches.name} <= tables:
        raise SchemaVersionError(
            f"database {where} must be empty or made by vlga, but it has other tables "
            f"({', '.join(sorted(tables)[:3])}); give --db a database of its own"
        )
    return connection.scalar(select(_versions.c.version_num)) or "none"


def require_head(revision: str, where: str) -> None:
    """Refuse a database of another version.

    Raises:
        SchemaVersionError: its revision is not `HEAD`.
    """
    if revision == HEAD:
        return
    if revision in REVISIONS:
        way_out = "run vlga db upgrade with the same --db"
    else:
        way_out = "install a newer vlga, or give --db another database"
    raise SchemaVersionError(
        f"database {where} must have schema {HEAD!r} for this vlga, but has {revision!r}; {way_out}"
    )


def create_schema(connection: Connection, where: str) -> None:
    """Make all tables and views in the connection's transaction, unless another process just has.

    Raises:
        SchemaVersionError: another process made something else there.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATION_LOCK})
    revision = stored_revision(connection, where)
    if revision is not None:
        require_head(revision, where)
        return
    suit(connection.dialect.name)
    metadata.create_all(connection, checkfirst=False)
    create_views(connection)
    connection.execute(insert(identity).values(id=secrets.token_hex(4)))
    _versions.create(connection)
    connection.execute(insert(_versions).values(version_num=HEAD))
