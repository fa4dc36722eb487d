"""The contract of the port `Evaluator`: every implementation runs every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
import ray
import torch

from tests.support.searching import Outcome, ScriptedEvaluator
from tests.support.trainings import (
    dataset,
    diverging,
    drain,
    network,
    patient,
    plan,
    task,
    train_out,
)
from vlga.config.training import TrainingConfig
from vlga.errors import EvaluatorError, EvaluatorLost
from vlga.ports.evaluation import FailureReason
from vlga.ports.evaluator import EvaluationTask, Evaluator, Member, Weights
from vlga.ports.machines import Machines
from workers.evaluators import inline
from workers.evaluators.inline import InlineEvaluator
from workers.evaluators.on_ray import RayEvaluator
from workers.evaluators.patient import PatientEvaluator
from workers.networks.weights import pack_weights
from workers.training.cuda_errors import UnusableGpuError

DATASET = dataset()


class EvaluatorContract:
    """What every evaluator does; a subclass gives it as the fixture `evaluator`, idle."""

    def test_has_a_slot(self, evaluator: Evaluator):
        """At least one task can run."""
        assert evaluator.n_slots >= 1

    def test_runs_on_a_machine(self, evaluator: Evaluator):
        """On one at least, idle or busy; it has no GPUs where trainings use none."""
        idle = evaluator.machines
        evaluator.submit(task(0))

        assert evaluator.machines == idle
        assert idle.n_nodes >= 1
        assert idle.n_gpus == 0

    def test_every_task_comes_out_once(self, evaluator: Evaluator):
        """More tasks than slots, some of which fail: each comes out once, as what it is."""
        n = evaluator.n_slots + 4
        for number in range(n):
            evaluator.submit(diverging(number) if number % 3 == 1 else task(number))
        ended = drain(evaluator)
        outcomes = {one.candidate_id: one for one in ended}

        assert len(ended) == n
        assert outcomes.keys() == set(range(n))
        assert {number for number, one in outcomes.items() if not one.completed} == {
            number for number in range(n) if number % 3 == 1
        }
        assert outcomes[1].reason is FailureReason.DIVERGED
        assert outcomes[0].epochs == 2
        assert outcomes[2].seed == 2

    def test_tasks_may_follow_while_others_are_out(self, evaluator: Evaluator):
        """A task submitted between two waits comes out as well."""
        evaluator.submit(task(0))
        evaluator.submit(task(1))
        ended = [*evaluator.wait()]
        evaluator.submit(task(2))

        ended += train_out(evaluator)
        assert sorted(one.evaluation.candidate_id for one in ended) == [0, 1, 2]

    def test_nothing_out_is_nothing_to_wait_for(self, evaluator: Evaluator):
        """With no task out `wait` gives nothing at once, also without a limit of time."""
        assert not evaluator.wait()
        assert not evaluator.wait(60)
        evaluator.submit(task(0))
        drain(evaluator)
        assert not evaluator.wait()

    def test_a_wait_of_no_time_loses_nothing(self, evaluator: Evaluator):
        """`wait(0)` gives what has ended, which may be nothing; the rest comes later."""
        evaluator.submit(task(0))
        ended = [*evaluator.wait(0)]

        ended += train_out(evaluator)
        assert [one.evaluation.candidate_id for one in ended] == [0]

    def test_weights_come_with_their_outcome(self, evaluator: Evaluator):
        """Those of a task that was to keep them of its fitness; of others there are none."""
        for one in (
            task(0, keep_weights=True),
            task(1),
            diverging(2, keep_weights=True),
            task(3, keep_weights=True),
            task(4, keep_weights=True, kept_from=1.1),
        ):
            evaluator.submit(one)
        ended = train_out(evaluator)
        weights = {one.evaluation.candidate_id: one.weights for one in ended}

        assert weights.keys() == {0, 1, 2, 3, 4}
        assert weights[1] is weights[2] is weights[4] is None
        for number in (0, 3):
            kept = weights[number]
            assert kept is not None
            assert kept.candidate_id == number
            assert kept.data

    def test_a_committee_is_scored_and_not_trained(self, evaluator: Evaluator):
        """Of trained networks an outcome without epochs comes out, and no weights."""
        evaluator.submit(task(7, is_final=True, keep_weights=True))
        (trained,) = train_out(evaluator)
        assert trained.weights is not None
        members = (Member(plan(), trained.weights),) * 2
        evaluator.submit(task(7, is_final=True, keep_weights=True, members=members))
        (scored,) = train_out(evaluator)

        assert scored.evaluation.completed
        assert (scored.evaluation.candidate_id, scored.evaluation.epochs) == (7, 0)
        assert scored.weights is None

    def test_cancelled_tasks_never_come_out(self, evaluator: Evaluator):
        """What is out when it is cancelled is gone; what is submitted afterwards is not."""
        for number in range(evaluator.n_slots + 2):
            evaluator.submit(task(number))
        evaluator.cancel()

        assert not evaluator.wait()
        evaluator.submit(task(50))
        assert [one.candidate_id for one in drain(evaluator)] == [50]

    def test_drained_it_gives_up_what_has_not_started(self, evaluator: Evaluator):
        """Every task comes out or is named as given up; of those that cannot run none comes out."""
        n = evaluator.n_slots + 4
        for number in range(n):
            evaluator.submit(task(number))
        given_up = evaluator.drain()
        ended = [one.candidate_id for one in drain(evaluator)]

        assert sorted([*given_up, *ended]) == list(range(n))
        assert len(ended) <= evaluator.n_slots
        assert not evaluator.drain()
        evaluator.submit(task(50))
        assert [one.candidate_id for one in drain(evaluator)] == [50]

    def test_closing_cancels_and_may_be_repeated(self, evaluator: Evaluator):
        """Closed with tasks out, and closed again, it has nothing to give."""
        evaluator.submit(task(0))
        evaluator.close()
        evaluator.close()

        assert not evaluator.wait()


def as_trained(one: EvaluationTask) -> Outcome:
    """Fail as `diverging` does."""
    return FailureReason.DIVERGED if one.plan.optimizer.learning_rate > 1e6 else 0.5


def after_the_first_time(first: Outcome) -> Callable[[EvaluationTask], Outcome]:
    """Give each task this outcome first, and then its own."""
    tried: set[int] = set()

    def outcome(one: EvaluationTask) -> Outcome:
        if one.candidate_id not in tried:
            tried.add(one.candidate_id)
            return first
        return as_trained(one)

    return outcome


class TestScriptedEvaluator(EvaluatorContract):
    """The evaluator of the driver's tests."""

    @pytest.fixture
    def evaluator(self) -> Evaluator:
        return ScriptedEvaluator(n_slots=3, outcome=as_trained)


class TestPatientEvaluator(EvaluatorContract):
    """Each task loses its worker, or the whole cluster, the first time."""

    @pytest.fixture(params=[FailureReason.WORKER_LOST, EvaluatorLost("gone")], ids=str)
    def evaluator(self, request: pytest.FixtureRequest) -> Evaluator:
        outcome = after_the_first_time(request.param)
        make = partial(ScriptedEvaluator, n_slots=3, outcome=outcome)
        return PatientEvaluator(make(), make, sleep=lambda _: None)


class TestInlineEvaluator(EvaluatorContract):
    @pytest.fixture
    def evaluator(self) -> Iterator[Evaluator]:
        evaluator = InlineEvaluator(DATASET)
        yield evaluator
        evaluator.close()

    def test_no_time_means_no_work(self, evaluator: Evaluator):
        """`wait(0)` begins no training, however often it is called."""
        evaluator.submit(task(0))

        assert [evaluator.wait(0) for _ in range(3)] == [(), (), ()]
        assert evaluator.drain() == [0]

    def test_time_runs_out_in_a_training_too(self, evaluator: Evaluator):
        """`wait` gives up waiting, and the training goes on; given up, it ends with its step."""
        endless = replace(task(0), training=TrainingConfig(epochs=100_000, batch_size=16))
        evaluator.submit(endless)
        evaluator.submit(task(1))

        assert evaluator.wait(0.01) == evaluator.wait(0.01) == ()
        assert evaluator.drain() == [1]
        evaluator.cancel()
        evaluator.submit(task(2))
        assert [one.evaluation.candidate_id for one in train_out(evaluator)] == [2]

    def test_has_the_gpu_that_it_trains_on(self, evaluator: InlineEvaluator):
        """The first one, whatever else there is."""
        evaluator._device = "cuda:0"

        assert evaluator.machines == Machines(n_nodes=1, n_gpus=1)

    def test_memory_that_others_have_taken(self, evaluator: Evaluator, monkeypatch):
        """A training that would fill what is free is refused: this process would be killed."""
        monkeypatch.setattr(inline, "available_memory_bytes", lambda: 0)
        evaluator.submit(task(0))
        (refused,) = drain(evaluator)
        monkeypatch.setattr(inline, "available_memory_bytes", lambda: 2**30)
        evaluator.submit(task(1))
        (trained,) = drain(evaluator)

        assert refused.reason is FailureReason.OUT_OF_MEMORY
        assert refused.message.startswith("not tried: needs about ")
        assert trained.completed

    def test_a_gpu_that_can_be_used_no_more(self, evaluator: Evaluator, monkeypatch):
        """It is an outcome here, where the process that lost it has more to do than to train."""

        def fail(*_args, **_rest):
            raise UnusableGpuError("CUDA error: unspecified launch failure")

        monkeypatch.setattr(inline, "evaluate", fail)
        evaluator.submit(task(0))
        (outcome,) = drain(evaluator)

        assert outcome.reason is FailureReason.ERROR
        assert outcome.message == "CUDA error: unspecified launch failure"

    def test_a_gpu_that_is_not_there(self, monkeypatch):
        """On a machine without a GPU asking for one is refused with the way out."""
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

        with pytest.raises(EvaluatorError, match=r"gpus-per-evaluation .* leave the option out"):
            InlineEvaluator(DATASET, use_gpu=True)


@pytest.mark.usefixtures("cluster")
class TestRayEvaluator(EvaluatorContract):
    @pytest.fixture
    def evaluator(self) -> Iterator[Evaluator]:
        evaluator = RayEvaluator(DATASET)
        yield evaluator
        evaluator.close()

    def test_closing_leaves_a_ray_that_was_there_before(self, evaluator: Evaluator):
        """Ray is shut down only by the evaluator that started it."""
        evaluator.close()

        assert ray.is_initialized()

    def test_trains_what_the_inline_evaluator_trains(self):
        """The same tasks have the same outcomes and weights to the bit, here and there."""
        tasks = [
            task(0, keep_weights=True),
            diverging(1),
            task(2, plan(2), weights=Weights(9, pack_weights(network(seed=9))), keep_weights=True),
            task(3, is_final=True, keep_weights=True),
        ]
        # One slot, so that a final training has no more threads than one here; patient, as the
        # closing of another evaluator may kill a worker whose task has just ended.
        found = [_train_all(patient(RayEvaluator(DATASET, n_workers=1)), tasks)]
        found.append(_train_all(InlineEvaluator(DATASET), tasks))

        assert found[0] == found[1]
        assert len(found[0]) == len(tasks)


def _train_all(evaluator: Evaluator, tasks: list[EvaluationTask]) -> dict[int, object]:
    """Give all that a training gave but its times, by candidate."""
    for one in tasks:
        evaluator.submit(one)
    found: dict[int, object] = {}
    for trained in train_out(evaluator):
        of = trained.evaluation
        curve = [replace(record, seconds=0.0) for record in of.curve]
        found[of.candidate_id] = (of.fitness, of.reason, of.message, curve, trained.weights)
    evaluator.close()
    return found
