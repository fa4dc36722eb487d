"""Transient failures are tried again, so often and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest

from tests.support.searching import Outcome, ScriptedEvaluator
from tests.support.trainings import drain, task, train_out
from vlga.ports.evaluation import FailureReason
from vlga.ports.evaluator import EvaluationTask, Trained
from workers.evaluators.patient import PatientEvaluator

LOST, TIMED_OUT = FailureReason.WORKER_LOST, FailureReason.TIMED_OUT


def scripted(
    outcome: Callable[[EvaluationTask], Outcome], n_slots: int = 2, rng: Random | None = None
) -> tuple[PatientEvaluator, Counter[int]]:
    """Give one over scripted trainings of a second each, and how often each task was tried."""
    n_tried: Counter[int] = Counter()

    def counted(one: EvaluationTask) -> Outcome:
        n_tried[one.candidate_id] += 1
        return outcome(one)

    inner = ScriptedEvaluator(n_slots, outcome=counted, rng=rng)
    return PatientEvaluator(inner, lambda: inner, clock=inner.clock), n_tried


@pytest.mark.parametrize("reason", [LOST, TIMED_OUT])
def test_what_works_the_second_time_has_not_failed(reason):
    """One lost worker or time-out leaves no trace in the outcome, nor in the weights."""
    evaluator, n_tried = scripted(lambda one: reason if n_tried[one.candidate_id] == 1 else 0.5)
    for number in range(5):
        evaluator.submit(task(number, keep_weights=True))
    for one in train_out(evaluator):
        assert (one.evaluation.fitness, one.evaluation.message) == (0.5, "")
        assert one.weights is not None
        assert one.weights.candidate_id == one.evaluation.candidate_id

    assert n_tried == dict.fromkeys(range(5), 2)


@pytest.mark.parametrize(("reason", "n"), [(LOST, 8), (TIMED_OUT, 2)])
def test_a_network_that_always_fails_has_failed(reason, n):
    """It ends while others complete, and says how often it was tried."""
    evaluator, n_tried = scripted(lambda one: reason if one.candidate_id == 1 else 0.5)
    for number in range(30):
        evaluator.submit(task(number))
    ended = {one.candidate_id: one for one in drain(evaluator)}

    assert [number for number, one in ended.items() if not one.completed] == [1]
    assert ended[1].reason is reason
    assert ended[1].message == f"it was to be expected; tried {n} times"
    assert n_tried[1] == n


def test_where_every_worker_dies_it_ends_as_well():
    """Nothing is tried more than 24 times, however many others die."""
    evaluator, n_tried = scripted(lambda _: LOST)
    for number in range(5):
        evaluator.submit(task(number))

    assert [one.reason for one in drain(evaluator)] == [LOST] * 5
    assert max(n_tried.values()) == 24


@pytest.mark.parametrize("n_slots", [1, 2, 16])
def test_workers_that_die_at_random_count_against_nobody(n_slots):
    """Every second training of 200 dies: all complete, where four tries would lose a dozen."""
    rng = Random(n_slots)
    evaluator, n_tried = scripted(lambda _: LOST if rng.random() < 0.5 else 0.5, n_slots, Random(0))
    for number in range(200):
        evaluator.submit(task(number))

    assert all(one.completed for one in drain(evaluator))
    assert sum(n > 4 for n in n_tried.values()) > 5


@pytest.mark.parametrize("reason", sorted(set(FailureReason) - {LOST, TIMED_OUT}))
def test_what_tells_of_the_network_is_not_tried_again(reason):
    """Its outcome is given as it is."""
    evaluator, n_tried = scripted(lambda _: reason)
    evaluator.submit(task(0))
    (outcome,) = drain(evaluator)

    assert (outcome.reason, outcome.message) == (reason, "it was to be expected")
    assert n_tried[0] == 1


class Answering(ScriptedEvaluator):
    """One whose workers say who they are: none of them hung."""

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        return [
            replace(one, evaluation=replace(one.evaluation, worker="here:1"))
            for one in super().wait(timeout_seconds)
        ]


@pytest.mark.parametrize(
    ("reasons", "n_tried"),
    [
        ({0: TIMED_OUT}, {0: 1, 1: 1, 2: 1}),  # it was slow itself
        ({0: LOST, 1: TIMED_OUT}, {0: 2, 1: 2, 2: 1}),  # the machine was
        ({0: TIMED_OUT, 1: TIMED_OUT}, {0: 1, 1: 2, 2: 1}),
        ({0: TIMED_OUT, 2: TIMED_OUT}, {0: 1, 1: 1, 2: 1}),  # that was long ago
    ],
)
def test_a_slow_training_is_tried_again_only_if_others_lost_time_too(reasons, n_tried):
    """Trainings take a second each, one after the other; each fails the first time or never."""
    tried: Counter[int] = Counter()

    def outcome(one: EvaluationTask) -> Outcome:
        tried[one.candidate_id] += 1
        return reasons.get(one.candidate_id, 0.5) if tried[one.candidate_id] == 1 else 0.5

    inner = Answering(1, outcome=outcome)
    evaluator = PatientEvaluator(inner, lambda: inner, clock=inner.clock)
    for number in range(3):
        evaluator.submit(task(number))
    failed = {one.candidate_id: one.message for one in drain(evaluator) if not one.completed}

    assert tried == n_tried
    once = [number for number, n in n_tried.items() if n == 1 and number in reasons]
    assert failed == dict.fromkeys(once, "it was to be expected")


def test_a_wait_ends_with_its_time():
    """Also where something ended that is tried again; the rest comes later."""
    evaluator, n_tried = scripted(lambda one: TIMED_OUT if n_tried[one.candidate_id] == 1 else 0.5)
    evaluator.submit(task(0))

    assert not evaluator.wait(1.0)
    assert n_tried[0] == 1
    assert [one.evaluation.completed for one in evaluator.wait(60)] == [True]


def test_what_is_to_be_tried_again_can_be_given_up():
    """Drained or cancelled it does not come out, and the next task of that number starts anew."""
    evaluator, n_tried = scripted(lambda one: LOST if n_tried[one.candidate_id] < 8 else 0.5, 1)
    for give_up in (evaluator.drain, evaluator.cancel):
        for number in range(2):
            evaluator.submit(task(number))
        assert not evaluator.wait(1.0)  # the first is lost, and now behind the second
        give_up()
        evaluator.cancel()
        n_tried.clear()

    evaluator.submit(task(0))
    assert [one.completed for one in drain(evaluator)] == [True]
    assert n_tried[0] == 8
