"""Outcomes that any search of the database recorded, found by what was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, and_, or_, select

from db.ledger import codec
from db.read.curves import read_curves
from db.schema.tables import artifacts, evaluations
from vlga.ports.evaluation import REPEATABLE_FAILURES
from vlga.ports.ledger import Artifact, KnownOutcome

__all__ = ["known_outcomes"]


def known_outcomes(
    connection: Connection, training_keys: Sequence[str]
) -> Mapping[str, KnownOutcome]:
    """Give what was recorded first of trainings with these keys.

    Only what was trained, not taken over, and completed or failed for a reason that any machine
    would see.
    """
    columns = evaluations.c
    found = connection.execute(
        select(evaluations, *(one.label(f"file_{one.name}") for one in artifacts.c))
        .outerjoin_from(
            evaluations,
            artifacts,
            and_(
                artifacts.c.search_id == columns.search_id,
                artifacts.c.candidate_id == columns.candidate_id,
                artifacts.c.kind == "weights",
            ),
        )
        .where(columns.training_key.in_(training_keys), columns.reused.is_(False))
        .where(columns.is_final.is_(False))
        .where(or_(columns.fitness.is_not(None), columns.reason.in_(REPEATABLE_FAILURES)))
        .order_by(columns.id.desc())
    ).mappings()
    first = {row["training_key"]: row for row in found}
    curves = read_curves(connection, [row["id"] for row in first.values()])
    return {
        key: KnownOutcome(codec.evaluation(row, curves.get(row["id"], ())), _weights(row))
        for key, row in first.items()
    }


def _weights(row: RowMapping) -> Artifact | None:
    if row["file_path"] is None:
        return None
    return codec.artifact({column.name: row[f"file_{column.name}"] for column in artifacts.c})
