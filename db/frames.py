"""A search as pandas tables, for analysis in a notebook.

    table = population("sqlite:///vlga.db", "digits-1")
    table.join(genes("sqlite:///vlga.db", "digits-1"), on="id").groupby("activation").fitness.mean()

One row per thing, one column per fact. What may be absent has a nullable type (`Int64`, `Float64`,
`boolean`, `string`), so that a whole number stays one beside a missing one.

A search too large to hold is read by pages, which take equally long anywhere in it:

    page = population("sqlite:///vlga.db", "digits-1", limit=1000, offset=5000)

Every frame's page has the rows of the `limit` candidates numbered from `offset` on, however many
rows they have in it, so that pages of different frames belong together. Behind the last candidate
they are empty.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import Column, Select, select

from db.connection.engine import opened, reading
from db.read.mistakes import winner_mistakes
from db.read.names import find_search_id
from db.read.reports import search_front
from db.schema import tables
from vlga.networks.phenotype import heritage_from_dict

__all__ = ["confusion", "epochs", "evaluations", "front", "genes", "lineage", "population"]

_TYPES = {
    "candidate_id": "int64",
    "child": "int64",
    "depth": "int64",
    "device": "string",
    "epoch": "int64",
    "epochs": "Int64",
    "evaluation_id": "int64",
    "fingerprint": "string",
    "finished_at": "datetime64[us, UTC]",
    "fitness": "Float64",
    "generation": "int64",
    "id": "int64",
    "is_final": "bool",
    "latency_seconds": "Float64",
    "learning_rate": "float64",
    "macs": "Int64",
    "message": "string",
    "operator": "string",
    "parameters": "Int64",
    "peak_memory_bytes": "Int64",
    "phase": "int64",
    "reason": "string",
    "reused": "boolean",
    "rung": "int64",
    "seconds": "float64",
    "seed": "Int64",
    "status": "string",
    "test_accuracy": "Float64",
    "train_accuracy": "Float64",
    "train_loss": "Float64",
    "train_seconds": "Float64",
    "validation_accuracy": "Float64",
    "validation_loss": "Float64",
    "weights_from": "Int64",
    "worker": "string",
}


def population(url: str, search: str, *, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
    """Give one row per candidate with its evaluation: the fittest one, final trainings left out.

    Returns:
        Columns `id phase generation rung operator parents weights_from fingerprint depth`, then
        those of `evaluations`, absent where the candidate has none yet.

    Raises:
        SearchNotFound: no search of that name.
    """
    columns = tables.candidates.c
    candidates = _table(
        url,
        search,
        select(
            columns.id,
            columns.phase,
            columns.generation,
            columns.rung,
            columns.operator,
            columns.parents,
            columns.weights_from,
            columns.fingerprint,
            columns.depth,
        ).order_by(columns.id),
        columns.id,
        limit=limit,
        offset=offset,
    )
    candidates["parents"] = candidates["parents"].map(tuple)
    outcomes = evaluations(url, search, limit=limit, offset=offset)
    fittest = (
        outcomes[~outcomes["is_final"]]
        .sort_values(["fitness", "evaluation_id"], ascending=[False, True], na_position="last")
        .drop_duplicates("candidate_id")
        .drop(columns="is_final")
        .astype({"evaluation_id": "Int64"})
    )
    joined = candidates.merge(fittest, how="left", left_on="id", right_on="candidate_id")
    return joined.drop(columns="candidate_id")


def front(url: str, search: str) -> pd.DataFrame:
    """Give the rows of `population` that are on the Pareto front, the fittest first.

    No other network is at least as good in every objective of the search, or in fitness and
    parameters if it has fitness alone.

    Raises:
        SearchNotFound: no search of that name.
    """
    with opened(url) as engine:
        ids = [one.id for one in search_front(engine, search)]
    return population(url, search).set_index("id", drop=False).loc[ids].reset_index(drop=True)


def confusion(url: str, search: str) -> pd.DataFrame:
    """Give for what the winner takes the test images of each class.

    Returns:
        How many images of the class of a row are taken for the class of a column.

    Raises:
        SearchNotFound: no search of that name.
        NoIndividual: its winner had no longer training yet.
    """
    with opened(url) as engine:
        found = winner_mistakes(engine, search)
    classes = pd.Index(found.classes, name="class")
    return pd.DataFrame(found.confusion, classes, classes.rename("taken_for"))


def evaluations(
    url: str, search: str, *, limit: int | None = None, offset: int = 0
) -> pd.DataFrame:
    """Give one row per evaluation, final trainings too, oldest first.

    Raises:
        SearchNotFound: no search of that name.
    """
    columns = tables.evaluations.c
    return _table(
        url,
        search,
        select(
            columns.id.label("evaluation_id"),
            columns.candidate_id,
            columns.is_final,
            columns.reused,
            columns.fitness,
            columns.validation_loss,
            columns.test_accuracy,
            columns.status,
            columns.reason,
            columns.message,
            columns.n_parameters.label("parameters"),
            columns.n_macs.label("macs"),
            columns.latency_seconds,
            columns.epochs,
            columns.seed,
            columns.train_seconds,
            columns.worker,
            columns.device,
            columns.peak_memory_bytes,
            columns.finished_at,
        ).order_by(columns.id),
        columns.candidate_id,
        limit=limit,
        offset=offset,
    )


def epochs(url: str, search: str, *, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
    """Give the learning curves: one row per epoch of every evaluation.

    Raises:
        SearchNotFound: no search of that name.
    """
    points, outcomes = tables.epochs.c, tables.evaluations.c
    frame = _table(
        url,
        search,
        select(outcomes.candidate_id, outcomes.is_final, tables.epochs)
        .join_from(tables.evaluations, tables.epochs, outcomes.id == points.evaluation_id)
        .order_by(points.evaluation_id, points.epoch),
        outcomes.candidate_id,
        limit=limit,
        offset=offset,
    )
    frame["amplified_layers"] = frame["amplified_layers"].map(tuple)
    return frame


def genes(url: str, search: str, *, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
    """Give one row per candidate and one column per gene address; the index is the candidate's id.

    A gene of a block that a genome does not have is absent. A study's columns are those of
    `vlga.networks.trial.Trial.genes`: network, arm, learning rate, seed and so on.

    Raises:
        SearchNotFound: no search of that name.
    """
    columns = tables.candidates.c
    statement = select(columns.id, columns.genome).order_by(columns.id)
    frame = _table(url, search, statement, columns.id, limit=limit, offset=offset)
    genomes = [heritage_from_dict(genome).genes() for genome in frame["genome"]]
    index = pd.Index(frame["id"], name="id")
    return pd.DataFrame.from_records(genomes, index=index).convert_dtypes()


def lineage(url: str, search: str, *, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
    """Give the family tree: one row `parent child operator` per parent of every candidate.

    Raises:
        SearchNotFound: no search of that name.
    """
    columns = tables.candidates.c
    statement = select(columns.parents, columns.id.label("child"), columns.operator).order_by(
        columns.id
    )
    families = _table(url, search, statement, columns.id, limit=limit, offset=offset)
    edges = families.rename(columns={"parents": "parent"}).explode("parent").dropna(subset="parent")
    return edges.astype({"parent": "int64"}).reset_index(drop=True)


def _table(
    url: str,
    search: str,
    statement: Select[Any],
    number: Column[int],
    *,
    limit: int | None,
    offset: int,
) -> pd.DataFrame:
    """Give a statement's rows that belong to a page of a search.

    Args:
        url: of the database.
        search: whose rows.
        statement: selects them, of all searches.
        number: the candidate's number in it, in a table that has `search_id` as well.
        limit: how many candidates the page has, at least 0, or None for all that follow.
        offset: number of its first candidate, at least 0.
    """
    with opened(url) as engine, reading(engine) as connection:
        search_id = find_search_id(connection, search)
        statement = statement.where(number.table.c.search_id == search_id, number >= offset)
        if limit is not None:
            statement = statement.where(number < offset + limit)
            if engine.dialect.name == "postgresql":
                # It expects of a page of small numbers as many rows as all searches have of
                # them, and would rather read a whole table than find so many by key.
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        result = connection.execute(statement)
        # Tuples: pandas asks of each row that is more than one what it can do.
        frame = pd.DataFrame([*map(tuple, result)], columns=list(result.keys()))
    return frame.astype({name: _TYPES[name] for name in frame.columns if name in _TYPES})
