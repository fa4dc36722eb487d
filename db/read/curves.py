"""Learning curves as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from db.schema.tables import epochs

__all__ = ["read_curves"]


def read_curves(
    connection: Connection, evaluation_ids: Sequence[int]
) -> dict[int, list[dict[str, Any]]]:
    """Give some evaluations' rows of `epochs` in their order, without the evaluation's number.

    Returns:
        By evaluation; one without a point is left out.
    """
    curves: dict[int, list[dict[str, Any]]] = {}
    statement = (
        select(epochs)
        .where(epochs.c.evaluation_id.in_(evaluation_ids))
        .order_by(epochs.c.evaluation_id, epochs.c.epoch)
    )
    for row in connection.execute(statement).mappings():
        point = dict(row)
        curves.setdefault(point.pop("evaluation_id"), []).append(point)
    return curves
