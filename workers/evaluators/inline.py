"""The evaluator without Ray: trains in a thread of this process, one candidate at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import nullcontext

import torch

from vlga.errors import EvaluatorError
from vlga.ports.evaluation import FailureReason
from vlga.ports.evaluator import EvaluationTask, Trained, Weights
from vlga.ports.machines import Machines
from workers.data import Dataset
from workers.machine import available_memory_bytes, has_bfloat16, machine_memory_bytes
from workers.training.cuda_errors import UnusableGpuError
from workers.training.evaluate import evaluate
from workers.training.footprint import PROCESS_BYTES, refusal
from workers.training.memory import within_free_memory

__all__ = ["InlineEvaluator", "has_gpu"]


class InlineEvaluator:
    """An `Evaluator` that trains in a thread: for small searches, debugging and tests.

    Results are those of the Ray evaluator with as many threads, on the same machine. The thread
    leaves this process's main one free to hear signals, to renew a lease and to see time run out.
    """

    def __init__(self, dataset: Dataset, *, use_gpu: bool = False, n_threads: int = 1) -> None:
        """Take a data set; training starts with the first `wait`.

        Raises:
            EvaluatorError: a GPU is asked for and torch sees none.
        """
        if use_gpu:
            require_local_gpu()
        self._dataset = dataset
        self._device = "cuda:0" if use_gpu else "cpu"
        self._n_threads = n_threads
        self._data = dataset.summary()
        self._has_bfloat16 = not use_gpu or has_bfloat16(torch.cuda.get_device_capability(0))
        self._gpu_bytes = torch.cuda.get_device_properties(0).total_memory if use_gpu else None
        self._queue: deque[EvaluationTask] = deque()
        self._thread = ThreadPoolExecutor(1, "training")
        self._running: Future[Trained] | None = None
        self._given_up = threading.Event()

    @property
    def n_slots(self) -> int:
        """One."""
        return 1

    @property
    def machines(self) -> Machines:
        """This one, and its first GPU if trainings use it."""
        return Machines(1, int(self._device != "cpu"), self._has_bfloat16)

    def submit(self, task: EvaluationTask) -> None:
        """Queue a task."""
        self._queue.append(task)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Begin with the oldest task, unless no time is given, and wait for what is in training."""
        if self._running is None:
            if not self._queue or timeout_seconds == 0:
                return ()
            self._running = self._thread.submit(self._train, self._queue.popleft())
        if self._running in wait_for([self._running], timeout_seconds).not_done:
            return ()
        ended, self._running = self._running, None
        return (ended.result(),)

    def drain(self) -> Sequence[int]:
        """Empty the queue."""
        given_up = [task.candidate_id for task in self._queue]
        self._queue.clear()
        return given_up

    def cancel(self) -> None:
        """Empty the queue; a training that is going on ends with its next step."""
        self._queue.clear()
        if self._running is not None:
            self._given_up.set()
            wait_for([self._running])
            self._running = None
            self._given_up.clear()

    def close(self) -> None:
        """Cancel, and let the thread end."""
        self.cancel()
        self._thread.shutdown()

    def _memory_bytes(self) -> int:
        """Give what a training has: who takes more than is free, is killed, and this process is it.

        The process and its images are there already.
        """
        if self._gpu_bytes is not None:
            return self._gpu_bytes
        mine = PROCESS_BYTES + self._data.n_bytes
        return min(machine_memory_bytes(), available_memory_bytes() + mine)

    def _train(self, task: EvaluationTask) -> Trained:
        refused = refusal(
            task,
            self._memory_bytes(),
            self._data,
            on_gpu=self._device != "cpu",
            has_bfloat16=self._has_bfloat16,
        )
        if refused is not None:
            return Trained(refused)
        try:
            with within_free_memory() if self._device == "cpu" else nullcontext():
                evaluation, data = evaluate(
                    task,
                    self._dataset,
                    device=self._device,
                    n_threads=self._n_threads,
                    given_up=self._given_up.is_set,
                )
        except UnusableGpuError as error:
            # Unlike a worker, this process has more to do than to train.
            return Trained(task.failed(FailureReason.ERROR, str(error)))
        return Trained(evaluation, None if data is None else Weights(task.candidate_id, data))


def has_gpu() -> bool:
    """Tell whether this machine has a GPU that torch can use."""
    return torch.cuda.is_available()


def require_local_gpu() -> None:
    """Refuse to go on without a GPU that torch can use."""
    if not has_gpu():
        raise EvaluatorError(
            "--gpus-per-evaluation needs a GPU that torch can use, but this machine has none; "
            "leave the option out to train on the CPU"
        )
