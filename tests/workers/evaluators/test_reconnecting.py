"""A cluster that is gone is waited for, and all that was out is trained on the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.support.searching import Clock, Outcome, ScriptedEvaluator
from tests.support.trainings import drain, task
from vlga.errors import EvaluatorError, EvaluatorLost
from vlga.ports.evaluator import EvaluationTask, Evaluator
from vlga.ports.machines import Machines
from workers.evaluators.reconnecting import ReconnectingEvaluator

ABSENT = EvaluatorError("the cluster must be reachable, but is not")
LOST = EvaluatorLost("the cluster is gone")


class Refusing(ScriptedEvaluator):
    """Is lost with its first task."""

    def submit(self, task: EvaluationTask) -> None:
        raise LOST


class Clusters:
    """Clusters one after the other, with one slot and one machine more each time.

    Attributes:
        clock: moved on by what is slept.
        made: every evaluator.
        said: what a person was told.
        absences: errors to come instead of the next evaluators.
        n_refusing: evaluators to come that are lost with the first task that they get.
    """

    def __init__(self, outcome: Callable[[EvaluationTask], Outcome] = lambda _: 0.5) -> None:
        self.clock = Clock()
        self.made: list[ScriptedEvaluator] = []
        self.said: list[str] = []
        self.absences: Iterator[EvaluatorError] = iter(())
        self.n_refusing = 0
        self._outcome = outcome
        self.evaluator = ReconnectingEvaluator(
            self.make(), self.make, self.said.append, clock=self.clock, sleep=self.sleep
        )

    def make(self) -> Evaluator:
        for error in self.absences:
            raise error
        kind = Refusing if self.n_refusing else ScriptedEvaluator
        self.n_refusing = max(0, self.n_refusing - 1)
        number = len(self.made) + 1
        self.made.append(kind(number, outcome=self._outcome, machines=Machines(number, n_gpus=0)))
        return self.made[-1]

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


def test_every_task_comes_out_once_whatever_is_lost():
    """What is out goes to the next evaluator in the same order; what had ended does not."""
    clusters = Clusters(losing(1, 3))
    for number in range(5):
        clusters.evaluator.submit(task(number))

    assert [one.candidate_id for one in drain(clusters.evaluator)] == [0, 1, 2, 3, 4]
    submitted = [[one.candidate_id for one in each.submitted] for each in clusters.made]
    assert submitted == [[0, 1, 2, 3, 4], [1, 2, 3, 4], [3, 4]]
    assert clusters.made[0].n_cancelled == 4
    assert clusters.evaluator.n_slots == 3
    assert clusters.evaluator.machines == Machines(3, n_gpus=0)
    assert clusters.said == 2 * [
        "the cluster is gone; waiting up to 10 minutes for it",
        "the workers are back",
    ]


def test_what_is_submitted_meanwhile_is_not_lost():
    """Nor is the time of a wait exceeded."""
    clusters = Clusters(losing(0))
    clusters.absences = iter([ABSENT] * 5)
    clusters.evaluator.submit(task(0))

    started = clusters.clock.now
    assert clusters.evaluator.wait(2.5) == ()
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
    assert len(clusters.made) == 3


class TestWhileThereIsNone:
    @pytest.fixture
    def clusters(self) -> Clusters:
        clusters = Clusters(losing(0))
        for number in range(3):
            clusters.evaluator.submit(task(number))
        clusters.absences = iter(lambda: ABSENT, None)
        assert clusters.evaluator.wait(0.5) == ()
        return clusters

    def test_drained_it_gives_up_everything(self, clusters):
        """What was in training as well: nothing would come of it."""
        assert sorted(clusters.evaluator.drain()) == [0, 1, 2]
        assert clusters.evaluator.wait() == ()

    def test_cancelled_and_closed_it_waits_for_nothing(self, clusters):
        """Also twice."""
        clusters.evaluator.cancel()
        assert clusters.evaluator.wait() == ()
        clusters.evaluator.close()
        clusters.evaluator.close()

    def test_slots_are_the_last_one_s(self, clusters):
        """The driver may ask at any time."""
        assert clusters.evaluator.n_slots == 1
