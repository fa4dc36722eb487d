"""What the store writes, statement by statement; store.py puts them into transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from db.ledger import codec
from db.ledger.strides import roll_up
from db.read.leases import clock
from db.schema import tables
from db.schema.service import progress
from vlga.ports.evaluation import Evaluation
from vlga.ports.ledger import SearchChanges

__all__ = [
    "change_search",
    "count_outcomes",
    "has_outcomes",
    "insert_evaluations",
    "interrupt_search",
    "replace_artifacts",
    "search_values",
    "upsert_of",
    "write_progress",
]


def upsert_of(engine: Engine) -> Any:
    """Give the ``insert`` that knows ``on conflict``: in the same words, but each database its own.

    The other database's is left out: it takes a twentieth of the time in which a service starts.
    """
    return import_module(f"sqlalchemy.dialects.{engine.dialect.name}").insert


def search_values(changes: SearchChanges) -> dict[str, Any]:
    """Give the columns of `searches` for changes of a record."""
    values: dict[str, Any] = {**changes}
    if "message" in changes:
        values["message"] = codec.clean_text(changes["message"])
    if "rivals" in changes:
        values["rivals"] = codec.rivals_tree(changes["rivals"])
    if "config" in changes:
        values["config"] = changes["config"].model_dump(mode="json")
    return values


def change_search(
    connection: Connection, search_id: int, values: Mapping[str, Any], now: datetime
) -> None:
    """Set columns of a search."""
    connection.execute(
        update(tables.searches)
        .where(tables.searches.c.id == search_id)
        .values(updated_at=now, **values)
    )


def interrupt_search(connection: Connection, search_id: int, now: datetime) -> None:
    """Enter that a search is interrupted, unless how it ended is entered."""
    columns = tables.searches.c
    connection.execute(
        update(tables.searches)
        .where(columns.id == search_id, columns.status == "running")
        .values(updated_at=now, status="interrupted")
    )


def has_outcomes(
    connection: Connection, search_id: int, evaluations: Sequence[Evaluation], now: datetime
) -> bool:
    """Tell whether outcomes that were recorded at this moment, together, are there."""
    columns = tables.evaluations.c
    ids = [one.candidate_id for one in evaluations[:1]]
    found = connection.execute(
        select(columns.id)
        .where(columns.search_id == search_id)
        .where(columns.candidate_id.in_(ids))
        .where(columns.finished_at == now)
    )
    return found.first() is not None


def insert_evaluations(
    connection: Connection, rows: list[dict[str, Any]], evaluations: Sequence[Evaluation]
) -> None:
    """Add outcomes, the points of their curves, and what they get wrong."""
    ids = connection.scalars(
        insert(tables.evaluations).returning(tables.evaluations.c.id, sort_by_parameter_order=True),
        rows,
    )
    numbered = [*zip(ids, evaluations, strict=True)]
    points = [point for number, one in numbered for point in codec.epoch_rows(number, one)]
    if points:
        connection.execute(insert(tables.epochs), points)
    mistakes = [
        {"evaluation_id": number, "body": one.mistakes.to_dict()}
        for number, one in numbered
        if one.mistakes is not None
    ]
    if mistakes:
        connection.execute(insert(tables.mistakes), mistakes)


def count_outcomes(
    connection: Connection, upsert: Any, search_id: int, rows: list[dict[str, Any]], now: datetime
) -> None:
    """Add outcomes to their search's counts, each as one of completed, failed and reused.

    And to the rollup of its charts.
    """
    n_reused = sum(row["reused"] for row in rows)
    n_failed = sum(row["status"] == "failed" and not row["reused"] for row in rows)
    columns = tables.searches.c
    n = connection.execute(
        update(tables.searches)
        .where(columns.id == search_id)
        .values(
            n_completed=columns.n_completed + len(rows) - n_failed - n_reused,
            n_failed=columns.n_failed + n_failed,
            n_reused=columns.n_reused + n_reused,
            updated_at=now,
        )
        .returning(columns.n_completed + columns.n_failed + columns.n_reused)
    ).scalar_one()
    roll_up(connection, upsert, search_id, rows, n - len(rows))


def write_progress(
    connection: Connection, upsert: Any, search_id: int, body: Mapping[str, Any] | None
) -> None:
    """Replace where a search stands; None for nowhere.

    The `seconds` for which trainings have run become moments by the database's clock.
    """
    if body is None:
        connection.execute(delete(progress).where(progress.c.search_id == search_id))
        return
    moment = float(connection.scalar(select(clock(connection))) or 0.0)
    running = [{"id": one["id"], "since": moment - one["seconds"]} for one in body["running"]]
    values = {"moment": moment, "body": {**body, "running": running}}
    statement = upsert(progress).values(search_id=search_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["search_id"], set_=values))


def replace_artifacts(connection: Connection, upsert: Any, rows: list[dict[str, Any]]) -> None:
    """Record files, each in place of its search's former one of the same candidate and kind."""
    statement = upsert(tables.artifacts)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["search_id", "candidate_id", "kind"],
            set_={
                name: statement.excluded[name]
                for name in ("path", "sha256", "n_bytes", "created_at")
            },
        ),
        rows,
    )
