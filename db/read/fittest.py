"""Each candidate's fittest evaluation, in the order of fitness, from an index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, or_, select

from db.schema.tables import candidates, evaluations

__all__ = ["fittest_evaluations", "fittest_rows"]


def _completed(table: FromClause, search_id: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Say which rows of `evaluations` give a search's candidates their fitness."""
    return and_(
        table.c.search_id == search_id, table.c.is_final.is_(False), table.c.fitness.is_not(None)
    )


def fittest_evaluations(search_id: int) -> Select[tuple[Any, ...]]:
    """Select each candidate's fittest evaluation, of equals the first; order it by fitness."""
    fitter = evaluations.alias("fitter")
    has_fitter = exists().where(
        _completed(fitter, search_id),
        fitter.c.candidate_id == evaluations.c.candidate_id,
        or_(
            fitter.c.fitness > evaluations.c.fitness,
            and_(fitter.c.fitness == evaluations.c.fitness, fitter.c.id < evaluations.c.id),
        ),
    )
    return select(evaluations).where(_completed(evaluations, search_id), ~has_fitter)


def fittest_rows(
    search_id: int, limit: int, candidate_id: int | None = None
) -> Select[tuple[Any, ...]]:
    """Select the fittest evaluations, one a candidate, with what `top` shows of them.

    Limited before the join, so that the index gives the order and no database sorts them all.
    """
    chosen = fittest_evaluations(search_id)
    if candidate_id is not None:
        chosen = chosen.where(evaluations.c.candidate_id == candidate_id)
    best = (
        chosen.order_by(evaluations.c.fitness.desc(), evaluations.c.candidate_id)
        .limit(limit)
        .subquery("best")
    )
    return (
        select(
            candidates.c.id,
            best.c.fitness,
            best.c.n_parameters.label("parameters"),
            best.c.n_macs.label("macs"),
            candidates.c.depth,
            candidates.c.phase,
            candidates.c.generation,
            candidates.c.rung,
            best.c.epochs,
            candidates.c.fingerprint,
        )
        .join_from(
            best,
            candidates,
            and_(
                candidates.c.search_id == best.c.search_id, candidates.c.id == best.c.candidate_id
            ),
        )
        .order_by(best.c.fitness.desc(), candidates.c.id)
    )
