"""What the reading commands show, as plain dictionaries ready for JSON.

Every query is limited and served from an index or from counts kept in `searches`, so that it takes
the same time at a million evaluations as at ten. Moments are ISO 8601 text in UTC.

The ``evaluations`` of a search are those that give candidates their fitness, final trainings left
out; each counts as one of completed, failed and reused.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    FromClause,
    RowMapping,
    and_,
    func,
    select,
)

from db.connection.engine import reading
from db.read.committees import read_committee
from db.read.curves import read_curves
from db.read.fittest import fittest_rows
from db.read.folder import files_folder
from db.read.names import find_search_id
from db.read.overview import searches_page
from db.read.progress import read_progress
from db.read.status import shown_status
from db.read.submissions import begun_elsewhere, find_submission
from db.schema.tables import artifacts, candidates, evaluations, searches
from vlga.config.fitness import FitnessName
from vlga.errors import NoIndividual
from vlga.ports.data import data_label
from vlga.ports.state import UNDER_WAY, state_of
from vlga.report.rivals import standard_error

__all__ = [
    "fitness_name_of",
    "images_of",
    "individual",
    "list_searches",
    "no_individual",
    "show_search",
    "top",
]


def images_of(row: RowMapping) -> dict[str, Any]:
    """Give the `input_shape` and the `images` of each split, of a row of `searches`."""
    splits = ("train", "validation", "test")
    return {
        "input_shape": [row["input_channels"], row["input_height"], row["input_width"]],
        "images": {split: row[f"n_{split}"] for split in splits},
    }


def fitness_name_of(row: RowMapping) -> FitnessName:
    """Give what the fitness is, of a row of `searches`, which may be older than the setting."""
    name: FitnessName = row["config"].get("fitness", "accuracy")
    return name


def list_searches(engine: Engine, *, limit: int = 1000) -> list[dict[str, Any]]:
    """Give searches, the newest first.

    Those that are submitted and not entered come before all others.

    Returns:
        Rows of `name status strategy data evaluations best_fitness created_at state`; `state` is
        one of `vlga.ports.state.State`, `status` as `db.read.status.shown_status` gives it, and the
        state of what is not entered.
    """
    keys = ("strategy", "data", "evaluations", "best_fitness", "created_at")
    return [
        {
            "name": row["name"],
            "status": row["status"] or str(row["state"]),
            **{key: row[key] for key in keys},
            "evaluations": sum(row["evaluations"].values()),
            "state": str(row["state"]),
        }
        for row in searches_page(engine, limit=limit).items
    ]


def show_search(engine: Engine, name: str) -> dict[str, Any]:
    """Give one search in full.

    Returns:
        `name status strategy seed data evaluations{completed,failed,reused}
        best{id,fitness,test_accuracy,test_standard_error,test_fitness,parameters,depth} seconds
        message rivals
        committee{members,test_accuracy,test_standard_error,test_fitness,parameters,macs,
        train_seconds} failures{REASON} data_fingerprint fitness fitness_on input_shape classes
        images{train,validation,test} config versions created_at updated_at`; `best` is None before
        the first completed evaluation, `fitness` is the setting of that name, of which kind is what
        `best` has as such, `committee` is as `read_committee` gives it once its winner is tested,
        `rivals` has the fields of `vlga.ports.rivals.Rivals` or is None, `status` is as
        `db.read.status.shown_status` gives it. And `state`, one of `vlga.ports.state.State`, and
        while a process runs it `progress`, what that said last (`db.read.progress.read_progress`),
        else None.

    Raises:
        SearchNotFound: no search of that name.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        row = (
            connection.execute(select(searches).where(searches.c.id == search_id)).mappings().one()
        )
        watched = find_submission(connection, name) or begun_elsewhere(connection, search_id)
        status, state = shown_status(row["status"], watched.seen.lease), state_of(watched)
        progress = read_progress(connection, [search_id]).get(search_id)
        best = _best(connection, search_id, row["best_candidate_id"])
        if best is not None:
            best |= _tested(connection, row, best["id"])
        committee = None
        if row["test_accuracy"] is not None:
            committee = read_committee(connection, search_id, row["n_test"])
        failures = _failures(connection, search_id)
    return {
        "name": row["name"],
        "status": status,
        **{key: row[key] for key in ("strategy", "seed")},
        "data": data_label(row["data_name"], row["fitness_on"]),
        "evaluations": {
            "completed": row["n_completed"],
            "failed": row["n_failed"],
            "reused": row["n_reused"],
        },
        "best": best,
        **{key: row[key] for key in ("seconds", "message", "rivals")},
        "committee": committee,
        "failures": failures,
        "data_fingerprint": row["data_fingerprint"],
        "fitness": fitness_name_of(row),
        "fitness_on": row["fitness_on"],
        **images_of(row),
        **{key: row[key] for key in ("classes", "config", "versions")},
        **{key: row[key].isoformat() for key in ("created_at", "updated_at")},
        "state": str(state),
        "progress": progress if state in UNDER_WAY else None,
    }


def top(engine: Engine, name: str, *, limit: int = 10) -> list[dict[str, Any]]:
    """Give a search's fittest candidates, of equals the one made first, each once.

    Returns:
        Rows of `id fitness parameters macs depth phase generation rung epochs fingerprint`.

    Raises:
        SearchNotFound: no search of that name.
    """
    with reading(engine) as connection:
        statement = fittest_rows(find_search_id(connection, name), limit)
        return [dict(row) for row in connection.execute(statement).mappings()]


def individual(engine: Engine, name: str, candidate_id: int) -> dict[str, Any]:
    """Give a candidate with everything that is known of it.

    Returns:
        The columns of `candidates`, its `evaluations` (oldest first, final trainings too, each with
        its `curve`) and its `artifacts`, with absolute paths.

    Raises:
        SearchNotFound: no search of that name.
        NoIndividual: it has no such candidate.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        if candidate_id >= 2**31:  # more than a column holds
            raise no_individual(connection, name, search_id, candidate_id)
        mine = and_(candidates.c.search_id == search_id, candidates.c.id == candidate_id)
        row = connection.execute(select(candidates).where(mine)).mappings().one_or_none()
        if row is None:
            raise no_individual(connection, name, search_id, candidate_id)
        outcomes = _rows(connection, evaluations, search_id, candidate_id)
        curves = read_curves(connection, [outcome["id"] for outcome in outcomes])
        files = _rows(connection, artifacts, search_id, candidate_id)
    for outcome in outcomes:
        outcome["parameters"] = outcome.pop("n_parameters")
        outcome["macs"] = outcome.pop("n_macs")
        outcome["finished_at"] = outcome["finished_at"].isoformat()
        if outcome["is_final"] and outcome["test_accuracy"] is None:
            outcome["test_accuracy"] = outcome["fitness"]  # as earlier versions recorded it
        outcome["curve"] = curves.get(outcome["id"], [])
    folder = files_folder(engine)
    for file in files:
        file["path"] = str(folder / file["path"])
        file["created_at"] = file["created_at"].isoformat()
    return {**_without(row, "search_id"), "evaluations": outcomes, "artifacts": files}


def no_individual(connection: Connection, name: str, search_id: int, number: int) -> NoIndividual:
    """Give the error for a candidate that a search does not have, with the ids that it has."""
    last = connection.scalar(
        select(func.max(candidates.c.id)).where(candidates.c.search_id == search_id)
    )
    known = "it has none yet" if last is None else f"its ids go from 0 to {last}"
    return NoIndividual(
        f"an individual must be in its search, but {name!r} has no {number}; {known}"
    )


def _best(
    connection: Connection, search_id: int, candidate_id: int | None
) -> dict[str, Any] | None:
    """Give the candidate that the search calls its best, or the fittest if it has not said yet."""
    row = connection.execute(fittest_rows(search_id, 1, candidate_id)).mappings().one_or_none()
    if row is None:
        return None
    return {key: row[key] for key in ("id", "fitness", "parameters", "depth")}


def _tested(connection: Connection, row: RowMapping, best_id: int) -> dict[str, float | None]:
    """Give a winner's test accuracy with its standard error, and its fitness there.

    A search's own test accuracy is its committee's, if it has one.
    """
    accuracy = fitness = row["test_accuracy"]
    if accuracy is not None:
        columns = evaluations.c
        longer = (
            select(columns.id, columns.test_accuracy, columns.fitness)
            .where(columns.search_id == row["id"], columns.candidate_id == best_id)
            .where(columns.is_final.is_(True), columns.epochs > 0, columns.fitness.is_not(None))
        )
        # Asked for the last one, SQLite would read all outcomes of the search.
        trainings = sorted(connection.execute(longer).all())
        if trainings:
            _, accuracy, fitness = trainings[-1]
            accuracy = fitness if accuracy is None else accuracy  # as earlier versions recorded it
    error = None if accuracy is None else standard_error(accuracy, row["n_test"])
    return {"test_accuracy": accuracy, "test_standard_error": error, "test_fitness": fitness}


def _failures(connection: Connection, search_id: int) -> dict[str, int]:
    """Count a search's failed trainings by reason."""
    columns = evaluations.c
    statement = (
        select(columns.reason, func.count())
        .where(columns.search_id == search_id, columns.reason.is_not(None))
        .where(columns.is_final.is_(False), columns.reused.is_(False))
        .group_by(columns.reason)
        .order_by(columns.reason)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _rows(
    connection: Connection, table: FromClause, search_id: int, candidate_id: int
) -> list[dict[str, Any]]:
    """Give a candidate's rows of `evaluations` or `artifacts`, in the order of their keys."""
    mine = (table.c.search_id == search_id, table.c.candidate_id == candidate_id)
    keys = [column.name for column in table.primary_key]
    # Asked for their order, SQLite would read all rows of the search.
    rows = connection.execute(select(table).where(*mine)).mappings().all()
    return [
        _without(row, "search_id", "candidate_id")
        for row in sorted(rows, key=lambda row: [row[key] for key in keys])
    ]


def _without(row: RowMapping, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}
