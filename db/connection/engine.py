"""Opening a database, and the two kinds of transaction: `reading` and `writing`.

SQLite runs in WAL mode, in which readers and the writer never wait for each other, and with
``synchronous=FULL``: a commit is on the disk before it returns, so that a recorded evaluation
survives a power cut. Postgres does the same by default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from db.connection.errors import store_errors
from db.connection.interrupts import uninterrupted
from db.connection.urls import masked, parse_url, sqlite_file
from db.schema.revision import create_schema, require_head, stored_revision
from vlga.errors import StoreError

__all__ = [
    "build_engine",
    "database_file",
    "disposing",
    "open_engine",
    "opened",
    "reading",
    "require_file",
    "use_wal",
    "writing",
]

#: How long one writer waits for another one on the same SQLite file.
_LOCK_SECONDS = 30

#: How soon a Postgres server that the network hides is noticed, instead of after a quarter of an
#: hour: when connecting, with something sent and not received, and with nothing to send.
_NETWORK = {
    "connect_timeout": 10,
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def build_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Give an engine with our settings; the database is not looked at yet.

    Args:
        url: as `parse_url` takes.
        foreign_keys: whether SQLite enforces them; only a migration, which may rebuild tables, must
            not.

    Raises:
        StoreError: the URL is malformed or its driver missing.
    """
    parsed = parse_url(url)
    options: dict[str, Any] = {"json_serializer": partial(json.dumps, separators=(",", ":"))}
    if parsed.drivername == "sqlite":
        if (parsed.database or ":memory:") == ":memory:":
            options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        elif "timeout" not in parsed.query:
            options["connect_args"] = {"timeout": _LOCK_SECONDS}
    else:
        options["pool_pre_ping"] = True  # a server that was restarted does not end a search
        options["connect_args"] = {
            name: value for name, value in _NETWORK.items() if name not in parsed.query
        }
    with store_errors(masked(parsed)):
        engine = create_engine(parsed, **options)
    if parsed.drivername == "sqlite":
        _configure_sqlite(engine, foreign_keys=foreign_keys)
    return engine


def open_engine(url: str, *, create: bool = False) -> Engine:
    """Open a database that has the schema of this version; the caller disposes of the engine.

    Args:
        url: as `parse_url` takes.
        create: make the schema, and SQLite's file, if there is none.

    Raises:
        StoreError: the URL is malformed; there is no database (without `create`); it cannot be
            reached or read.
        SchemaVersionError: it was made by another version, or not by vlga.
    """
    engine = build_engine(url)
    where = masked(engine.url)
    try:
        if not create:
            require_file(engine)
        with reading(engine) as connection:
            revision = stored_revision(connection, where)
        if revision is not None:
            require_head(revision, where)
        elif create:
            with writing(engine) as connection:
                create_schema(connection, where)
        else:
            raise _no_database(where)
    except StoreError:
        engine.dispose()
        raise
    return engine


@contextmanager
def opened(url: str, *, create: bool = False) -> Iterator[Engine]:
    """Open a database for as long as the block takes. Arguments and errors are `open_engine`'s."""
    with disposing(open_engine(url, create=create)) as engine:
        yield engine


@contextmanager
def disposing(engine: Engine) -> Iterator[Engine]:
    """Give an engine to the block, and let its connections go afterwards."""
    try:
        yield engine
    finally:
        engine.dispose()


def require_file(engine: Engine) -> None:
    """Refuse an SQLite file that does not exist, which connecting would make.

    Raises:
        StoreError: there is no such file.
    """
    if engine.dialect.name == "sqlite":
        file = sqlite_file(engine.url)
        if file is not None and not file.exists():
            raise _no_database(masked(engine.url))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose reads all see the database as it was at the first of them.

    Raises:
        StoreError: for whatever the database refuses.
    """
    with store_errors(masked(engine.url)), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose writes happen together at the end, or not at all on an exception.

    On SQLite the write lock is taken at once: a transaction that begins by reading could not wait
    for another writer later, it would fail. `interrupt` waits for the end.

    Raises:
        StoreError: for whatever the database refuses.
    """
    with uninterrupted(), store_errors(masked(engine.url)), engine.connect() as connection:
        connection.execution_options(vlga_begin="BEGIN IMMEDIATE")
        with connection.begin():
            yield connection


def database_file(engine: Engine) -> Path | None:
    """Give the absolute path of an SQLite database's file, as SQLite itself has it open.

    None for a database in memory, and on Postgres.

    Raises:
        StoreError: the database cannot be read.
    """
    if engine.dialect.name != "sqlite":
        return None
    with reading(engine) as connection:
        (name,) = connection.exec_driver_sql(
            "SELECT file FROM pragma_database_list WHERE name = 'main'"
        ).scalars()
    return Path(name) if name else None


def use_wal(engine: Engine) -> None:
    """Put an SQLite file into WAL mode, which it keeps; nothing to do on Postgres.

    The writer does this once it knows that the file is ours: the mode is part of the file.
    """
    if engine.dialect.name == "sqlite":
        with store_errors(masked(engine.url)):
            connection = engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                connection.close()


def _no_database(where: str) -> StoreError:
    return StoreError(f"no database at {where}; start a search first or give --db (or VLGA_DB)")


def _configure_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    """Set what SQLite forgets with every connection, and begin transactions ourselves.

    Python's driver begins a transaction only before the first write, so that reads before it would
    lie outside; hence its autocommit mode and an explicit BEGIN.
    """

    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    def begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("vlga_begin", "BEGIN")
        connection.exec_driver_sql(statement)

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", begin)
