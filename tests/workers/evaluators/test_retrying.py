"""Transient failures are tried again, so often and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.support.searching import Outcome, ScriptedEvaluator
from tests.support.trainings import drain, task, train_out
from vlga.ports.evaluation import FailureReason
from vlga.ports.evaluator import EvaluationTask
from workers.evaluators.retrying import RetryingEvaluator

LOST, TIMED_OUT = FailureReason.WORKER_LOST, FailureReason.TIMED_OUT


def evaluator(
    outcome: Callable[[EvaluationTask], Outcome], n_slots: int = 2, rng: Random | None = None
) -> tuple[RetryingEvaluator, Counter[int]]:
    """Give one over scripted outcomes, and how often each task was tried."""
    n_tried: Counter[int] = Counter()

    def counted(one: EvaluationTask) -> Outcome:
        n_tried[one.candidate_id] += 1
        return outcome(one)

    return RetryingEvaluator(ScriptedEvaluator(n_slots, outcome=counted, rng=rng)), n_tried


@pytest.mark.parametrize("reason", [LOST, TIMED_OUT])
def test_what_works_the_second_time_has_not_failed(reason):
    """One lost worker or time-out leaves no trace in the outcome, nor in the weights."""
    patient, n_tried = evaluator(lambda one: reason if n_tried[one.candidate_id] == 1 else 0.5)
    for number in range(5):
        patient.submit(task(number, keep_weights=True))
    for one in train_out(patient):
        assert (one.evaluation.fitness, one.evaluation.message) == (0.5, "")
        assert one.weights is not None
        assert one.weights.candidate_id == one.evaluation.candidate_id

    assert n_tried == dict.fromkeys(range(5), 2)


@pytest.mark.parametrize(("reason", "n"), [(LOST, 8), (TIMED_OUT, 2)])
def test_a_network_that_always_fails_has_failed(reason, n):
    """It ends while others complete, and says how often it was tried."""
    patient, n_tried = evaluator(lambda one: reason if one.candidate_id == 1 else 0.5)
    for number in range(30):
        patient.submit(task(number))
    ended = {one.candidate_id: one for one in drain(patient)}

    assert [number for number, one in ended.items() if not one.completed] == [1]
    assert ended[1].reason is reason
    assert ended[1].message == f"it was to be expected; tried {n} times"
    assert n_tried[1] == n


def test_where_every_worker_dies_it_ends_as_well():
    """Nothing is tried more than 24 times, however many others die."""
    patient, n_tried = evaluator(lambda _: LOST)
    for number in range(5):
        patient.submit(task(number))

    assert [one.reason for one in drain(patient)] == [LOST] * 5
    assert max(n_tried.values()) == 24


@pytest.mark.parametrize("n_slots", [1, 2, 16])
def test_workers_that_die_at_random_count_against_nobody(n_slots):
    """Every second training of 200 dies: all complete, where four tries would lose a dozen."""
    rng = Random(n_slots)
    patient, n_tried = evaluator(lambda _: LOST if rng.random() < 0.5 else 0.5, n_slots, Random(0))
    for number in range(200):
        patient.submit(task(number))

    assert all(one.completed for one in drain(patient))
    assert sum(n > 4 for n in n_tried.values()) > 5


@pytest.mark.parametrize("reason", sorted(set(FailureReason) - {LOST, TIMED_OUT}))
def test_what_tells_of_the_network_is_not_tried_again(reason):
    """Its outcome is given as it is."""
    patient, n_tried = evaluator(lambda _: reason)
    patient.submit(task(0))
    (outcome,) = drain(patient)

    assert (outcome.reason, outcome.message) == (reason, "it was to be expected")
    assert n_tried[0] == 1


def test_a_wait_ends_with_its_time():
    """Also where something ended that is tried again; the rest comes later."""
    patient, n_tried = evaluator(lambda one: TIMED_OUT if n_tried[one.candidate_id] == 1 else 0.5)
    patient.submit(task(0))

    assert not patient.wait(1e-9)
    assert n_tried[0] == 1
    assert [one.evaluation.completed for one in patient.wait(60)] == [True]


def test_what_is_to_be_tried_again_can_be_given_up():
    """Drained or cancelled it does not come out, and the next task of that number starts anew."""
    patient, n_tried = evaluator(lambda one: LOST if n_tried[one.candidate_id] < 8 else 0.5, 1)
    for give_up in (patient.drain, patient.cancel):
        for number in range(2):
            patient.submit(task(number))
        assert not patient.wait(1e-9)  # the first is lost, and now behind the second
        give_up()
        patient.cancel()
        n_tried.clear()

    patient.submit(task(0))
    assert [one.completed for one in drain(patient)] == [True]
    assert n_tried[0] == 8
