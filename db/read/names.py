"""Names of searches: which one is meant, and which are free."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, select

from db.connection.engine import reading
from db.schema.service import submissions
from db.schema.tables import searches
from vlga.errors import SearchNotFound, nearest, shown

__all__ = ["find_search_id", "free_name"]


def find_search_id(connection: Connection, name: str) -> int:
    """Give a search's number. Raises `SearchNotFound`, naming the nearest known one."""
    found: int | None = connection.scalar(select(searches.c.id).where(searches.c.name == name))
    if found is None:
        newest = select(searches.c.name).order_by(searches.c.id.desc()).limit(1000)
        hint = _hint(name, connection.scalars(newest).all())
        raise SearchNotFound(f"a search must be in the database, but {shown(name)} is not{hint}")
    return found


def _hint(name: str, known: Sequence[str]) -> str:
    """Say what was probably meant by a name that no search has."""
    if not known:
        return "; the database has no search yet"
    search, colon, number = name.rpartition(":")
    if colon and search in known:
        return f"; its individuals are shown by: vlga individual {shlex.quote(search)} {number}"
    beginning = [one for one in known if one.startswith(f"{name}-")]
    if beginning:
        more = ", ..." if len(beginning) > 5 else ""
        return f"; there are {', '.join(beginning[:5])}{more}"
    return nearest(name, known)


def free_name(engine: Engine, stem: str) -> str:
    """Give a name that no search and no submission has: the stem with the next number."""
    names: set[str] = set()
    with reading(engine) as connection:
        for table in (searches, submissions):
            beginning = table.c.name.startswith(f"{stem}-", autoescape=True)
            names |= set(connection.scalars(select(table.c.name).where(beginning)))
    numbers = [name.removeprefix(f"{stem}-") for name in names]
    taken = [int(one) for one in numbers if one.isascii() and one.isdigit() and len(one) < 10]
    return f"{stem}-{max(taken, default=0) + 1}"
