"""Bringing a database from an older schema to this version's, with Alembic.

Only `vlga db upgrade` and the tests come here: opening a database needs no Alembic (revision.py).
All revisions of an upgrade are one transaction; a failure leaves the database as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from db.connection.engine import build_engine, disposing, reading, require_file, writing
from db.connection.urls import masked
from db.schema.revision import require_head, stored_revision
from db.schema.tables import HEAD, REVISIONS
from vlga.errors import StoreError

__all__ = ["MIGRATIONS", "current", "migrating", "upgrade"]

#: Alembic's environment with the revisions.
MIGRATIONS = Path(__file__).parent.parent / "migrations"


def current(url: str) -> str | None:
    """Give the revision of a database, or None if it is empty.

    Raises:
        StoreError: there is no database, or it cannot be read.
        SchemaVersionError: it was not made by vlga.
    """
    with disposing(build_engine(url)) as engine:
        require_file(engine)
        with reading(engine) as connection:
            return stored_revision(connection, masked(engine.url))


def upgrade(url: str) -> str:
    """Bring a database to `HEAD`; nothing happens if it is there already.

    Returns:
        What was done, for a person.

    Raises:
        StoreError: there is no database, or it cannot be read or written.
        SchemaVersionError: it was made by a newer version, or not by vlga.
    """
    revision = current(url)
    if revision == HEAD:
        return f"database {masked(url)} has schema {HEAD!r} already"
    if revision is not None and revision not in REVISIONS:
        require_head(revision, masked(url))
    with migrating(url) as connection:
        command.upgrade(_config(connection), "head")
    before = "it was empty" if revision is None else f"it had {revision!r}"
    return f"database {masked(url)} now has schema {HEAD!r}; {before}"


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """Give a connection to change the schema on, in one transaction.

    SQLite must not enforce foreign keys meanwhile: to change a table it rebuilds it, and dropping
    the old one would delete, by cascade, every row that refers to it. They are checked at the end.
    Nor must it mind that the old table's views have nothing to show between the two.

    Raises:
        StoreError: a foreign key leads nowhere at the end; or whatever the database refuses.
    """
    with (
        disposing(build_engine(url, foreign_keys=False)) as engine,
        writing(engine) as connection,
    ):
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
        yield connection
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise StoreError(
                    f"database {masked(engine.url)}: rows must refer to rows that exist, but "
                    f"one of table {broken[0]!r} does not; nothing was changed, "
                    "run: vlga db check"
                )


def _config(connection: Connection) -> Config:
    config = Config()
    # Alembic's settings know "%" as the start of an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
