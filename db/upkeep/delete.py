"""Taking a search out of a database, and finding out which files went with it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, delete, select

from db.connection.engine import reading, writing
from db.read.folder import files_folder
from db.read.leases import read_lease
from db.read.names import find_search_id
from db.schema.service import submissions
from db.schema.tables import artifacts, searches
from vlga.errors import ConfigError
from vlga.ports.lease import is_in_force

__all__ = ["delete_search", "require_deletable"]


def require_deletable(engine: Engine, name: str) -> None:
    """Refuse what `delete_search` would refuse; nothing is changed.

    Raises:
        SearchNotFound: no search of that name.
        ConfigError: it is running.
    """
    with reading(engine) as connection:
        _find(connection, name)


def delete_search(engine: Engine, name: str) -> tuple[Path, ...]:
    """Delete a search and its submission with all rows; its files are left to the caller.

    Files go after their rows: a file that nobody names takes room, but a row that names a missing
    file is damage.

    Returns:
        Paths of the files that only this search named, absolute, in order; only such as lie in the
        folder of this database's files.

    Raises:
        SearchNotFound: no search of that name.
        ConfigError: it is running.
    """
    folder = files_folder(engine)
    with writing(engine) as connection:
        search_id = _find(connection, name, is_kept=True)
        mine = artifacts.c.search_id == search_id
        others = select(artifacts.c.path).where(~mine)
        statement = select(artifacts.c.path).distinct().where(mine, artifacts.c.path.not_in(others))
        names = [*connection.scalars(statement.order_by(artifacts.c.path))]
        # Everything else refers to it and goes with it; nor is it wanted any more.
        connection.execute(delete(searches).where(searches.c.id == search_id))
        connection.execute(delete(submissions).where(submissions.c.name == name))
    places = [folder / name for name in names]
    return tuple(one for one in places if one.is_relative_to(folder) and ".." not in one.parts)


def _find(connection: Connection, name: str, *, is_kept: bool = False) -> int:
    """Give a search's number; with `is_kept` nobody changes its row until the transaction ends."""
    search_id = find_search_id(connection, name)
    if is_kept:
        connection.execute(
            select(searches.c.id).where(searches.c.id == search_id).with_for_update()
        )
    lease = read_lease(connection, search_id)
    if lease is not None and is_in_force(lease):
        raise ConfigError(
            f"a search must not be running to be deleted, but {name!r} is, by {lease}; "
            f"stop it with: vlga stop {name}"
        )
    return search_id
