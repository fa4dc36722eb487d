"""A search's candidates page by page, as the service shows them.

Each page is read from an index and takes the same time at a million candidates as at ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, case, or_, select

from db.connection.engine import reading
from db.read.fittest import fittest_evaluations
from db.read.keyset import Page, cursor_after, read_cursor
from db.read.names import find_search_id
from db.schema.tables import candidates, evaluations
from vlga.errors import ConfigError, shown
from vlga.ports.evaluation import FailureReason

__all__ = ["CANDIDATE_ORDERS", "OUTCOMES", "candidates_page"]

#: By fitness, the fittest first and those without one left out; by number, upwards or downwards.
CANDIDATE_ORDERS = ("-fitness", "id", "-id")

#: What a candidate may be filtered by: whether it was trained, and why that failed.
OUTCOMES = ("completed", "failed", *FailureReason)

#: Rows looked at for a page of which a filter leaves few; its cursor leads on from there.
_MOST_LOOKED_AT = 2000

#: As many as a column holds.
_LAST_ID = 2**31 - 1


def candidates_page(
    engine: Engine,
    name: str,
    *,
    order: str = "-fitness",
    limit: int,
    cursor: str | None = None,
    from_id: int | None = None,
    phase: int | None = None,
    generation: int | None = None,
    outcome: str | None = None,
) -> Page:
    """Give candidates of a search with their outcomes, each once.

    Args:
        engine: open.
        name: of the search.
        order: one of `CANDIDATE_ORDERS`.
        limit: most rows, at least 1. A page of few matches may have less, and a `next`.
        cursor: the `next` of the page before.
        from_id: begin at this candidate, in an order by number.
        phase: that made them, from 0.
        generation: of its phase that made them, from 0.
        outcome: one of `OUTCOMES`; failed ones need an order by number.

    Returns:
        Rows of `id fitness parameters macs latency_seconds depth phase generation rung epochs
        fingerprint reason reused`: of the fittest training, or of the last if all failed; what only
        an outcome has is None before there is one.

    Raises:
        SearchNotFound: no search of that name.
        ConfigError: no such order, outcome or cursor.
    """
    if order not in CANDIDATE_ORDERS:
        known = ", ".join(CANDIDATE_ORDERS)
        raise ConfigError(f"order must be one of {known}, but got {shown(order)}")
    if outcome is not None and outcome not in OUTCOMES:
        known = ", ".join(OUTCOMES)
        raise ConfigError(f"outcome must be one of {known}, but got {shown(outcome)}")
    for what, needs_number in (
        ("from_id", from_id is not None),
        (f"outcome={outcome}", outcome not in (None, "completed")),
    ):
        if needs_number and order == "-fitness":
            raise ConfigError(
                f"{what} needs an order by number, but got order=-fitness; give order=id"
            )
    filters = {"phase": phase, "generation": generation}
    wanted = {key: value for key, value in filters.items() if value is not None}
    n_rows = max(limit, _MOST_LOOKED_AT if wanted or outcome else 0)
    kinds = (float, int) if order == "-fitness" else (int,)
    after = None if cursor is None else read_cursor(cursor, order, kinds)
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        if order == "-fitness":
            statement = _by_fitness(search_id, n_rows + 1, after)
        else:
            start = None if after is not None or from_id is None else min(from_id, _LAST_ID)
            statement = _by_number(search_id, n_rows + 1, order, after[0] if after else None, start)
        rows = [{**row} for row in connection.execute(statement).mappings()]
    keys = ("fitness", "id") if order == "-fitness" else ("id",)
    items: list[dict[str, Any]] = []
    for n_seen, row in enumerate(rows):
        if len(items) == limit or n_seen == n_rows:
            last = rows[n_seen - 1]
            return Page(items, cursor_after(order, *(last[key] for key in keys)))
        if _has_outcome(row, outcome) and all(row[key] == wanted[key] for key in wanted):
            items.append(row)
    return Page(items, None)


def _has_outcome(row: Mapping[str, Any], outcome: str | None) -> bool:
    """Whether a row of a page has an outcome of this kind; None for any, or none at all."""
    if outcome == "completed":
        return row["fitness"] is not None
    if outcome == "failed":
        return row["reason"] is not None
    return outcome is None or row["reason"] == outcome


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
        outcome.latency_seconds,
        *(candidate[name] for name in ("depth", "phase", "generation", "rung")),
        outcome.epochs,
        candidate.fingerprint,
        outcome.reason,
        outcome.reused,
    ]
