from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine

from db.connection.engine import open_engine
from db.read import searches
from db.read.fittest import fittest_rows
from db.store import SqlStore
from tests.support.records import DATA, evaluation, genome, record
from vlga.errors import SearchNotFound, StoreError
from vlga.networks.phenotype import decode
from vlga.ports.ledger import Artifact


def test_list_gives_every_search_the_newest_first(engine: Engine):
    """`list_searches` counts outcomes and gives the best fitness, final trainings left out."""
    rows = searches.list_searches(engine)

    created = [datetime.fromisoformat(row.pop("created_at")) for row in rows]
    assert rows == [
        {
            "name": "digits-1",
            "status": "completed",
            "strategy": "ladder",
            "data": "digits",
            "evaluations": 6,
            "best_fitness": 0.75,
            "state": "completed",
        },
        {
            "name": "empty",
            "status": "lost",
            "strategy": "ladder",
            "data": "digits",
            "evaluations": 0,
            "best_fitness": None,
            "state": "lost",
        },
    ]
    assert created[0] >= created[1]
    assert str(created[0].tzinfo) == "UTC"
    assert len(searches.list_searches(engine, limit=1)) == 1


def test_show_counts_trained_failed_and_reused_apart(engine: Engine):
    """`show_search` has each outcome in one of three counts and each failure under its reason."""
    shown = searches.show_search(engine, "digits-1")

    assert shown["evaluations"] == {"completed": 4, "failed": 1, "reused": 1}
    assert shown["failures"] == {"out_of_memory": 1}


def test_show_gives_back_what_was_asked_for(engine: Engine):
    """`show_search` has the search's settings, data and versions, all of it JSON."""
    shown = searches.show_search(engine, "digits-1")

    assert json.loads(json.dumps(shown)) == shown
    assert {key: shown[key] for key in ("name", "status", "strategy", "seed", "data")} == {
        "name": "digits-1",
        "status": "completed",
        "strategy": "ladder",
        "seed": 3,
        "data": "digits",
    }
    assert shown["config"] == record("digits-1", seed=3).config.model_dump(mode="json")
    assert shown["versions"] == {"python": "3.11", "vlga": "0.1.0"}
    assert shown["input_shape"] == [1, 8, 8]
    assert shown["classes"] == list(DATA.classes)
    assert shown["images"] == {"train": 1000, "validation": 250, "test": 300}
    assert (shown["seconds"], shown["message"]) == (12.5, "")
    assert shown["updated_at"] >= shown["created_at"]


def test_show_names_the_best(engine: Engine):
    """The best is the fittest, or the candidate that the search itself calls its best."""
    numbers = {"id": 0, "fitness": 0.75, "parameters": 1000, "depth": 2}
    fittest = {**numbers, "test_accuracy": None, "test_standard_error": None, "test_fitness": None}
    assert searches.show_search(engine, "digits-1")["best"] == fittest
    assert searches.show_search(engine, "empty")["best"] is None

    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE searches SET best_candidate_id = 1, test_accuracy = 0.5 WHERE name = 'digits-1'"
        )

    numbers = {"id": 1, "fitness": 0.5, "parameters": 1001, "depth": 2}
    error = pytest.approx((0.25 / 300) ** 0.5)
    chosen = {**numbers, "test_accuracy": 0.5, "test_standard_error": error, "test_fitness": 0.5}
    assert searches.show_search(engine, "digits-1")["best"] == chosen


def test_top_gives_each_candidate_once_the_fittest_first(engine: Engine):
    """`top` takes a candidate's best evaluation, breaks ties by id and leaves failures out."""
    rows = searches.top(engine, "digits-1")

    assert [(row["id"], row["fitness"], row["epochs"]) for row in rows] == [
        (0, 0.75, 3),
        (1, 0.5, 2),
        (2, 0.5, 2),
        (4, 0.125, 0),
    ]
    assert rows[3] == {
        "id": 4,
        "fitness": 0.125,
        "parameters": 1004,
        "macs": 10**10 + 4,
        "depth": 4,
        "phase": 1,
        "generation": 1,
        "rung": 0,
        "epochs": 0,
        "fingerprint": f"{4:016x}",
    }
    assert searches.top(engine, "digits-1", limit=2) == rows[:2]
    assert searches.top(engine, "empty") == []


def test_an_individual_comes_with_its_story(engine: Engine):
    """`individual` gives genome, parents, every evaluation with its curve, and files, as JSON."""
    found = searches.individual(engine, "digits-1", 4)

    assert json.loads(json.dumps(found)) == found
    assert found["genome"] == genome(2).to_dict()
    assert found["depth"] == decode(genome(2), (1, 8, 8), 3).depth
    assert (found["id"], found["parents"], found["weights_from"]) == (4, [2], 2)
    assert (found["phase"], found["operator"]) == (1, "uniform_crossover")
    first, final = found["evaluations"]
    assert (first["reused"], first["is_final"], first["curve"]) == (True, False, [])
    assert (final["reused"], final["is_final"], final["fitness"]) == (False, True, 1.0)
    assert (final["macs"], final["peak_memory_bytes"]) == (10**10 + 4, 2**33)
    assert [point["epoch"] for point in final["curve"]] == [0, 1]
    assert final["curve"][1] == {
        "epoch": 1,
        "train_loss": 0.5,
        "train_accuracy": 0.5,
        "validation_loss": 0.75,
        "validation_accuracy": 0.25,
        "learning_rate": 0.1,
        "seconds": 1.5,
        "amplified_layers": ["blocks.0.a"],
        "layer_measures": None,
    }
    assert [(file["kind"], file["n_bytes"]) for file in found["artifacts"]] == [
        ("final_weights", 7)
    ]


def test_an_individual_may_have_failed_or_not_ended(engine: Engine):
    """A failed training has its reason and message; a candidate under training no evaluation."""
    (failed,) = searches.individual(engine, "digits-1", 3)["evaluations"]

    assert (failed["status"], failed["reason"]) == ("failed", "out_of_memory")
    assert (failed["fitness"], failed["message"]) == (None, "it did not fit")
    assert len(failed["curve"]) == 1
    assert searches.individual(engine, "digits-1", 5)["evaluations"] == []


def test_an_unknown_individual_gets_a_hint(engine: Engine):
    """An id that the search does not have is refused with the ids that it has."""
    with pytest.raises(StoreError, match=r"'digits-1' has no 17; its ids go from 0 to 5"):
        searches.individual(engine, "digits-1", 17)
    with pytest.raises(StoreError, match="'empty' has no 0; it has none yet"):
        searches.individual(engine, "empty", 0)


@pytest.mark.parametrize("query", [searches.show_search, searches.top])
def test_an_unknown_search_gets_a_hint(engine: Engine, query):
    """A mistyped name is refused with the nearest one."""
    with pytest.raises(SearchNotFound, match=r"'digits' is not; there are digits-1"):
        searches.show_search(engine, "digits")
    with pytest.raises(SearchNotFound, match=r"shown by: vlga individual digits-1 62$"):
        searches.show_search(engine, "digits-1:62")
    with pytest.raises(SearchNotFound, match=r"'digit-1' is not; did you mean 'digits-1'\?"):
        query(engine, "digit-1")


def test_top_is_served_from_its_indexes():
    """SQLite reads the fittest in the index's order and finds fitter evaluations by an index."""
    engine = open_engine("sqlite://", create=True)
    statement = fittest_rows(1, 10).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    engine.dispose()

    assert any("ix_evaluations_fitness" in step for step in plan), plan
    assert any("ix_evaluations_candidate" in step for step in plan), plan
    assert not any(step.startswith("SCAN") and "best" not in step for step in plan), plan


def test_reading_commands_import_nothing_heavy():
    """Opening and querying a database loads no ORM, Alembic, pandas, pydantic, torch or Ray."""
    heavy = ["sqlalchemy.orm", "alembic", "pandas", "pydantic", "torch", "ray", "psycopg"]
    script = (
        "import sys; from db.connection.engine import open_engine;"
        "from db.read import lineage, reports, searches;"
        "open_engine('sqlite://', create=True);"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


def test_a_committee_is_shown_once_the_winner_is_tested(engine: Engine):
    """With its members, its score, and what the last longer training of each took."""
    assert searches.show_search(engine, "digits-1")["committee"] is None
    store = SqlStore(engine.url.render_as_string(hide_password=False))
    trained = [
        replace(evaluation(number, fitness=0.5), train_seconds=seconds)
        for number, seconds in ((4, 90.0), (0, 2.0), (4, 3.0))
    ]
    score = replace(evaluation(4, fitness=0.75, epochs=0), n_parameters=7, n_macs=70)
    files = [Artifact(number, "committee_weights", "4.pt", "ab" * 32, 7) for number in (4, 0)]
    store.add_evaluations("digits-1", trained, is_final=True, test_accuracy=None)
    store.add_evaluations("digits-1", [score], files, is_final=True)
    assert searches.show_search(engine, "digits-1")["committee"] is None
    store.update_search("digits-1", test_accuracy=0.5)
    store.close()
    n_test = searches.show_search(engine, "digits-1")["images"]["test"]

    assert searches.show_search(engine, "digits-1")["committee"] == {
        "members": [0, 4],
        "test_accuracy": 0.75,
        "test_standard_error": (0.75 * 0.25 / n_test) ** 0.5,
        "test_fitness": 0.75,
        "parameters": 7,
        "macs": 70,
        "train_seconds": 5.0,
    }


def test_a_longer_training_of_an_earlier_version_has_its_accuracy_on_the_test(engine: Engine):
    """It was recorded as its fitness alone; another training has none there."""
    trainings = searches.individual(engine, "digits-1", 4)["evaluations"]

    assert {one["is_final"] for one in trainings} == {False, True}
    for one in trainings:
        assert one["test_accuracy"] == (one["fitness"] if one["is_final"] else None)
