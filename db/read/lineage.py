"""Where an individual comes from: its ancestors, generation by generation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Engine, select

from db.connection.engine import reading
from db.read.names import find_search_id
from db.read.searches import no_individual
from db.schema.tables import candidates, evaluations, searches
from vlga.config.strategies import KNOWN_NETWORKS, STUDIES
from vlga.errors import ConfigError

__all__ = ["ancestors"]

#: Candidates asked for at once: below the number of values that a statement may have.
_AT_ONCE = 500
#: What is known of a candidate that was not trained.
_UNKNOWN: dict[str, Any] = {"fitness": None, "reason": None}


def ancestors(
    engine: Engine, name: str, candidate_id: int, *, depth: int | None = None
) -> list[dict[str, Any]]:
    """Give a candidate and its ancestors, each once, the nearest first.

    Served by key: takes as long as there are ancestors, however large the search is.

    Args:
        engine: open.
        name: of the search.
        candidate_id: whose ancestors.
        depth: generations to go back, at least 0, or None for all.

    Returns:
        Rows of `id parents phase generation rung operator weights_from fingerprint depth genome
        fitness reason distance`. `fitness` is that of its best training, `reason` why its last one
        failed if none has a fitness, `distance` the generations back on the shortest way, from 0.

    Raises:
        SearchNotFound: no search of that name.
        ConfigError: it trains known networks, which have no parents.
        StoreError: it has no such candidate.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        strategy = connection.scalar(select(searches.c.strategy).where(searches.c.id == search_id))
        if strategy in KNOWN_NETWORKS:
            kind = "a study" if strategy in STUDIES else f"of {strategy}"
            raise ConfigError(
                f"a lineage needs a search, which makes networks from networks, but {name!r} is "
                f"{kind}; look at it with: vlga report {name}"
            )
        family: list[dict[str, Any]] = []
        known: set[int] = set()
        wanted = {candidate_id}
        distance = 0
        while wanted and (depth is None or distance <= depth):
            rows = _rows(connection, search_id, sorted(wanted))
            family += [{**row, "distance": distance} for row in rows]
            known |= wanted
            wanted = {parent for row in rows for parent in row["parents"]} - known
            distance += 1
        if not family:
            raise no_individual(connection, name, search_id, candidate_id)
    return family


def _rows(connection: Connection, search_id: int, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Give these candidates by id; those that do not exist are left out."""
    columns = candidates.c
    statement = select(
        columns.id,
        columns.parents,
        columns.phase,
        columns.generation,
        columns.rung,
        columns.operator,
        columns.weights_from,
        columns.fingerprint,
        columns.depth,
        columns.genome,
    ).where(columns.search_id == search_id)
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        scores = _scores(connection, search_id, chunk)
        rows = connection.execute(statement.where(columns.id.in_(chunk)).order_by(columns.id))
        found += [{**row, **scores.get(row["id"], _UNKNOWN)} for row in rows.mappings()]
    return found


def _scores(
    connection: Connection, search_id: int, ids: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Give the `fitness` and the `reason` of those candidates that were trained.

    The order of trainings is made here: asked for it, SQLite reads all those of the search.
    """
    columns = evaluations.c
    statement = (
        select(columns.candidate_id, columns.id, columns.fitness, columns.reason)
        .where(columns.search_id == search_id, columns.candidate_id.in_(ids))
        .where(columns.is_final.is_(False))
    )
    scores: dict[int, dict[str, Any]] = {}
    rows = sorted(connection.execute(statement), key=attrgetter("id"))
    for candidate_id, _, fitness, reason in rows:
        best = scores.get(candidate_id, _UNKNOWN)["fitness"]
        if fitness is not None:
            best = fitness if best is None else max(best, fitness)
        scores[candidate_id] = {"fitness": best, "reason": reason if best is None else None}
    return scores
