"""The evaluator on Ray: deaths, stuck tasks, clusters that are not there.

Functions for the workers name nothing of this module, which a worker would import, torch with it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import ray
from ray.exceptions import RaySystemError

from db.store import SqlStore
from tests.support.trainings import dataset, drain, patient, plan, task
from vlga.errors import EvaluatorError
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask
from workers.cluster import room, time_limits
from workers.cluster.connect import connect
from workers.evaluators import on_ray
from workers.evaluators.on_ray import RayEvaluator

DATASET = dataset()


@pytest.mark.usefixtures("cluster")
class TestOnACluster:
    def test_workers_are_used_again(self):
        """Many tasks need no more worker processes than slots."""
        evaluator = RayEvaluator(DATASET)
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
            return Evaluation(one.candidate_id, 2, one.seed, fitness=0.5), None

        evaluator = RayEvaluator(DATASET, n_workers=1, function=alone)
        for number in range(5):
            evaluator.submit(task(number))

        assert evaluator.n_slots == 1
        assert [one.message for one in drain(evaluator)] == [""] * 5

    def test_an_error_of_the_machinery_is_an_outcome(self):
        """What a worker raises comes out as a failed evaluation, in one line.

        Without where it was raised, which is as long as the paths of the worker's files.
        """

        def fail(_task: EvaluationTask) -> tuple[Evaluation, None]:
            raise LookupError("no such thing\nas this")

        evaluator = RayEvaluator(DATASET, function=fail)
        evaluator.submit(task(4))
        (outcome,) = drain(evaluator)

        assert outcome.reason is FailureReason.ERROR
        assert outcome.candidate_id == 4
        assert outcome.message == "LookupError: no such thing as this"

    def test_a_process_that_lost_its_gpu_ends(self, tmp_path: Path):
        """The task's worker counts as lost, and the next task has a process that works."""
        mark = tmp_path / "process"

        def lose_gpu_once(one: EvaluationTask) -> tuple[Evaluation, None]:
            from workers.training.cuda_errors import UnusableGpuError

            if not mark.exists():
                mark.write_text(str(os.getpid()))
                raise UnusableGpuError("CUDA error: unspecified launch failure")
            worker = str(os.getpid())
            return Evaluation(one.candidate_id, 2, one.seed, fitness=0.5, worker=worker), None

        evaluator = RayEvaluator(DATASET, n_workers=1, function=lose_gpu_once)
        evaluator.submit(task(0))
        evaluator.submit(task(1))
        lost, completed = sorted(drain(evaluator), key=lambda one: one.candidate_id)

        assert lost.reason is FailureReason.WORKER_LOST
        assert completed.worker
        assert completed.worker != mark.read_text()

    def test_a_killed_worker_s_task_is_lost(self, tmp_path: Path):
        """Ray does not run it again by itself; the next task is none the worse for it."""
        evaluator = RayEvaluator(DATASET, function=_dying(tmp_path, n_deaths=1))
        evaluator.submit(task(0))
        (outcome,) = drain(evaluator)

        assert outcome.reason is FailureReason.WORKER_LOST
        assert "\n" not in outcome.message
        assert outcome.n_parameters == plan().n_parameters
        evaluator.submit(task(0))
        assert [one.completed for one in drain(evaluator)] == [True]

    def test_tried_again_a_killed_worker_costs_no_outcome(self, tmp_path: Path):
        """Two workers die in the middle of a task each, and both tasks complete."""
        evaluator = patient(RayEvaluator(DATASET, function=_dying(tmp_path, n_deaths=1)))
        evaluator.submit(task(0))
        evaluator.submit(task(1))

        assert sorted(one.candidate_id for one in drain(evaluator) if one.completed) == [0, 1]
        assert len(list(tmp_path.iterdir())) == 2

    def test_a_task_that_hangs_is_killed(self, monkeypatch):
        """Also in native code that lets no other thread run; its time begins when it does."""
        monkeypatch.setattr(time_limits, "_SECONDS_OVER_LIMIT", 1.0)

        def hang(_task: EvaluationTask) -> tuple[Evaluation, None]:
            re.match("(a+)+$", "a" * 99 + "b")
            raise AssertionError

        evaluator = RayEvaluator(DATASET, function=hang)
        for number in range(3):
            evaluator.submit(task(number, seconds=1e-6))
        started = time.monotonic()
        ended = drain(evaluator)

        assert {one.candidate_id for one in ended} == {0, 1, 2}
        assert {(one.reason, one.message) for one in ended} == {
            (FailureReason.TIMED_OUT, "killed: no answer within 1 s")
        }
        assert time.monotonic() - started > 2.0  # the third had to wait for another's end

    def test_a_task_that_hangs_is_tried_again_with_its_time_anew(self, monkeypatch, tmp_path: Path):
        """It hangs once; the second time it is not killed for the time that the first one took."""
        monkeypatch.setattr(time_limits, "_SECONDS_OVER_LIMIT", 1.0)

        def hang_once(one: EvaluationTask) -> tuple[Evaluation, None]:
            if not (tmp_path / "hung").exists():
                (tmp_path / "hung").touch()
                threading.Event().wait()
            threading.Event().wait(0.5)
            return Evaluation(one.candidate_id, 2, one.seed, fitness=0.5), None

        evaluator = patient(RayEvaluator(DATASET, function=hang_once))
        evaluator.submit(task(0, seconds=1e-6))

        assert [one.completed for one in drain(evaluator)] == [True]

    @pytest.mark.parametrize("when", ["before", "meanwhile"])
    def test_a_final_training_has_room_on_the_machines_that_are_left(self, monkeypatch, when):
        """One that was larger leaves before the training starts, or while it waits for room."""

        def count_cpus(one: EvaluationTask) -> tuple[Evaluation, None]:
            import ray

            cpus = ray.get_runtime_context().get_assigned_resources()["CPU"]
            return Evaluation(one.candidate_id, 2, one.seed, 0.5, message=f"{cpus:g} CPUs"), None

        left = ray.nodes()
        machines = [*left, {"Alive": True, "Resources": {"CPU": 16.0, "memory": 2.0**34}}]
        monkeypatch.setattr(ray, "nodes", lambda: machines)
        monkeypatch.setattr(room, "_SECONDS", 0.0)
        evaluator = RayEvaluator(DATASET, function=count_cpus)
        if when == "before":
            machines = left
        evaluator.submit(task(0, is_final=True))
        if when == "meanwhile":
            assert not evaluator.wait(1.5)
            machines = left

        ended = evaluator.wait(60)
        evaluator.close()
        assert [one.evaluation.message for one in ended] == ["2 CPUs"]

    @pytest.mark.parametrize(("n_together", "cpus"), [(1, 2), (2, 1), (3, 1)])
    def test_final_trainings_share_the_cpus_of_a_machine(self, n_together, cpus):
        """Equally, as many as there are at a time, but none has fewer than another training."""

        def count_cpus(one: EvaluationTask) -> tuple[Evaluation, None]:
            import ray

            cpus = ray.get_runtime_context().get_assigned_resources()["CPU"]
            return Evaluation(one.candidate_id, 2, one.seed, 0.5, message=f"{cpus:g} CPUs"), None

        evaluator = RayEvaluator(DATASET, function=count_cpus)
        for number in range(n_together):
            evaluator.submit(task(number, is_final=True, n_together=n_together))

        assert {one.message for one in drain(evaluator)} == {f"{cpus} CPUs"}

    @pytest.mark.parametrize(
        ("wish", "message"),
        [
            (
                {"gpus_per_evaluation": 1000.0},
                "--gpus-per-evaluation .* at most the 0 GPUs .* but got 1000",
            ),
            (
                {"cpus_per_evaluation": 1000.0},
                "--cpus-per-evaluation .* at most the 2 CPUs .* but got 1000",
            ),
        ],
    )
    def test_resources_that_are_not_there(self, wish, message):
        """A cluster that has not what one task needs is refused at once."""
        with pytest.raises(EvaluatorError, match=message):
            RayEvaluator(DATASET, **wish)


@pytest.mark.parametrize(
    "error", [ConnectionError("no head"), grpc.RpcError("no head"), RaySystemError("no head")]
)
@pytest.mark.parametrize("call", ["cluster_resources", "nodes", "put"])
def test_a_cluster_that_goes_as_soon_as_it_is_reached(monkeypatch, call: str, error: Exception):
    """Whatever Ray raises is the project's error, and the dead connection is let go of."""

    def fail(*_: object) -> None:
        raise error

    let_go = []
    monkeypatch.setattr(on_ray, "connect", lambda *_: True)
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "shutdown", lambda: let_go.append(True))
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}])
    monkeypatch.setattr(ray, call, fail)

    with pytest.raises(EvaluatorError) as raised:
        RayEvaluator(DATASET, address="ray://head:10001")
    assert "\n" not in str(raised.value)
    assert let_go == [True]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there(address: str):
    """An address where nobody listens is refused at once, in one line with the way out."""
    with pytest.raises(EvaluatorError, match=r"must be reachable, but is not: .*--inline") as error:
        connect(address, None, 1.0, DATASET.summary())

    assert "\n" not in str(error.value)
    assert address in str(error.value)


@pytest.mark.usefixtures("no_cluster")
def test_a_user_s_own_packages_do_not_get_in_the_way(tmp_path: Path):
    """A search started in a folder with its own `db` and `workers` uses ours, on Ray as well."""
    for name in ("db", "workers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    settings = ("budget.evaluations=2", "data.train_limit=100", "limits.max_macs=100_000",
                "training.epochs=1", "final.epochs=1")  # fmt: skip
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


def _dying(folder: Path, n_deaths: int) -> Callable[[EvaluationTask], tuple[Evaluation, None]]:
    """Give a task's function that kills its own process so often, leaving a file each time."""

    def train(one: EvaluationTask) -> tuple[Evaluation, None]:
        for death in range(n_deaths):
            mark = folder / f"{one.candidate_id}-{death}"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return Evaluation(one.candidate_id, 2, one.seed, fitness=0.5), None

    return train
