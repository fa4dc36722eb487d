"""Where running searches stand, as their processes last said."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from db.read.leases import clock
from db.schema.service import progress

__all__ = ["read_progress"]


def read_progress(connection: Connection, search_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Give where searches stand, by the search's number; those that have not said are left out.

    What a process that was killed has said stays: look at the search's state first.

    Returns:
        Values of `moment` (in seconds since 1970, by the database's clock), `age_seconds` (since
        then) and the fields of `vlga.ports.observer.Progress` at that moment: `phase generation
        n_completed n_failed n_reused n_running n_slots machines{n_nodes,n_gpus,has_bfloat16}
        best{id,fitness} elapsed_seconds done_fraction seconds_left trainings_per_minute
        busy_share`; `running`, at most 200 of `id since`, by the same clock; and
        `final{id,epochs,seconds}` while the winner trains longer, for so many seconds as expected,
        else None.
    """
    columns = progress.c
    age = clock(connection) - columns.moment
    rows = connection.execute(
        select(progress, age.label("age")).where(columns.search_id.in_(search_ids))
    )
    return {
        row["search_id"]: {
            "moment": row["moment"],
            "age_seconds": max(0.0, row["age"]),
            **row["body"],
        }
        for row in rows.mappings()
    }
