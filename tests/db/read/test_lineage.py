from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, event

from db.read import lineage
from db.read.lineage import ancestors
from db.store import SqlStore
from tests.support.records import candidate, evaluation, genome, record
from vlga.errors import ConfigError, SearchNotFound, StoreError
from vlga.ports.evaluation import FailureReason


def ways_back(engine: Engine, number: int, depth: int | None = None) -> list[tuple[int, int]]:
    return [
        (one["id"], one["distance"]) for one in ancestors(engine, "digits-1", number, depth=depth)
    ]


def test_ancestors_are_the_nearest_first(engine: Engine):
    """Each once, at its shortest distance, the asked one first."""
    assert ways_back(engine, 4) == [(4, 0), (2, 1), (0, 2), (1, 2)]
    # 0 is both parent and grandparent.
    assert ways_back(engine, 3) == [(3, 0), (0, 1), (2, 1), (1, 2)]
    assert ways_back(engine, 5) == [(5, 0)]


def test_depth_is_how_far_it_looks(engine: Engine):
    """0 is the individual itself."""
    assert ways_back(engine, 4, depth=0) == [(4, 0)]
    assert ways_back(engine, 4, depth=1) == [(4, 0), (2, 1)]


def test_an_ancestor_comes_with_what_is_known_of_it(engine: Engine):
    """Its best fitness in training, final trainings left out; why it has none; all of it JSON."""
    three, zero, two, one = ancestors(engine, "digits-1", 3)

    assert json.loads(json.dumps([three, zero])) == [three, zero]
    assert three == {
        "id": 3,
        "parents": [0, 2],
        "phase": 0,
        "generation": 1,
        "rung": 0,
        "operator": "uniform_crossover",
        "weights_from": 0,
        "fingerprint": f"{3:016x}",
        "depth": 2,
        "genome": genome(1).to_dict(),
        "fitness": None,
        "reason": "out_of_memory",
        "distance": 0,
    }
    assert [(one["fitness"], one["reason"]) for one in (zero, two, one)] == [
        (0.75, None),
        (0.5, None),
        (0.5, None),
    ]
    assert ancestors(engine, "digits-1", 4)[0]["fitness"] == 0.125
    assert ancestors(engine, "digits-1", 5)[0]["reason"] is None


def test_a_failure_that_was_made_good_is_none(engine: Engine, url: str):
    """A fitness counts, whether it came before or after."""
    store = SqlStore(url)
    store.add_evaluations("digits-1", [evaluation(3, fitness=0.25)])
    store.add_evaluations("digits-1", [evaluation(0, reason=FailureReason.DIVERGED)])
    store.close()

    three, zero, *_ = ancestors(engine, "digits-1", 3)
    assert (three["fitness"], three["reason"]) == (0.25, None)
    assert (zero["fitness"], zero["reason"]) == (0.75, None)


def test_a_statement_asks_for_a_part_of_many(engine: Engine, monkeypatch):
    """No database takes any number of values; the order is as for few."""
    monkeypatch.setattr(lineage, "_AT_ONCE", 1)

    assert ways_back(engine, 3) == [(3, 0), (0, 1), (2, 1), (1, 2)]


def test_only_ancestors_are_read(engine: Engine):
    """One statement a generation, however many candidates there are."""
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    ancestors(engine, "digits-1", 4)

    assert sum("FROM candidates" in one for one in statements) == 3


def test_mistakes_are_named(engine: Engine, url: str):
    """An unknown search, an unknown individual, and a study, whose trainings have no parents."""
    with pytest.raises(SearchNotFound, match="did you mean 'digits-1'"):
        ancestors(engine, "digits1", 0)
    with pytest.raises(StoreError, match="'digits-1' has no 17; its ids go from 0 to 5"):
        ancestors(engine, "digits-1", 17)
    store = SqlStore(url)
    study = record("study-1")
    store.create_search(study)
    store.add_candidates("study-1", [candidate(0)])
    store.close()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE searches SET strategy = 'grid' WHERE name = 'study-1'")

    with pytest.raises(ConfigError, match=r"'study-1' is a study; .* vlga report study-1") as error:
        ancestors(engine, "study-1", 0)
    assert error.value.exit_code == 2
