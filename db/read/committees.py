"""A search's committee: the mean of its best networks, tested beside its winner."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from db.schema.tables import artifacts, evaluations
from vlga.report.rivals import standard_error

__all__ = ["read_committee"]


def read_committee(connection: Connection, search_id: int, n_test: int) -> dict[str, Any] | None:
    """Give a search's committee.

    Args:
        connection: to read on.
        search_id: of the search.
        n_test: images that it was tested on.

    Returns:
        `members test_accuracy test_standard_error test_fitness parameters macs train_seconds`: ids
        of the candidates, and what the trainings of all took together; None if it has none.
    """
    kept = select(artifacts.c.candidate_id).where(
        artifacts.c.search_id == search_id, artifacts.c.kind == "committee_weights"
    )
    members = [*connection.scalars(kept.order_by(artifacts.c.candidate_id))]
    columns = evaluations.c
    rows = connection.execute(
        select(evaluations)
        .where(columns.search_id == search_id, columns.candidate_id.in_(members))
        .where(columns.is_final.is_(True), columns.fitness.is_not(None))
    )
    trainings, score = {}, None
    # Asked for their order, SQLite would read all outcomes of the search.
    for row in sorted(rows.mappings(), key=lambda row: int(row["id"])):
        if row["epochs"]:
            trainings[row["candidate_id"]] = row["train_seconds"]
        else:
            score = row
    if score is None:
        return None
    # Committees of earlier versions have their accuracy as their fitness alone.
    accuracy = score["fitness"] if score["test_accuracy"] is None else score["test_accuracy"]
    return {
        "members": members,
        "test_accuracy": accuracy,
        "test_standard_error": standard_error(accuracy, n_test),
        "test_fitness": score["fitness"],
        "parameters": score["n_parameters"],
        "macs": score["n_macs"],
        "train_seconds": sum(trainings.values()),
    }
