"""Outcomes page by page: the feed of all of a search's, and its failures.

Each page is read from an index and takes the same time at a million outcomes as at ten. Moments are
ISO 8601 text in UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from db.connection.engine import reading
from db.read.keyset import Page, cursor_after, read_cursor
from db.read.names import find_search_id
from db.schema.tables import evaluations
from vlga.ports.evaluation import FailureReason

__all__ = ["evaluations_page", "failures_page", "newest_evaluation", "newest_failures"]

_OUTCOME = (
    "id", "candidate_id", "is_final", "reused", "on_budget", "epochs", "seed", "status", "reason",
    "message", "fitness", "validation_loss", "test_accuracy", "train_seconds", "worker", "device",
    "peak_memory_bytes", "latency_seconds",
)  # fmt: skip


def evaluations_page(engine: Engine, name: str, *, after: int = 0, limit: int) -> Page:
    """Give outcomes in the order of recording, final trainings too: a feed to follow.

    Args:
        engine: open.
        name: of the search.
        after: the `id` of the last outcome that is known; 0 for none.
        limit: most rows, at least 1.

    Returns:
        Rows of `id candidate_id is_final reused on_budget epochs seed status reason message fitness
        validation_loss test_accuracy train_seconds worker device peak_memory_bytes latency_seconds
        parameters macs finished_at`; `next` is what `after` is for the next page, None if there is
        none yet.

    Raises:
        SearchNotFound: no search of that name.
    """
    columns = evaluations.c
    with reading(engine) as connection:
        mine = columns.search_id == find_search_id(connection, name)
        statement = _outcomes().where(mine, columns.id > min(after, 2**63 - 1))
        found = connection.execute(statement.order_by(columns.id).limit(limit + 1)).mappings()
        rows = [_outcome(row) for row in found]
    more = len(rows) > limit
    return Page(rows[:limit], str(rows[limit - 1]["id"]) if more else None)


def newest_evaluation(engine: Engine, name: str) -> int:
    """Give the `id` of a search's newest outcome, 0 before there is one.

    Raises:
        SearchNotFound: no search of that name.
    """
    columns = evaluations.c
    with reading(engine) as connection:
        mine = columns.search_id == find_search_id(connection, name)
        newest = select(columns.id).where(mine).order_by(columns.id.desc()).limit(1)
        return connection.scalar(newest) or 0


def failures_page(
    engine: Engine, name: str, reason: FailureReason, *, limit: int, cursor: str | None = None
) -> Page:
    """Give failed trainings of a reason, the newest first.

    Args:
        engine: open.
        name: of the search.
        reason: why they failed.
        limit: most rows, at least 1.
        cursor: the `next` of the page before.

    Returns:
        Rows as `evaluations_page` has them; final and reused trainings are left out, as in the
        counts of `show_search`.

    Raises:
        SearchNotFound: no search of that name.
        ConfigError: no such cursor.
    """
    after = None if cursor is None else read_cursor(cursor, reason, (int,))[0]
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        rows = _failures(connection, search_id, reason, limit=limit + 1, before=after)
    more = len(rows) > limit
    return Page(rows[:limit], cursor_after(reason, rows[limit - 1]["id"]) if more else None)


def newest_failures(
    engine: Engine, name: str, *, limit_each: int = 3
) -> dict[str, list[dict[str, Any]]]:
    """Give the newest failed trainings of each reason that there is, as `failures_page` does.

    Raises:
        SearchNotFound: no search of that name.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        newest = {
            reason.value: _failures(connection, search_id, reason, limit=limit_each)
            for reason in FailureReason
        }
    return {reason: rows for reason, rows in newest.items() if rows}


def _failures(
    connection: Connection,
    search_id: int,
    reason: FailureReason,
    *,
    limit: int,
    before: int | None = None,
) -> list[dict[str, Any]]:
    columns = evaluations.c
    statement = _outcomes().where(
        columns.search_id == search_id,
        columns.is_final.is_(False),
        columns.reused.is_(False),
        columns.reason == reason.value,
    )
    if before is not None:
        statement = statement.where(columns.id < before)
    statement = statement.order_by(columns.id.desc()).limit(limit)
    return [_outcome(row) for row in connection.execute(statement).mappings()]


def _outcomes() -> Select[tuple[Any, ...]]:
    columns = evaluations.c
    return select(
        *(columns[name] for name in _OUTCOME),
        columns.n_parameters.label("parameters"),
        columns.n_macs.label("macs"),
        columns.finished_at,
    )


def _outcome(row: Any) -> dict[str, Any]:
    return {**row, "finished_at": row["finished_at"].isoformat()}
