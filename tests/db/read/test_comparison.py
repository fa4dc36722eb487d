from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.read import searches
from db.read.comparison import compared, names_beginning
from db.read.reports import search_outcomes
from db.store import SqlStore
from tests.support.records import record


def test_a_search_is_a_row_with_its_trainings(engine: Engine):
    """Trained, failed and reused apart; final trainings left out; in the order of recording."""
    (row,) = compared(engine, ["digits-1"])

    assert row == {
        "name": "digits-1",
        "strategy": "ladder",
        "seed": 3,
        "status": "completed",
        "data": "digits",
        "images": {"train": 1000, "validation": 250, "test": 300},
        "input_shape": [1, 8, 8],
        "rivals": None,
        "fitness": 0.75,
        "test_accuracy": None,
        "evaluations": 5,
        "epochs": 2 + 2 + 2 + 1 + 3,
        "seconds": 12.5,
        "failures": 1,
        "reused": 1,
        "taken_over": 0,
        "depth": 2,
        "parameters": 1000,
        "versions": {"python": "3.11", "vlga": "0.1.0"},
        "trainings": [
            (2, 0.25, 0),
            (2, 0.5, 0),
            (2, 0.5, 0),
            (1, None, 0),
            (3, 0.75, 0),
        ],
    }


def test_what_another_search_had_trained_is_paid_for(engine: Engine):
    """It is among the evaluations and their epochs as if it had been trained, and reused too."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE evaluations SET on_budget = true")

    (row,) = compared(engine, ["digits-1"])

    assert (row["evaluations"], row["reused"], row["taken_over"]) == (6, 1, 1)
    assert len(row["trainings"]) == 6
    assert all(one.on_budget for one in search_outcomes(engine, "digits-1"))


def test_the_best_is_the_one_that_is_shown(engine: Engine):
    """The fittest, or the candidate that the search itself calls its best: as `show_search`."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE searches SET best_candidate_id = 4, test_accuracy = 0.5 WHERE name = 'digits-1'"
        )
    (row,) = compared(engine, ["digits-1"])
    best = searches.show_search(engine, "digits-1")["best"]

    assert (row["fitness"], row["test_accuracy"]) == (0.125, 0.5)
    assert (row["depth"], row["parameters"]) == (best["depth"], best["parameters"]) == (4, 1004)


def test_searches_are_in_the_order_asked_for(engine: Engine):
    """One without outcomes has no accuracy; one that does not exist is left out."""
    rows = compared(engine, ["digits-1", "no such", "empty"])

    assert [row["name"] for row in rows] == ["digits-1", "empty"]
    assert (rows[1]["evaluations"], rows[1]["epochs"], rows[1]["trainings"]) == (0, 0, [])
    assert (rows[1]["fitness"], rows[1]["depth"]) == (None, None)
    assert compared(engine, []) == []


@pytest.mark.parametrize(
    ("prefix", "names"),
    [("", {"empty", "digits-1", "digits_2"}), ("digits-", {"digits-1"}), ("digits_", {"digits_2"})],
)
def test_names_are_found_by_how_they_begin(engine: Engine, url: str, prefix, names):
    """An underscore is an underscore, not any character."""
    store = SqlStore(url)
    store.create_search(record("digits_2"))
    store.close()

    assert names_beginning(engine, prefix) == names
