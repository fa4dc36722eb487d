"""What a comparison of searches is computed from: one row a search, with every training of it.

Reads all trainings of the searches that it is asked about: hundreds of thousands take a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, RowMapping, select

from db.connection.engine import reading
from db.read.searches import images_of
from db.schema.tables import candidates, evaluations, searches
from vlga.ports.data import data_label

__all__ = ["compared", "names_beginning"]


def names_beginning(engine: Engine, prefix: str) -> set[str]:
    """Give the names of the searches that begin so."""
    statement = select(searches.c.name).where(searches.c.name.startswith(prefix, autoescape=True))
    with reading(engine) as connection:
        return set(connection.scalars(statement))


def compared(engine: Engine, names: Sequence[str]) -> list[dict[str, Any]]:
    """Give these searches in the order of their names here; those that do not exist are left out.

    Returns:
        Rows of `name strategy seed status data images{train,validation,test} input_shape rivals
        fitness test_accuracy evaluations epochs seconds failures reused taken_over depth parameters
        versions trainings`. `rivals` are as `show_search` gives them;
        `fitness`, `depth` and `parameters` are the best candidate's, or None;
        `evaluations` counts the trainings paid for, completed or failed, `epochs` those asked for
        by them, and `reused` the candidates whose outcome was known, of an equal candidate or of
        another search's training, which is paid for as if it had been done here; `taken_over` are
        the latter, which took no time. The winner's
        longer training is in `seconds` and `test_accuracy` only. `trainings` are epochs, fitness
        (None if it failed) and rung, in the order in which they were recorded.
    """
    with reading(engine) as connection:
        found = connection.execute(select(searches).where(searches.c.name.in_(names))).mappings()
        by_name = {row["name"]: row for row in found}
        ids = [row["id"] for row in by_name.values()]
        columns = evaluations.c
        statement = (
            select(
                columns.search_id,
                columns.candidate_id,
                columns.reused,
                columns.on_budget,
                columns.epochs,
                columns.fitness,
                columns.n_parameters,
                candidates.c.depth,
                candidates.c.rung,
            )
            .join_from(evaluations, candidates)
            .where(columns.search_id.in_(ids), columns.is_final.is_(False))
            .order_by(columns.id)
        )
        outcomes = defaultdict(list)
        for row in connection.execute(statement).mappings():
            outcomes[row["search_id"]].append(row)
    return [
        _search(by_name[name], outcomes[by_name[name]["id"]]) for name in names if name in by_name
    ]


def _search(row: RowMapping, outcomes: Sequence[RowMapping]) -> dict[str, Any]:
    trained = [one for one in outcomes if one["on_budget"]]
    completed = [one for one in outcomes if one["fitness"] is not None]
    chosen = [one for one in completed if one["candidate_id"] == row["best_candidate_id"]]
    best = max(chosen or completed, key=lambda one: one["fitness"], default=None)
    return {
        **{key: row[key] for key in ("name", "strategy", "seed", "status")},
        "data": data_label(row["data_name"], row["fitness_on"]),
        **images_of(row),
        "rivals": row["rivals"],
        "fitness": best and best["fitness"],
        "test_accuracy": row["test_accuracy"],
        "evaluations": len(trained),
        "epochs": sum(one["epochs"] for one in trained),
        "seconds": row["seconds"],
        "failures": sum(one["fitness"] is None for one in trained),
        "reused": sum(one["reused"] for one in outcomes),
        "taken_over": sum(one["reused"] for one in trained),
        "depth": best and best["depth"],
        "parameters": best and best["n_parameters"],
        "versions": row["versions"],
        "trainings": [(one["epochs"], one["fitness"], one["rung"]) for one in trained],
    }
