"""The evaluator without Ray: trains in this process, one candidate at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch

from vlga.errors import EvaluatorError
from vlga.ports.evaluator import EvaluationTask, Trained, Weights
from vlga.ports.machines import Machines
from workers.data import Dataset
from workers.machine import machine_memory_bytes
from workers.training.evaluate import evaluate
from workers.training.footprint import refusal

__all__ = ["InlineEvaluator", "has_gpu"]


class InlineEvaluator:
    """An `Evaluator` whose `wait` does the work: for small searches, debugging and tests.

    Results are those of the Ray evaluator with as many threads, on the same machine.
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
        self._memory_bytes = (
            torch.cuda.get_device_properties(0).total_memory if use_gpu else machine_memory_bytes()
        )
        self._queue: deque[EvaluationTask] = deque()

    @property
    def n_slots(self) -> int:
        """One."""
        return 1

    @property
    def machines(self) -> Machines:
        """This one, and its first GPU if trainings use it."""
        return Machines(n_nodes=1, n_gpus=int(self._device != "cpu"))

    def submit(self, task: EvaluationTask) -> None:
        """Queue a task."""
        self._queue.append(task)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Train the oldest task, unless no time is given; how long it takes is its own to limit."""
        if not self._queue or timeout_seconds == 0:
            return ()
        task = self._queue.popleft()
        refused = refusal(task, self._memory_bytes, self._data, on_gpu=self._device != "cpu")
        if refused is not None:
            return (Trained(refused),)
        evaluation, data = evaluate(
            task, self._dataset, device=self._device, n_threads=self._n_threads
        )
        weights = None if data is None else Weights(task.candidate_id, data)
        return (Trained(evaluation, weights),)

    def drain(self) -> Sequence[int]:
        """Empty the queue: between two waits nothing runs."""
        given_up = [task.candidate_id for task in self._queue]
        self._queue.clear()
        return given_up

    def cancel(self) -> None:
        """Empty the queue."""
        self._queue.clear()

    def close(self) -> None:
        """Empty the queue."""
        self.cancel()


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
