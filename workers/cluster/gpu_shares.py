"""How large a share of a GPU a training reserves, so that as many as fit train side by side."""

from __future__ import annotations

from typing import Protocol

from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask
from workers.training.footprint import CONTEXT_BYTES, training_bytes

__all__ = ["FixedShare", "GpuShares", "Shares"]

#: What the kernels work in, whatever the network.
_WORKSPACE_BYTES = 256 * 2**20
#: Predictions are trusted to a factor of two until so many trainings have told what they took; then
#: to the worst of those and a little more.
_DOUBT, _N_TO_TRUST, _MARGIN = 2.0, 8, 1.25


class Shares(Protocol):
    """Tells how many GPUs, or which share of one, each training reserves."""

    @property
    def smallest(self) -> float:
        """The least that it tells."""

    @property
    def largest(self) -> float:
        """The most that it tells."""

    def share(self, task: EvaluationTask) -> float:
        """Give what a task reserves."""

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Take in what a training took."""


class FixedShare:
    """The same for every training, as a person asked for."""

    def __init__(self, n_gpus: float) -> None:
        """Take the number, at least 0."""
        self.smallest = self.largest = n_gpus

    def share(self, task: EvaluationTask) -> float:  # noqa: ARG002  # of `Shares`
        """Give the number."""
        return self.smallest

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Learn nothing."""


class GpuShares:
    """Shares of a GPU, predicted from each plan and corrected by what trainings really took.

    Shares are 1, 1/2, 1/4 and 1/8: others would leave gaps that nobody fits in. More than eight
    side by side would hardly get more out of a GPU: each needs a CPU that feeds it.
    """

    smallest, largest = 1 / 8, 1.0

    def __init__(self, gpu_bytes: int | None, data: DataSummary) -> None:
        """Begin without knowing how far predictions are off.

        Args:
            gpu_bytes: memory of the smallest GPU, or None if it cannot be told: shares are 1 then.
            data: the images, which every process puts into its GPU.
        """
        self._gpu_bytes = gpu_bytes
        self._data = data
        self._n_known = 0
        self._worst = 1.0

    @property
    def factor(self) -> float:
        """How many times its prediction a training reserves, at least 1."""
        return self._worst if self._n_known >= _N_TO_TRUST else max(_DOUBT, self._worst)

    def share(self, task: EvaluationTask) -> float:
        """Give what a task reserves; a final training has a GPU to itself."""
        if self._gpu_bytes is None or task.is_final:
            return self.largest
        needed = CONTEXT_BYTES + _WORKSPACE_BYTES + self._data.n_bytes
        needed += int(self.factor * self._predicted(task))
        share = self.smallest
        while share < self.largest and share * self._gpu_bytes < needed:
            share *= 2
        return share

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Take in what a training took at most; of small ones that is the workspace, not theirs."""
        predicted, took = self._predicted(task), evaluation.peak_memory_bytes
        was_trained = evaluation.reason in (None, FailureReason.OUT_OF_MEMORY)
        if took is None or not was_trained or predicted < _WORKSPACE_BYTES:
            return
        own = took - _WORKSPACE_BYTES - self._data.n_bytes
        self._worst = max(self._worst, _MARGIN * own / predicted)
        self._n_known += 1

    def _predicted(self, task: EvaluationTask) -> int:
        return training_bytes(
            task.plan,
            min(task.training.batch_size, self._data.n_train),
            n_scored=self._data.n_validation,
            on_gpu=True,
        )
