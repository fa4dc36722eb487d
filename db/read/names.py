"""Names that searches do not have yet."""

from __future__ import annotations

from sqlalchemy import Engine, select

from db.connection.engine import reading
from db.schema.service import submissions
from db.schema.tables import searches

__all__ = ["free_name"]


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
