"""A search's outcomes in the order of recording, as columns for a chart of any length.

Outcome by outcome while there are few; else from the rollup of each hundred
(`db.ledger.strides`), so that a million are read as fast as ten thousand rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from db.connection.engine import reading
from db.read.names import find_search_id
from db.schema.service import strides
from db.schema.tables import evaluations, searches

__all__ = ["series"]

#: Points of a course that is too long to give each outcome: a chart is no wider.
_MOST_MERGED = 500

_COLUMNS = ("x", "lowest", "highest", "mean", "best", "n_failed")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Some outcomes that follow each other; fitnesses are None where none has one."""

    n: int
    n_failed: int
    n_with_fitness: int
    fitness_sum: float
    lowest: float | None
    highest: float | None


def series(engine: Engine, name: str, *, points: int = 2000) -> dict[str, list[Any]]:
    """Give the course of a search in at most so many points, final trainings left out.

    Args:
        engine: open.
        name: of the search.
        points: at least 1; where there are more outcomes, at most 500 points come, as a chart
            shows no more.

    Returns:
        Columns of equal length: `x`, how many outcomes there were at the point, from 1; `lowest`,
        `highest` and `mean` fitness since the point before, in [0, 1], None where nothing
        completed; `best` so far, or None; `n_failed` since the point before, not counting outcomes
        taken over.

    Raises:
        SearchNotFound: no search of that name.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        columns = searches.c
        n = connection.execute(
            select(columns.n_completed + columns.n_failed + columns.n_reused).where(
                columns.id == search_id
            )
        ).scalar_one()
        if n <= points:
            return _columns(_single(connection, search_id))
        return _columns(_merged(_rolled_up(connection, search_id), min(points, _MOST_MERGED)))


def _single(connection: Connection, search_id: int) -> Iterable[_Stretch]:
    columns = evaluations.c
    statement = (
        select(columns.fitness, columns.status, columns.reused)
        .where(columns.search_id == search_id, columns.is_final.is_(False))
        .order_by(columns.id)
    )
    for fitness, status, reused in connection.execute(statement):
        n_failed = int(status == "failed" and not reused)
        yield _Stretch(1, n_failed, int(fitness is not None), fitness or 0.0, fitness, fitness)


def _rolled_up(connection: Connection, search_id: int) -> list[_Stretch]:
    columns = strides.c
    statement = (
        select(
            columns.n,
            columns.n_failed,
            columns.n_with_fitness,
            columns.fitness_sum,
            columns.lowest,
            columns.highest,
        )
        .where(columns.search_id == search_id)
        .order_by(columns.number)
    )
    return [_Stretch(*row) for row in connection.execute(statement)]


def _merged(stretches: Sequence[_Stretch], points: int) -> Iterable[_Stretch]:
    """Make at most so many stretches of these."""
    size = math.ceil(len(stretches) / points) or 1
    for start in range(0, len(stretches), size):
        some = stretches[start : start + size]
        yield _Stretch(
            sum(one.n for one in some),
            sum(one.n_failed for one in some),
            sum(one.n_with_fitness for one in some),
            sum(one.fitness_sum for one in some),
            min((one.lowest for one in some if one.lowest is not None), default=None),
            max((one.highest for one in some if one.highest is not None), default=None),
        )


def _columns(stretches: Iterable[_Stretch]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    x, best = 0, None
    for one in stretches:
        x += one.n
        if one.highest is not None and (best is None or one.highest > best):
            best = one.highest
        mean = one.fitness_sum / one.n_with_fitness if one.n_with_fitness else None
        values = (x, one.lowest, one.highest, mean, best, one.n_failed)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    return columns
