from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from db.read.reports import learning_curves, search_front, search_genomes, search_outcomes
from db.store import SqlStore
from tests.support.records import candidate, evaluation, genome, record
from vlga.config.load import load_config
from vlga.errors import SearchNotFound
from vlga.ports.evaluation import EpochRecord
from vlga.report.search.summary import Outcome


def test_outcomes_are_in_the_order_of_recording(engine: Engine):
    """Every training and what was taken over, final trainings left out."""
    outcomes = search_outcomes(engine, "digits-1")

    assert [(one.id, one.fitness, one.reason, one.on_budget) for one in outcomes] == [
        (0, 0.25, None, True),
        (2, 0.5, None, True),
        (1, 0.5, None, True),
        (3, None, "out_of_memory", True),
        (0, 0.75, None, True),
        (4, 0.125, None, False),
    ]
    assert outcomes[5] == Outcome(
        id=4,
        phase=1,
        generation=1,
        rung=0,
        operator="uniform_crossover",
        depth=4,
        fingerprint=f"{4:016x}",
        fitness=0.125,
        reason=None,
        on_budget=False,
        epochs=0,
        parameters=1004,
        macs=10**10 + 4,
    )
    assert search_outcomes(engine, "empty") == []


def test_the_front_is_of_what_nobody_exceeds(engine: Engine):
    """Here of fitness and parameters, as the search has fitness alone; the fittest comes first."""
    assert [one.id for one in search_front(engine, "digits-1")] == [0]
    store = SqlStore(str(engine.url.render_as_string(hide_password=False)))
    config = load_config(
        settings=["strategy=steady_state", "objectives=[fitness,macs]", "budget.evaluations=9"]
    )
    store.create_search(replace(record("small"), config=config))
    store.add_candidates("small", [candidate(number) for number in range(4)])
    outcomes = [evaluation(number, fitness=number / 8) for number in range(4)]
    outcomes[2] = replace(outcomes[2], n_macs=1, n_parameters=10**6)
    store.add_evaluations("small", outcomes)
    store.close()

    assert [one.id for one in search_front(engine, "small")] == [3, 2]
    assert search_front(engine, "empty") == []


def test_genomes_are_of_those_asked_for(engine: Engine, monkeypatch):
    """However many a statement may name."""
    for at_once in (500, 1):
        monkeypatch.setattr("db.read.reports._AT_ONCE", at_once)
        assert search_genomes(engine, "digits-1", [5, 0]) == {
            0: genome(1),
            5: genome(2),
        }
    assert search_genomes(engine, "digits-1", []) == {}


def test_curves_are_those_of_the_best_training(engine: Engine):
    """In the order asked for; epochs counted from 1; who has none is left out."""
    assert learning_curves(engine, "digits-1", [2, 0, 4, 3, 5]) == {
        2: [(1, 0.25), (2, 0.25)],
        0: [(1, 0.25), (2, 0.25), (3, 0.25)],
    }
    assert list(learning_curves(engine, "digits-1", [2, 0])) == [2, 0]


def test_an_epoch_that_was_not_measured_is_no_point(engine: Engine, url: str):
    """A curve has accuracies only."""
    point = EpochRecord(0, 1.0, 0.5, None, None, 0.1, 1.0)
    measured = replace(point, epoch=1, validation_loss=1.0, validation_accuracy=0.75)
    store = SqlStore(url)
    store.create_search(record("more"))
    store.add_candidates("more", [candidate(0)])
    store.add_evaluations("more", [replace(evaluation(0), curve=(point, measured))])
    store.close()

    assert learning_curves(engine, "more", [0]) == {0: [(2, 0.75)]}


@pytest.mark.parametrize(
    "read",
    [
        search_outcomes,
        lambda engine, name: search_genomes(engine, name, [0]),
        lambda engine, name: learning_curves(engine, name, [0]),
    ],
)
def test_an_unknown_search_gets_a_hint(engine: Engine, read):
    """As everywhere."""
    with pytest.raises(SearchNotFound, match="did you mean 'digits-1'"):
        read(engine, "digits1")
