"""A cluster that is gone is waited for, and all that was out is trained on the next one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.support.searching import Clock, Outcome, ScriptedEvaluator
from tests.support.trainings import drain, task
from vlga.errors import EvaluatorError, EvaluatorLost
from vlga.ports.evaluation import FailureReason
from vlga.ports.evaluator import EvaluationTask, Evaluator
from vlga.ports.machines import Machines
from workers.evaluators.patient import PatientEvaluator

ABSENT = EvaluatorError("the cluster must be reachable, but is not")
LOST = EvaluatorLost("the cluster is gone")


class OneOfMany(ScriptedEvaluator):
    """Tells whether it was closed.

    Attributes:
        refusal: raised for the first task.
    """

    refusal: Exception | None = None
    is_closed = False

    def submit(self, task: EvaluationTask) -> None:
        if self.refusal is not None:
            raise self.refusal
        super().submit(task)

    def close(self) -> None:
        super().close()
        self.is_closed = True


class Clusters:
    """Clusters one after the other, with one slot and one machine more each time.

    Attributes:
        clock: moved on by what is slept.
        made: every evaluator.
        absences: errors to come instead of the next evaluators.
        n_refusing: evaluators to come that take no task.
        refusal: what they raise instead.
    """

    def __init__(self, outcome: Callable[[EvaluationTask], Outcome] = lambda _: 0.5) -> None:
        self.clock = Clock()
        self.made: list[OneOfMany] = []
        self.absences: Iterator[EvaluatorError] = iter(())
        self.n_refusing, self.refusal = 0, LOST
        self._outcome = outcome
        self.evaluator = PatientEvaluator(
            self.make(), self.make, clock=self.clock, sleep=self.sleep
        )

    def make(self) -> Evaluator:
        for error in self.absences:
            raise error
        number = len(self.made) + 1
        made = OneOfMany(number, outcome=self._outcome, machines=Machines(number, n_gpus=0))
        made.refusal = self.refusal if self.n_refusing else None
        self.n_refusing = max(0, self.n_refusing - 1)
        self.made.append(made)
        return made

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 1
        self.clock.now += seconds


def losing(*numbers: int) -> Callable[[EvaluationTask], Outcome]:
    """Lose the cluster when these tasks would end for the first time."""
    tried: Counter[int] = Counter()

    def outcome(one: EvaluationTask) -> Outcome:
        tried[one.candidate_id] += 1
        is_lost = one.candidate_id in numbers and tried[one.candidate_id] == 1
        return LOST if is_lost else 0.5

    return outcome


def test_every_task_comes_out_once_whatever_is_lost(caplog):
    """What is out goes to the next evaluator in the same order; what had ended does not."""
    caplog.set_level(logging.INFO, logger="workers")
    clusters = Clusters(losing(1, 3))
    for number in range(5):
        clusters.evaluator.submit(task(number))

    assert [one.candidate_id for one in drain(clusters.evaluator)] == [0, 1, 2, 3, 4]
    submitted = [[one.candidate_id for one in each.submitted] for each in clusters.made]
    assert submitted == [[0, 1, 2, 3, 4], [1, 2, 3, 4], [3, 4]]
    assert clusters.made[0].n_cancelled == 4
    assert clusters.evaluator.n_slots == 3
    assert clusters.evaluator.machines == Machines(3, n_gpus=0)
    assert caplog.messages == 2 * [
        "the cluster is gone; waiting up to 10 minutes for it",
        "the workers are back",
    ]


def test_what_is_submitted_meanwhile_is_not_lost():
    """Nor is the time of a wait exceeded."""
    clusters = Clusters(losing(0))
    clusters.absences = iter([ABSENT] * 5)
    clusters.evaluator.submit(task(0))

    started = clusters.clock.now
    assert not clusters.evaluator.wait(2.5)
    assert clusters.clock.now - started == pytest.approx(2.5)
    assert clusters.evaluator.machines == Machines(1, n_gpus=0)
    clusters.evaluator.submit(task(1))
    assert [one.candidate_id for one in drain(clusters.evaluator)] == [0, 1]


@pytest.mark.parametrize("timeout_seconds", [None, 5.0])
def test_patience_ends(timeout_seconds):
    """After ten minutes, with what is wrong; the driver says how to go on."""
    clusters = Clusters(losing(0))
    clusters.evaluator.submit(task(0))
    clusters.absences = iter(lambda: ABSENT, None)
    started = clusters.clock.now

    with pytest.raises(EvaluatorLost, match="must be reachable, but is not"):
        while not clusters.evaluator.wait(timeout_seconds):
            pass
    assert clusters.clock.now - started == pytest.approx(600)


def test_a_cluster_that_is_gone_again_is_waited_for_as_long():
    """Patience begins anew with every loss."""
    clusters = Clusters(losing(0, 1))
    for number in range(2):
        clusters.evaluator.submit(task(number))
    clusters.absences = iter([ABSENT] * 400)
    first = clusters.evaluator.wait()
    clusters.absences = iter([ABSENT] * 400)
    second = clusters.evaluator.wait()

    assert [one.evaluation.candidate_id for one in (*first, *second)] == [0, 1]


def test_one_that_is_lost_while_it_is_given_its_tasks_is_not_there_yet():
    """It is looked for again."""
    clusters = Clusters(losing(0))
    clusters.evaluator.submit(task(0))
    clusters.n_refusing = 1

    assert [one.candidate_id for one in drain(clusters.evaluator)] == [0]
    assert [one.is_closed for one in clusters.made] == [True, True, False]


def test_one_that_takes_no_task_for_another_reason_is_closed_too():
    """The error is a bug's and goes on; what was begun does not stay behind."""
    clusters = Clusters(losing(0))
    clusters.evaluator.submit(task(0))
    clusters.n_refusing, clusters.refusal = 1, LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        clusters.evaluator.wait()
    assert [one.is_closed for one in clusters.made] == [True, True]


def test_workers_lost_before_the_cluster_count_and_the_cluster_does_not():
    """A task that lost seven workers, then its cluster, and an eighth, was tried eight times."""
    outcomes = iter([FailureReason.WORKER_LOST] * 7 + [LOST] + [FailureReason.WORKER_LOST])
    clusters = Clusters(lambda _: next(outcomes))
    clusters.evaluator.submit(task(0))

    (outcome,) = drain(clusters.evaluator)
    assert outcome.message == "it was to be expected; tried 8 times"
    assert len(clusters.made) == 2


class TestWhileThereIsNone:
    @pytest.fixture
    def clusters(self) -> Clusters:
        clusters = Clusters(losing(0))
        for number in range(3):
            clusters.evaluator.submit(task(number))
        clusters.absences = iter(lambda: ABSENT, None)
        assert not clusters.evaluator.wait(0.5)
        return clusters

    def test_drained_it_gives_up_everything(self, clusters):
        """What was in training as well: nothing would come of it."""
        assert sorted(clusters.evaluator.drain()) == [0, 1, 2]
        assert not clusters.evaluator.wait()

    def test_cancelled_and_closed_it_waits_for_nothing(self, clusters):
        """Also twice."""
        clusters.evaluator.cancel()
        assert not clusters.evaluator.wait()
        clusters.evaluator.close()
        clusters.evaluator.close()

    def test_slots_are_the_last_one_s(self, clusters):
        """The driver may ask at any time."""
        assert clusters.evaluator.n_slots == 1
