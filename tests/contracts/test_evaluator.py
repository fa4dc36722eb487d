"""The contract of the port `Evaluator`: every implementation runs every test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import ray
import torch

from db.store import SqlStore
from tests.trainings import dataset, diverging, network, plan, task
from tests.vlga.searching import Outcome, ScriptedEvaluator
from vlga.errors import EvaluatorError
from vlga.population import Evaluation, FailureReason
from vlga.ports import EvaluationTask, Evaluator, Weights
from workers import ray_evaluator
from workers.inline_evaluator import InlineEvaluator
from workers.ray_cluster import connect
from workers.ray_evaluator import RayEvaluator
from workers.weights import pack_weights

DATASET = dataset()


def drain(evaluator: Evaluator) -> list[Evaluation]:
    """Wait until nothing is out any more; give everything that came."""
    ended: list[Evaluation] = []
    while some := evaluator.wait():
        ended += some
    return ended


class EvaluatorContract:
    """What every evaluator does; a subclass gives it as the fixture `evaluator`, idle."""

    def test_has_a_slot(self, evaluator: Evaluator):
        """At least one task can run."""
        assert evaluator.n_slots >= 1

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

        assert sorted(one.candidate_id for one in (*ended, *drain(evaluator))) == [0, 1, 2]

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

        assert [one.candidate_id for one in (*ended, *drain(evaluator))] == [0]

    def test_weights_are_those_of_the_last_wait(self, evaluator: Evaluator):
        """Kept weights can be had until the next wait, by whom they belong to."""
        for number in range(4):
            evaluator.submit(task(number, keep_weights=True))
        given: set[int] = set()
        while ended := evaluator.wait():
            numbers = {one.candidate_id for one in ended}
            for number in range(4):
                weights = evaluator.weights(number)
                assert (weights is not None) == (number in numbers)
                assert weights is None or weights.candidate_id == number
                assert weights is None or weights.data
            given |= numbers

        assert given == {0, 1, 2, 3}

    def test_weights_are_given_only_if_kept(self, evaluator: Evaluator):
        """There are no weights of a task that kept none, that failed, or that never was."""
        evaluator.submit(task(0))
        (first,) = evaluator.wait()
        assert first.completed
        assert evaluator.weights(0) is None

        evaluator.submit(diverging(1, keep_weights=True))
        evaluator.wait()
        assert evaluator.weights(1) is None
        assert evaluator.weights(99) is None

    def test_cancelled_tasks_never_come_out(self, evaluator: Evaluator):
        """What is out when it is cancelled is gone; what is submitted afterwards is not."""
        for number in range(evaluator.n_slots + 2):
            evaluator.submit(task(number))
        evaluator.cancel()

        assert not evaluator.wait()
        evaluator.submit(task(50))
        assert [one.candidate_id for one in drain(evaluator)] == [50]

    def test_closing_cancels_and_may_be_repeated(self, evaluator: Evaluator):
        """Closed with tasks out, and closed again, it has nothing to give."""
        evaluator.submit(task(0))
        evaluator.close()
        evaluator.close()

        assert not evaluator.wait()


class TestScriptedEvaluator(EvaluatorContract):
    """The evaluator of the driver's tests."""

    @pytest.fixture
    def evaluator(self) -> Evaluator:
        def outcome(one: EvaluationTask) -> Outcome:
            return FailureReason.DIVERGED if one.plan.optimizer.learning_rate > 1e6 else 0.5

        return ScriptedEvaluator(n_slots=3, outcome=outcome)


class TestInlineEvaluator(EvaluatorContract):
    @pytest.fixture
    def evaluator(self) -> Evaluator:
        return InlineEvaluator(DATASET)

    def test_no_time_means_no_work(self, evaluator: Evaluator):
        """`wait(0)` trains nothing, however often it is called."""
        evaluator.submit(task(0))

        assert [evaluator.wait(0) for _ in range(3)] == [(), (), ()]
        assert len(evaluator.wait(0.001)) == 1

    def test_a_gpu_that_is_not_there(self, monkeypatch):
        """On a machine without a GPU asking for one is refused with the way out."""
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

        with pytest.raises(EvaluatorError, match=r"gpus-per-evaluation .* leave the option out"):
            InlineEvaluator(DATASET, use_gpu=True)


@pytest.fixture(scope="class")
def cluster() -> Iterator[None]:
    """Ray on this machine with two CPUs, started once: its workers import torch only once."""
    connect(None, 2, 1.0, DATASET.summary())
    yield
    ray.shutdown()


@pytest.mark.ray
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
        # One slot, so that a final training has no more threads than one here.
        found = [_train_all(RayEvaluator(DATASET, n_workers=1), tasks)]
        found.append(_train_all(InlineEvaluator(DATASET), tasks))

        assert found[0] == found[1]
        assert len(found[0]) == len(tasks)

    def test_the_data_set_is_fetched_once(self, evaluator: Evaluator):
        """Many tasks need no more worker processes than slots."""
        for number in range(8):
            evaluator.submit(task(number))

        assert len({one.worker for one in drain(evaluator)}) <= evaluator.n_slots

    def test_more_room_than_workers_is_left_alone(self, tmp_path: Path):
        """No more tasks run at a time than there are workers, though the cluster has room."""

        def alone(one: EvaluationTask) -> tuple[Evaluation, None]:
            mark = tmp_path / "running"
            mark.touch(exist_ok=False)
            threading.Event().wait(0.1)
            mark.unlink()
            return _outcome(one), None

        evaluator = RayEvaluator(DATASET, n_workers=1, function=alone)
        for number in range(5):
            evaluator.submit(task(number))

        assert evaluator.n_slots == 1
        assert [one.message for one in drain(evaluator)] == [""] * 5

    def test_an_error_of_the_machinery_is_an_outcome(self):
        """What a worker raises comes out as a failed evaluation, in one line."""

        def fail(_task: EvaluationTask) -> tuple[Evaluation, None]:
            raise LookupError("no such thing\nas this")

        evaluator = RayEvaluator(DATASET, function=fail)
        evaluator.submit(task(4))
        (outcome,) = drain(evaluator)

        assert outcome.reason is FailureReason.ERROR
        assert outcome.candidate_id == 4
        assert "no such thing as this" in outcome.message

    def test_a_killed_worker_s_task_is_run_again(self, tmp_path: Path):
        """A worker process killed in the middle of a task costs time and no outcome."""
        evaluator = RayEvaluator(DATASET, function=_dying(tmp_path, n_deaths=1))
        evaluator.submit(task(0))
        evaluator.submit(task(1))

        assert sorted(one.candidate_id for one in drain(evaluator) if one.completed) == [0, 1]
        assert len(list(tmp_path.iterdir())) == 2

    def test_a_task_that_kills_every_worker_is_lost(self, tmp_path: Path):
        """After four deaths a task comes out as lost; the next task is none the worse for it."""
        evaluator = RayEvaluator(DATASET, function=_dying(tmp_path, n_deaths=99))
        evaluator.submit(task(0))
        (outcome,) = drain(evaluator)

        assert outcome.reason is FailureReason.WORKER_LOST
        assert len(list(tmp_path.iterdir())) == 4
        assert "\n" not in outcome.message
        assert outcome.n_parameters == plan().n_parameters

    def test_a_stuck_task_is_killed(self, monkeypatch):
        """A task far over its limit is timed out; its time begins when it has a slot."""
        monkeypatch.setattr(ray_evaluator, "_STUCK_SECONDS", 0.0)

        def hang(_task: EvaluationTask) -> tuple[Evaluation, None]:
            threading.Event().wait()
            raise AssertionError

        evaluator = RayEvaluator(DATASET, function=hang)
        for number in range(3):
            evaluator.submit(task(number, seconds=1e-6))
        ended = evaluator.wait()

        assert {one.candidate_id for one in ended} == {0, 1}
        assert {one.reason for one in ended} == {FailureReason.TIMED_OUT}
        assert not evaluator.wait(0)  # the third has had no time yet
        assert [one.candidate_id for one in evaluator.wait()] == [2]

    @pytest.mark.parametrize(
        ("wish", "message"),
        [
            ({"gpus_per_evaluation": 1000.0}, "--gpus-per-evaluation .*1000 and the cluster has"),
            ({"cpus_per_evaluation": 1000.0}, "--cpus-per-evaluation .*1000 and the cluster has 2"),
        ],
    )
    def test_resources_that_are_not_there(self, wish, message):
        """A cluster that has not what one task needs is refused at once."""
        with pytest.raises(EvaluatorError, match=message):
            RayEvaluator(DATASET, **wish)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_a_cluster_that_is_not_there(address: str):
    """An address where nobody listens is refused at once, in one line with the way out."""
    with pytest.raises(EvaluatorError, match=r"must be reachable, but is not: .*--inline") as error:
        connect(address, None, 1.0, DATASET.summary())

    assert "\n" not in str(error.value)
    assert address in str(error.value)


@pytest.mark.ray
def test_a_user_s_own_packages_do_not_get_in_the_way(tmp_path: Path):
    """A search started in a folder with its own `db` and `workers` uses ours, on Ray as well."""
    for name in ("db", "workers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    settings = ("budget.evaluations=2", "training.epochs=1", "final.epochs=1", "population.size=2")
    command = [sys.executable, "-m", "vlga", "search", "--name", "mine", "--workers", "1"]
    ran = subprocess.run(
        [*command, *(word for one in settings for word in ("--set", one))],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    store = SqlStore(f"sqlite:///{tmp_path}/vlga.db")
    assert [one.completed for one in store.evaluations("mine")] == [True, True]
    assert store.find_search("mine").test_accuracy is not None
    store.close()


def _train_all(evaluator: Evaluator, tasks: list[EvaluationTask]) -> dict[int, object]:
    """Give all that a training gave but its times, by candidate."""
    for one in tasks:
        evaluator.submit(one)
    found: dict[int, object] = {}
    while ended := evaluator.wait():
        for one in ended:
            curve = [replace(record, seconds=0.0) for record in one.curve]
            weights = evaluator.weights(one.candidate_id)
            found[one.candidate_id] = (one.fitness, one.reason, one.message, curve, weights)
    evaluator.close()
    return found


def _outcome(one: EvaluationTask) -> Evaluation:
    return Evaluation(one.candidate_id, one.training.epochs, one.seed, fitness=0.5)


def _dying(folder: Path, n_deaths: int) -> Callable[[EvaluationTask], tuple[Evaluation, None]]:
    """Give a task's function that kills its own process so often, leaving a file each time."""

    def train(one: EvaluationTask) -> tuple[Evaluation, None]:
        for death in range(n_deaths):
            mark = folder / f"{one.candidate_id}-{death}"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return _outcome(one), None

    return train
