"""How large a share of a GPU a training reserves, so that as many as possible run side by side."""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Protocol

from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask
from workers.training.footprint import CONTEXT_BYTES, training_bytes

__all__ = ["FixedShare", "GpuShares", "Shares"]

#: Memory that the kernels work in, the same for every network.
_WORKSPACE_BYTES = 256 * 2**20
#: Until the memory use of so many trainings is known, predictions are doubled; after that they are
#: multiplied by a ratio that hardly any of the last ones exceeded, and a margin.
_DOUBT, _N_TO_TRUST, _MARGIN = 2.0, 8, 1.25
_N_REMEMBERED, _QUANTILE = 50, 0.95


class Shares(Protocol):
    """Decides how many GPUs, or which share of one, each training reserves."""

    @property
    def smallest(self) -> float:
        """The smallest that it gives."""

    @property
    def largest(self) -> float:
        """The largest that it gives."""

    def share(self, task: EvaluationTask) -> float:
        """Give what a task reserves."""

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Learn from how much memory a training used."""


class FixedShare:
    """The same share for every training, as the user asked for."""

    def __init__(self, n_gpus: float) -> None:
        """Take the number, at least 0."""
        self.smallest = self.largest = n_gpus

    def share(self, task: EvaluationTask) -> float:  # noqa: ARG002  # of `Shares`
        """Give the number."""
        return self.smallest

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Learn nothing."""


class GpuShares:
    """Shares of a GPU, predicted from each plan and corrected by what trainings really used.

    Shares are 1, 1/2, 1/4 and 1/8: others would leave gaps that no training fits into. More than
    eight side by side would hardly be faster: each needs a CPU that feeds it.
    """

    smallest, largest = 1 / 8, 1.0

    def __init__(
        self, gpu_bytes: int | None, data: DataSummary, *, has_bfloat16: bool = True
    ) -> None:
        """Begin with predictions that nothing has corrected yet.

        Args:
            gpu_bytes: memory of the smallest GPU; None if it is not known: shares are then 1.
            data: the images, which every process copies to its GPU.
            has_bfloat16: whether all GPUs compute in it.
        """
        self._has_bfloat16 = has_bfloat16
        self._gpu_bytes = gpu_bytes
        self._data = data
        self._ratios: deque[float] = deque(maxlen=_N_REMEMBERED)

    @property
    def factor(self) -> float:
        """What predictions are multiplied by, at least 1."""
        ordered = sorted(self._ratios)
        worst = ordered[ceil(_QUANTILE * (len(ordered) - 1))] if ordered else 0.0
        return max(1.0 if len(ordered) >= _N_TO_TRUST else _DOUBT, _MARGIN * worst)

    def share(self, task: EvaluationTask) -> float:
        """Give what a task reserves; a final training gets a whole GPU."""
        if self._gpu_bytes is None or task.is_final:
            return self.largest
        needed = CONTEXT_BYTES + _WORKSPACE_BYTES + self._data.n_bytes
        needed += int(self.factor * self._predicted(task))
        share = self.smallest
        while share < self.largest and share * self._gpu_bytes < needed:
            share *= 2
        return share

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Learn from a training's peak memory; small ones are ignored, being mostly workspace."""
        predicted, took = self._predicted(task), evaluation.peak_memory_bytes
        was_trained = evaluation.reason in (None, FailureReason.OUT_OF_MEMORY)
        if took is None or not was_trained or predicted < _WORKSPACE_BYTES:
            return
        own = took - _WORKSPACE_BYTES - self._data.n_bytes
        self._ratios.append(own / predicted)

    def _predicted(self, task: EvaluationTask) -> int:
        return training_bytes(
            task.plan,
            min(task.training.batch_size, self._data.n_train),
            n_scored=self._data.n_validation,
            on_gpu=True,
            has_bfloat16=self._has_bfloat16,
        )
