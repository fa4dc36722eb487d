"""Lists of searches, candidates and outcomes, page by page, as the service shows them.

Each page is read from an index and takes the same time at a million outcomes as at ten. Moments are
ISO 8601 text in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, case, or_, select

from db.connection.engine import reading
from db.read.keyset import Page, cursor_after, read_cursor
from db.read.searches import find_search_id, fittest_evaluations
from db.schema.tables import candidates, evaluations
from vlga.errors import ConfigError, shown
from vlga.ports.evaluation import FailureReason

__all__ = [
    "CANDIDATE_ORDERS",
    "candidates_page",
    "evaluations_page",
    "newest_evaluation",
    "newest_failures",
]

#: By fitness, the fittest first and those without one left out; by number, upwards or downwards.
CANDIDATE_ORDERS = ("-fitness", "id", "-id")

#: As many as a column holds.
_LAST_ID = 2**31 - 1

_OUTCOME = (
    "id", "candidate_id", "is_final", "reused", "on_budget", "epochs", "seed", "status", "reason",
    "message", "fitness", "validation_loss", "test_accuracy", "train_seconds", "worker", "device",
    "peak_memory_bytes",
)  # fmt: skip


def candidates_page(
    engine: Engine,
    name: str,
    *,
    order: str = "-fitness",
    limit: int,
    cursor: str | None = None,
    from_id: int | None = None,
) -> Page:
    """Give candidates of a search with their outcomes, each once.

    Args:
        engine: open.
        name: of the search.
        order: one of `CANDIDATE_ORDERS`.
        limit: most rows, at least 1.
        cursor: the `next` of the page before.
        from_id: begin at this candidate, in an order by number.

    Returns:
        Rows of `id fitness parameters macs depth phase generation rung epochs fingerprint reason
        reused`: of the fittest training, or of the last if all failed; what only an outcome has is
        None before there is one.

    Raises:
        SearchNotFound: no search of that name.
        ConfigError: no such order or cursor.
    """
    if order not in CANDIDATE_ORDERS:
        known = ", ".join(CANDIDATE_ORDERS)
        raise ConfigError(f"order must be one of {known}, but got {shown(order)}")
    if from_id is not None and order == "-fitness":
        raise ConfigError("from_id needs an order by number, but got order=-fitness; give order=id")
    kinds = (float, int) if order == "-fitness" else (int,)
    after = None if cursor is None else read_cursor(cursor, order, kinds)
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        if order == "-fitness":
            statement = _by_fitness(search_id, limit + 1, after)
        else:
            start = None if after is not None or from_id is None else min(from_id, _LAST_ID)
            statement = _by_number(search_id, limit + 1, order, after[0] if after else None, start)
        rows = [{**row} for row in connection.execute(statement).mappings()]
    keys = ("fitness", "id") if order == "-fitness" else ("id",)
    return _page(rows, limit, order, keys)


def evaluations_page(engine: Engine, name: str, *, after: int = 0, limit: int) -> Page:
    """Give outcomes in the order of recording, final trainings too: a feed to follow.

    Args:
        engine: open.
        name: of the search.
        after: the `id` of the last outcome that is known; 0 for none.
        limit: most rows, at least 1.

    Returns:
        Rows of `id candidate_id is_final reused on_budget epochs seed status reason message fitness
        validation_loss test_accuracy train_seconds worker device peak_memory_bytes parameters macs
        finished_at`; `next` is what `after` is for the next page, None if there is none yet.

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


def newest_failures(
    engine: Engine, name: str, *, limit_each: int = 3
) -> dict[str, list[dict[str, Any]]]:
    """Give the newest failed trainings of each reason that there is, the newest first.

    Returns:
        By reason, rows as `evaluations_page` has them; final and reused ones are left out, as in
        the counts of `show_search`.

    Raises:
        SearchNotFound: no search of that name.
    """
    columns = evaluations.c
    with reading(engine) as connection:
        mine = and_(
            columns.search_id == find_search_id(connection, name),
            columns.is_final.is_(False),
            columns.reused.is_(False),
        )
        newest = {}
        for reason in FailureReason:
            statement = _outcomes().where(mine, columns.reason == reason.value)
            statement = statement.order_by(columns.id.desc()).limit(limit_each)
            newest[reason.value] = [
                _outcome(row) for row in connection.execute(statement).mappings()
            ]
    return {reason: rows for reason, rows in newest.items() if rows}


def _by_fitness(search_id: int, limit: int, after: Sequence[Any] | None) -> Select[tuple[Any, ...]]:
    """Select the fittest candidates, after one of that fitness and number."""
    chosen = fittest_evaluations(search_id)
    if after is not None:
        fitness, number = after
        columns = evaluations.c
        chosen = chosen.where(
            columns.fitness <= fitness,
            or_(columns.fitness < fitness, columns.candidate_id > number),
        )
    best = (
        chosen.order_by(evaluations.c.fitness.desc(), evaluations.c.candidate_id)
        .limit(limit)
        .subquery("best")
    )
    same = and_(candidates.c.search_id == best.c.search_id, candidates.c.id == best.c.candidate_id)
    statement = select(*_columns(best.c)).join_from(best, candidates, same)
    return statement.order_by(best.c.fitness.desc(), candidates.c.id)


def _by_number(
    search_id: int, limit: int, order: str, after: int | None, start: int | None
) -> Select[tuple[Any, ...]]:
    """Select candidates by number, after one or from one on."""
    columns = candidates.c
    is_upwards = order == "id"
    by_number = columns.id if is_upwards else columns.id.desc()
    chosen = select(candidates).where(columns.search_id == search_id)
    if after is not None:
        chosen = chosen.where(columns.id > after if is_upwards else columns.id < after)
    if start is not None:
        chosen = chosen.where(columns.id >= start if is_upwards else columns.id <= start)
    some = chosen.order_by(by_number).limit(limit).subquery("some")
    outcome = evaluations.alias("outcome")
    # The fittest, the first of equals; the last if all failed.
    order_of_worth = (
        outcome.c.fitness.desc().nulls_last(),
        case((outcome.c.fitness.is_(None), -outcome.c.id), else_=outcome.c.id),
    )
    best_id: ColumnElement[int] = (
        select(outcome.c.id)
        .where(outcome.c.search_id == some.c.search_id, outcome.c.candidate_id == some.c.id)
        .where(outcome.c.is_final.is_(False))
        .order_by(*order_of_worth)
        .limit(1)
        .correlate(some)
        .scalar_subquery()
    )
    statement = select(*_columns(evaluations.c, some.c)).select_from(
        some.outerjoin(evaluations, evaluations.c.id == best_id)
    )
    return statement.order_by(some.c.id if is_upwards else some.c.id.desc())


def _columns(outcome: Any, candidate: Any = candidates.c) -> list[ColumnElement[Any]]:
    """Give what a page of candidates shows, from columns of both tables or of their subqueries."""
    return [
        candidate.id,
        outcome.fitness,
        outcome.n_parameters.label("parameters"),
        outcome.n_macs.label("macs"),
        *(candidate[name] for name in ("depth", "phase", "generation", "rung")),
        outcome.epochs,
        candidate.fingerprint,
        outcome.reason,
        outcome.reused,
    ]


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


def _page(rows: list[dict[str, Any]], limit: int, order: str, keys: Sequence[str]) -> Page:
    """Make a page of rows of which there is one more than fits, if there is a next page."""
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], cursor_after(order, *(last[key] for key in keys)))
