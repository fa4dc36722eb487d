"""The rollup of a search's outcomes: one row for a hundred, so that charts of a million are fast.

Written in the transaction of the outcomes, by the one process that holds the search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from db.schema.service import strides

__all__ = ["OUTCOMES_PER_STRIDE", "roll_up"]

OUTCOMES_PER_STRIDE = 100

_SUMS = (
    "n", "n_completed", "n_failed", "n_reused", "n_with_fitness", "epochs", "train_seconds",
    "fitness_sum",
)  # fmt: skip


def roll_up(
    connection: Connection, upsert: Any, search_id: int, rows: Sequence[Mapping[str, Any]], n: int
) -> None:
    """Add outcomes to the strides of their search.

    Args:
        connection: with the transaction.
        upsert: the ``insert`` of the database's dialect.
        search_id: the search's number.
        rows: of `evaluations`, final trainings left out, in the order of recording.
        n: outcomes that the search had before.
    """
    numbered = enumerate(rows, start=n)
    for number, some in groupby(numbered, key=lambda one: one[0] // OUTCOMES_PER_STRIDE):
        new = _summed(search_id, number, [row for _, row in some])
        mine = (strides.c.search_id == search_id) & (strides.c.number == number)
        known = connection.execute(select(strides).where(mine)).mappings().one_or_none()
        merged = new if known is None else _merged({**known}, new)
        statement = upsert(strides).values(**merged)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["search_id", "number"], set_=merged)
        )


def _summed(search_id: int, number: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the stride of these rows alone."""
    fitnesses = [row["fitness"] for row in rows if row["fitness"] is not None]
    trained = [row for row in rows if not row["reused"]]
    n_failed = sum(row["status"] == "failed" for row in trained)
    return {
        "search_id": search_id,
        "number": number,
        "n": len(rows),
        "n_completed": len(trained) - n_failed,
        "n_failed": n_failed,
        "n_reused": len(rows) - len(trained),
        "n_with_fitness": len(fitnesses),
        "epochs": sum(row["epochs"] for row in trained),
        "train_seconds": sum(row["train_seconds"] for row in trained),
        "lowest": min(fitnesses, default=None),
        "highest": max(fitnesses, default=None),
        "fitness_sum": sum(fitnesses),
    }


def _merged(known: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Give the sum of two strides of the same number."""
    merged = dict(new)
    for name in _SUMS:
        merged[name] += known[name]
    for name, choose in (("lowest", min), ("highest", max)):
        there = [one[name] for one in (known, new) if one[name] is not None]
        merged[name] = choose(there, default=None)
    return merged
