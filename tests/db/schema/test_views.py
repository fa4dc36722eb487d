from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine

from db import frames
from db.schema.service import metadata
from db.schema.views import VIEWS
from db.store import SqlStore
from db.upkeep.migrate import MIGRATIONS
from tests.support.records import candidate, genome, record


def ask(engine: Engine, query: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.exec_driver_sql(query).mappings()]


def one_column(engine: Engine, view: str, column: str, order: str) -> list[Any]:
    query = f"SELECT {column} FROM {view} WHERE search = 'digits-1' ORDER BY {order}"
    return [row[column] for row in ask(engine, query)]


@pytest.mark.parametrize("view", ["population", "lineage"])
def test_a_view_has_the_columns_of_its_frame(engine: Engine, url: str, view):
    """And the search's name in front of them."""
    frame = getattr(frames, view)(url, "digits-1")
    row = ask(engine, f"SELECT * FROM {view} WHERE search = 'digits-1'")[0]

    assert list(row) == ["search", *frame.columns]


def test_population_has_the_values_of_its_frame(engine: Engine, url: str):
    """Each candidate's fittest training, then the older; final trainings left out."""
    frame = frames.population(url, "digits-1")

    for column in ("id", "fitness", "evaluation_id", "status", "reason", "depth", "macs"):
        values = frame[column].astype(object)
        expected = values.where(frame[column].notna(), None).tolist()
        assert one_column(engine, "population", column, "id") == expected, column


def test_lineage_has_the_edges_of_its_frame(engine: Engine, url: str):
    """Numbers, though JSON gives Postgres text."""
    frame = frames.lineage(url, "digits-1")
    rows = ask(engine, "SELECT parent, child, operator FROM lineage ORDER BY child, parent")

    assert [tuple(row.values()) for row in rows] == [
        *frame.sort_values(["child", "parent"]).itertuples(index=False, name=None)
    ]


def test_genes_have_a_row_each(engine: Engine):
    """By address, the allele as text, alike on both databases."""
    rows = ask(engine, "SELECT gene, allele FROM genes WHERE search = 'digits-1' AND id = 4")
    found = {row["gene"]: row["allele"] for row in rows}

    assert set(found) == set(genome(2).genes())
    assert len(rows) == len(found)
    shown = {
        key: found[key]
        for key in ("activation", "learning_rate", "amplify_window", "amplify_factor")
    }
    assert shown == {
        "activation": "relu",
        "learning_rate": "0.1",
        "amplify_window": "[0.25,0.85]",
        "amplify_factor": "2.0",
    }
    assert (found["blocks.1.channels_a"], found["blocks.0.skip"]) == ("16", "true")


def test_a_study_has_no_genes_and_breaks_nothing(engine: Engine):
    """Its trials have a name where a genome has its network's genes."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            'UPDATE candidates SET genome = \'{"trial_version":1,"network":"vgg19",'
            '"genome":null}\' WHERE id = 0'
        )

    assert ask(engine, "SELECT * FROM genes WHERE id = 0") == []
    assert len(ask(engine, "SELECT * FROM genes WHERE id = 1")) == 23


def test_failures_are_the_trainings_that_failed(engine: Engine):
    """With what to look for: how large they were, and what was said."""
    (row,) = ask(engine, "SELECT * FROM failures")

    assert (row["search"], row["id"], row["reason"]) == ("digits-1", 3, "out_of_memory")
    assert (row["message"], row["parameters"], row["epochs"]) == ("it did not fit", 1003, 1)


def test_learning_curves_have_every_epoch(engine: Engine):
    """Of final trainings too, which say that they are."""
    rows = ask(engine, "SELECT * FROM learning_curves WHERE id = 4 ORDER BY epoch")

    assert [(row["epoch"], row["train_loss"], bool(row["is_final"])) for row in rows] == [
        (0, 1.0, True),
        (1, 0.5, True),
    ]
    assert len(ask(engine, "SELECT * FROM learning_curves")) == 12


def test_searches_are_told_apart(engine: Engine, url: str):
    """Numbers of candidates begin anew in each."""
    store = SqlStore(url)
    store.create_search(record("second"))
    store.add_candidates("second", [candidate(0), candidate(1, parents=(0,))])
    store.close()

    assert one_column(engine, "lineage", "child", "child") == [2, 2, 3, 3, 4]
    assert ask(engine, "SELECT id, fitness FROM population WHERE search = 'second'") == [
        {"id": 0, "fitness": None},
        {"id": 1, "fitness": None},
    ]


def test_both_databases_have_the_same_views():
    """None of them named as a table."""
    assert list(VIEWS["sqlite"]) == list(VIEWS["postgresql"])
    assert not set(VIEWS["sqlite"]) & set(metadata.tables)


def test_the_revision_is_written_out():
    """What was released does not change with what is current."""
    text = (MIGRATIONS / "versions" / "0001_baseline.py").read_text(encoding="utf-8")

    assert not re.search(r"^(from|import) db", text, re.MULTILINE)


def test_a_search_s_rows_are_found_by_their_keys(tmp_path):
    """On SQLite nothing is scanned but the searches' names and the search's own rows."""
    url = f"sqlite:///{tmp_path}/vlga.db"
    store = SqlStore(url)
    engine = store.engine
    for view in VIEWS["sqlite"]:
        steps = [
            row["detail"]
            for row in ask(engine, f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE search = 'a'")
        ]
        scans = [step for step in steps if re.match(r"SCAN (c|e|p|best|candidates)\b", step)]
        assert [step for step in scans if "VIRTUAL TABLE" not in step] == [], (view, steps)
    store.close()
