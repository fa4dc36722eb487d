"""What is wrong with a database: `check` reads all of it and every file that it names.

Findings are values, for `vlga db check` to print; only a database that cannot be opened raises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, case, func, select

from db.connection.engine import opened, reading
from db.read.folder import files_folder
from db.schema.tables import artifacts, evaluations, searches

__all__ = ["Finding", "check", "check_connection"]


_NO_FOLDER = (
    "files of weights, {} of them, should be in this folder, but it is not there; bring it back, "
    "or run this in the folder in which the searches ran"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        where: the database's file or table, the search, or the artifact's file.
        what: what is wrong there, for a person.
    """

    where: str
    what: str


def check(url: str) -> tuple[Finding, ...]:
    """Look for damage in a database and in the files that it names; nothing is changed.

    Args:
        url: of the database.

    Raises:
        StoreError: it cannot be opened, or is so damaged that it cannot be read through.
        SchemaVersionError: it was made by another version.
    """
    with opened(url) as engine, reading(engine) as connection:
        findings = check_connection(connection)
        if findings:  # what a damaged database says of files is not worth looking at
            return findings
        statement = select(artifacts.c.path, artifacts.c.sha256).distinct()
        files = connection.execute(statement.order_by(artifacts.c.path)).all()
        is_running = searches.c.status == "running"
        folder = files_folder(engine)
        running = set(connection.scalars(select(searches.c.name).where(is_running)))
    if files and not folder.exists():
        return (Finding(str(folder), _NO_FOLDER.format(len(files))),)
    named = {folder / path: sha256 for path, sha256 in files}
    damaged = [one for path, sha256 in named.items() for one in _file(path, sha256)]
    return (*damaged, *_orphans(folder, named, running))


def check_connection(connection: Connection) -> tuple[Finding, ...]:
    """Look for damage in the database alone."""
    return tuple(_damage(connection)) or tuple(_miscounts(connection))


def _damage(connection: Connection) -> Iterator[Finding]:
    """Ask SQLite itself; Postgres keeps its files and foreign keys whole without being asked."""
    if connection.dialect.name != "sqlite":
        return
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding("the database's file", line)
    for table, row_id, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield Finding(f"table {table}", f"row {row_id} refers to no row of {parent}")


def _miscounts(connection: Connection) -> Iterator[Finding]:
    """Compare the counts kept in `searches` with the rows."""

    def count(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    columns = evaluations.c
    is_failure = columns.reason.is_not(None)
    statement = (
        select(
            searches.c.name,
            searches.c.n_completed,
            searches.c.n_failed,
            searches.c.n_reused,
            count(columns.reused.is_(False) & ~is_failure).label("completed"),
            count(columns.reused.is_(False) & is_failure).label("failed"),
            count(columns.reused.is_(True)).label("reused"),
        )
        .join_from(
            searches,
            evaluations,
            (columns.search_id == searches.c.id) & columns.is_final.is_(False),
            isouter=True,
        )
        .group_by(searches.c.id)
        .order_by(searches.c.id)
    )
    for row in connection.execute(statement):
        yield from _miscount(row)


def _miscount(row: Any) -> Iterator[Finding]:
    kept = (row.n_completed, row.n_failed, row.n_reused)
    counted = (row.completed, row.failed, row.reused)
    if kept != counted:
        message = f"completed, failed and reused should be {counted}, but are kept as {kept}"
        yield Finding(f"search {row.name!r}", message)


def _file(path: Path, sha256: str) -> Iterator[Finding]:
    """Compare one artifact's file with its checksum."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        yield Finding(str(path), f"the file cannot be read: {error.strerror}")
        return
    if found != sha256:
        yield Finding(str(path), f"its SHA-256 should be {sha256}, but is {found}")


def _orphans(folder: Path, named: Collection[Path], running: Collection[str]) -> Iterator[Finding]:
    """Find files that no search names.

    Args:
        folder: of this database alone, with a folder for each search; need not exist.
        named: absolute paths of the files that belong to a search.
        running: searches whose folders are left out: a file is written before it is named.
    """
    for path in sorted(folder.rglob("*")):
        owner = path.relative_to(folder).parent.as_posix()
        if path.is_file() and path not in named and owner not in running:
            yield Finding(str(path), "no search of this database names this file")
