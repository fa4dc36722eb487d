"""The evaluator on Ray: every training is a task on a CPU or a share of a GPU."""

from __future__ import annotations

import logging
import math
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

import ray
import ray.exceptions

from vlga.errors import EvaluatorLost
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask, Trained, Weights
from vlga.ports.machines import Machines
from workers.cluster.connect import connect, reaching, while_connected
from workers.cluster.gpus import look_at_gpus, make_shares
from workers.cluster.room import MachineCount, check_room, cpus_alone, memory_for, room_of
from workers.cluster.task import make_entry
from workers.cluster.time_limits import TimeLimits
from workers.data import Dataset
from workers.training.footprint import refusal

__all__ = ["RayEvaluator"]

logger = logging.getLogger(__name__)

#: Seconds that the driver may be late in seeing that a task has started.
_LATE_SECONDS = 2.0


@dataclass(slots=True)
class _Running:
    """A task in Ray's hands.

    Attributes:
        task: what to do.
        weights: what will hold the trained weights.
        cpus: that it reserves.
        gpu_share: that it reserves, in GPUs.
        limit_seconds: after which its worker gives up on it.
        since: when it was first seen among those that have a slot, or None.
    """

    task: EvaluationTask
    weights: ray.ObjectRef
    cpus: float
    gpu_share: float
    limit_seconds: float
    since: float | None = None

    @property
    def is_overdue(self) -> bool:
        """Whether its worker has given up on it."""
        took = 0.0 if self.since is None else time.monotonic() - self.since
        return took > self.limit_seconds - _LATE_SECONDS


class RayEvaluator:
    """An `Evaluator` on a Ray cluster, or on Ray started on this machine if no address is given.

    The data set is put into the object store once and read by the workers without copying, as are
    weights that many tasks inherit. A task whose worker or node dies, or whose trained weights are
    lost with it, comes out as `WORKER_LOST`. Ray itself never runs it again: whoever does
    (`workers.evaluators.patient`) counts how often, and the task's time limit begins anew.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        address: str | None = None,
        n_workers: int | None = None,
        cpus_per_evaluation: float = 1.0,
        gpus_per_evaluation: float | Literal["auto"] = 0.0,
        function: Callable[..., tuple[Evaluation, bytes | None]] | None = None,
    ) -> None:
        """Connect to the cluster, or start Ray here, and share the data set.

        Args:
            dataset: the images.
            address: of a Ray cluster, or None.
            n_workers: trainings at a time; None fills the cluster.
            cpus_per_evaluation: CPUs that a training reserves, above 0; whole ones are its threads.
            gpus_per_evaluation: GPUs, or the share of one, that a training reserves; ``auto`` gives
                each the share that it needs (`GpuShares`), and CPUs alone where there is no GPU.
            function: trains a task; `workers.training.evaluate.evaluate` if not given.

        Raises:
            EvaluatorError: the cluster cannot be reached, or has not the resources for one task.
        """
        self._refused: list[Trained] = []
        self._waiting: deque[EvaluationTask] = deque()
        self._running: dict[ray.ObjectRef, _Running] = {}
        self._inherited: tuple[Weights, ray.ObjectRef] | None = None
        self._remotes: dict[tuple[float, float], Any] = {}
        self._workers: set[str] = set()  # processes that have trained
        self._n_workers = math.inf if n_workers is None else n_workers
        self._cpus = self._cpus_alone = cpus_per_evaluation
        self._data = dataset.summary()
        self._time_limits = TimeLimits(self._data)
        self._owns_ray = connect(address, n_workers, cpus_per_evaluation, self._data)
        try:
            # A head that was just there may go again at any of these.
            with reaching(address), while_connected():
                gpus = look_at_gpus() if gpus_per_evaluation else []
                self._shares = make_shares(gpus_per_evaluation, gpus, self._data)
                check_room(cpus_per_evaluation, self._shares.smallest)
                self._machines = MachineCount(cpus_per_evaluation, self._shares.smallest)
                self._dataset = ray.put(dataset)
        except BaseException:
            self.close()
            raise
        self._on_gpu = self._shares.smallest > 0
        self._has_bfloat16 = all(one.have_bfloat16 for one in gpus)
        self._entry = ray.remote(make_entry(function, on_gpu=self._on_gpu))
        self._memory_bytes = memory_for(
            self._machines.nodes,
            cpus_per_evaluation,
            self._shares.largest,
            self.n_slots,
            [size for one in gpus for size in one.memories_bytes],
        )

    @property
    def n_slots(self) -> int:
        """Tasks that can run at once now: with machines that join or leave it changes."""
        return int(min(self._n_workers, max(1, self._machines.room)))

    @property
    def machines(self) -> Machines:
        """Those of the cluster that have room for a task, as of the last seconds."""
        return replace(self._machines.machines, has_bfloat16=self._has_bfloat16)

    def submit(self, task: EvaluationTask) -> None:
        """Hand a task to Ray, which starts it when its resources are free; or refuse it."""
        memory_bytes = self._memory_bytes
        if task.is_final and not self._on_gpu:
            memory_bytes = memory_for(self._machines.nodes, self._cpus_of(task, 0.0), 0.0, 1)
        refused = refusal(
            task,
            memory_bytes,
            self._data,
            on_gpu=self._on_gpu,
            has_bfloat16=self._has_bfloat16,
            holds_images=self._on_gpu,  # elsewhere the workers share them
        )
        if refused is not None:
            self._refused.append(Trained(refused))
            return
        self._waiting.append(task)
        with while_connected():
            self._start()

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Give everything that has ended, at least one if any task is out."""
        deadline = math.inf if timeout_seconds is None else time.monotonic() + timeout_seconds
        ended, self._refused = self._refused, []
        while self._running and not ended:
            # Wake up every second: a Ctrl-C and the caller's time are looked at then.
            patience = min(1.0, max(0.0, deadline - time.monotonic()))
            with while_connected():
                ready, rest = ray.wait(list(self._running), num_returns=1, timeout=patience)
                if ready and rest:
                    ready += ray.wait(rest, num_returns=len(rest), timeout=0)[0]
                ended = [self._collect(ref) for ref in ready]
                if not ready:
                    self._take_back_stranded()
                self._start()
            if time.monotonic() >= deadline:
                break
        return ended

    def drain(self) -> Sequence[int]:
        """Take back what waits, here or at Ray, which starts the oldest first."""
        queued = [*islice(self._running, self.n_slots, None)]
        given_up = [self._running.pop(ref).task for ref in queued] + [*self._waiting]
        _kill(queued)
        self._waiting.clear()
        return [task.candidate_id for task in given_up]

    def cancel(self) -> None:
        """Kill what runs and forget what waits."""
        _kill(self._running)
        self._running.clear()
        self._waiting.clear()
        self._refused.clear()

    def close(self) -> None:
        """Cancel; stop Ray if it was started here."""
        self.cancel()
        if self._owns_ray:
            ray.shutdown()
            self._owns_ray = False

    def _start(self) -> None:
        """Hand waiting tasks to Ray, as many as may be there."""
        while self._waiting and len(self._running) < self._most_at_ray:
            gpu_share = self._shares.share(self._waiting[0])
            # Where nothing runs, Ray has one that waits for a machine to come back.
            if self._running and gpu_share > self._n_gpus_free:
                break
            task = self._waiting.popleft()
            shared = [self._dataset]
            if task.weights is not None:
                if self._inherited is None or self._inherited[0] is not task.weights:
                    self._inherited = (task.weights, ray.put(task.weights))
                shared.append(self._inherited[1])
            cpus = self._cpus_of(task, gpu_share)
            n_threads = max(1, int(cpus))
            # Ray's own pickler is written in Python: plain bytes cost it a third of a small task's
            # time.
            limit = self._time_limits.limit_seconds(task)
            # A final training has reserved all of its machine: its other workers stay idle.
            is_alone = task.is_final and task.n_together == 1
            idle = [*self._workers] if is_alone and self._on_gpu else []
            packed = pickle.dumps((replace(task, weights=None), n_threads, gpu_share, limit, idle))
            outcome, weights = self._remote(cpus, gpu_share)(packed, shared)
            self._running[outcome] = _Running(task, weights, cpus, gpu_share, limit)
        self._note_starts()

    def _cpus_of(self, task: EvaluationTask, gpu_share: float) -> float:
        """Give the CPUs that a task reserves: final trainings have the workers to themselves.

        Those of all that share a machine, on the largest that is there; while there is none, as
        many as the last time. Several at a time have equal parts of them.
        """
        if not task.is_final:
            return self._cpus
        found = cpus_alone(self._machines.nodes, self._cpus, gpu_share, self.n_slots)
        self._cpus_alone = found or self._cpus_alone
        on_one_machine = math.ceil(task.n_together / max(1, self.machines.n_nodes))
        return max(self._cpus, self._cpus_alone // on_one_machine)

    def _take_back_stranded(self) -> None:
        """Take back final trainings for which the machines have grown too small; Ray holds them."""
        nodes = self._machines.nodes
        for ref, running in [*self._running.items()]:
            task, share = running.task, running.gpu_share
            if not task.is_final or room_of(nodes, running.cpus, share):
                continue
            if self._cpus_of(task, share) < running.cpus:
                _kill([ref])
                del self._running[ref]
                self._waiting.appendleft(task)

    def _remote(self, cpus: float, gpus: float) -> Callable[..., list[ray.ObjectRef]]:
        """Give the function on Ray for tasks that reserve so much."""
        if (cpus, gpus) not in self._remotes:
            self._remotes[cpus, gpus] = self._entry.options(
                num_cpus=cpus, num_gpus=gpus, num_returns=2, max_retries=0
            )
        found: Callable[..., list[ray.ObjectRef]] = self._remotes[cpus, gpus].remote
        return found

    @property
    def _most_at_ray(self) -> float:
        """How many tasks Ray may have: it starts one faster if it has it already.

        Where there is room for more than the workers that were asked for, it would start too many.
        """
        return self._n_workers if self._n_workers < self._machines.room else math.inf

    @property
    def _n_gpus_free(self) -> float:
        """GPUs that are left; without end where all tasks reserve the same, which Ray lines up.

        Of tasks that reserve different shares Ray lets the small ones overtake: one that needs a
        whole GPU might wait for ever.
        """
        if self._shares.smallest == self._shares.largest:
            return math.inf
        return self._machines.machines.n_gpus - sum(one.gpu_share for one in self._running.values())

    def _collect(self, ref: ray.ObjectRef) -> Trained:
        """Turn a finished reference into an outcome, whatever became of its task."""
        running = self._running.pop(ref)
        task = running.task
        try:
            evaluation: Evaluation = pickle.loads(ray.get(ref))  # noqa: S301  # our own worker's
            self._workers.add(evaluation.worker)
            self._shares.learn(task, evaluation)
            self._time_limits.learn(task, evaluation)
            keeps = task.keeps_weights_of(evaluation.fitness)
            data: bytes | None = ray.get(running.weights) if keeps else None
        except ray.exceptions.RayTaskError as error:
            logger.info("task of #%s: %s", task.candidate_id, error)  # with where it was raised
            words = f"{type(error.cause).__name__}: {error.cause}"
            return Trained(task.failed(FailureReason.ERROR, _one_line(words)))
        except ray.exceptions.RayError as error:
            if running.is_overdue:
                message = f"killed: no answer within {running.limit_seconds:.0f} s"
                return Trained(task.failed(FailureReason.TIMED_OUT, message))
            # Also where Ray killed it because its machine's memory was full: who filled it is open.
            return Trained(task.failed(FailureReason.WORKER_LOST, _one_line(str(error))))
        weights = None if data is None else Weights(task.candidate_id, data)
        return Trained(evaluation, weights)

    def _note_starts(self) -> None:
        """Note when tasks were first seen where they may run: Ray starts the oldest first."""
        now = time.monotonic()
        for running in islice(self._running.values(), self.n_slots):
            running.since = running.since or now


def _kill(tasks: Iterable[ray.ObjectRef]) -> None:
    """Cancel tasks, unless they are gone with their cluster."""
    with suppress(EvaluatorLost), while_connected():
        for ref in tasks:
            ray.cancel(ref, force=True)


def _one_line(words: str) -> str:
    return " ".join(words.split())[:500]
