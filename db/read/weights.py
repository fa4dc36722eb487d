"""The networks of a search whose trained weights were kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, exists, select

from db.connection.engine import reading
from db.read.fittest import fittest_evaluations
from db.read.names import find_search_id
from db.schema.tables import artifacts

__all__ = ["networks_with_weights"]


def networks_with_weights(engine: Engine, name: str) -> list[dict[str, Any]]:
    """Give the networks whose weights were kept, the fittest first, of equals the one made first.

    A search keeps few: `limits.weight_files`, and those that are still needed.

    Returns:
        Rows of `id fitness parameters macs`.

    Raises:
        SearchNotFound: no search of that name.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        fittest = fittest_evaluations(search_id).subquery("fittest")
        is_kept = exists().where(
            artifacts.c.search_id == search_id, artifacts.c.candidate_id == fittest.c.candidate_id
        )
        statement = (
            select(
                fittest.c.candidate_id.label("id"),
                fittest.c.fitness,
                fittest.c.n_parameters.label("parameters"),
                fittest.c.n_macs.label("macs"),
            )
            .where(is_kept)
            .order_by(fittest.c.fitness.desc(), fittest.c.candidate_id)
        )
        return [dict(row) for row in connection.execute(statement).mappings()]
