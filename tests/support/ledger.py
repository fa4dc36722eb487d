"""All that a search leaves in its database, to be compared with what another run left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from db.connection.engine import open_engine, reading
from db.schema import tables

#: Who wants what, and where a search stands at the moment: no part of what it found.
OTHER_TABLES = {"submissions", "actions", "tokens", "sessions", "progress"}

#: What a run does not decide: how long it took, where, and how its rows are numbered.
PASSING = {
    "id", "train_seconds", "seconds", "worker", "finished_at", "created_at", "updated_at",
    "peak_memory_bytes", "evaluation_id", "path", "versions",
}  # fmt: skip


def ledger(url: str) -> dict[str, Any]:
    """Give all that searches have left in a database, but `PASSING`, in the order of recording."""
    engine = open_engine(url)
    found: dict[str, Any] = {}
    with reading(engine) as connection:
        for table in tables.metadata.sorted_tables:
            if table.name in OTHER_TABLES:
                continue
            rows = connection.execute(select(table).order_by(*table.primary_key)).mappings()
            found[table.name] = [
                {key: value for key, value in row.items() if key not in PASSING}
                | ({"id": row["id"]} if table.name == "candidates" else {})
                for row in rows
            ]
    engine.dispose()
    return found
