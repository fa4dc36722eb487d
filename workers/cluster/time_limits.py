"""How long a training may take before it counts as hanging, judged by how long others took."""

from __future__ import annotations

from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask

__all__ = ["TimeLimits"]

#: A training with a time limit ends itself between two steps. One that runs so much longer than its
#: limit does not get to its next step any more.
_FACTOR_OF_LIMIT, _SECONDS_OVER_LIMIT = 1.5, 30.0
#: A training without a limit counts as hanging if it takes ten times as long as at the slowest pace
#: seen so far, plus so many seconds, in which a worker loads what it needs.
_FACTOR_OF_SLOWEST, _SECONDS_TO_BEGIN = 10.0, 120.0
#: Seconds for a multiply-accumulate for one image of an epoch, assumed until enough trainings have
#: ended: a hundred times as long as one core needs.
_SLOWEST_IMAGINED, _N_TO_TRUST = 1e-8, 8


class TimeLimits:
    """Learns how much time the multiply-accumulates of trainings take.

    The slowest pace counts, since machines differ, and small networks are slow for the little that
    they compute.
    """

    def __init__(self, data: DataSummary) -> None:
        """Begin with a pace that every machine reaches.

        Args:
            data: for the number of images in an epoch.
        """
        self._data = data
        self._slowest = 0.0
        self._n_known = 0

    def limit_seconds(self, task: EvaluationTask) -> float:
        """Give the time after which a training counts as hanging."""
        if task.seconds is not None:
            return task.seconds * _FACTOR_OF_LIMIT + _SECONDS_OVER_LIMIT
        is_trusted = self._n_known >= _N_TO_TRUST
        seconds = _FACTOR_OF_SLOWEST * self._slowest if is_trusted else _SLOWEST_IMAGINED
        return _SECONDS_TO_BEGIN + seconds * self._work(task)

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Learn from how long a training took, if it was completed."""
        if evaluation.completed:
            self._slowest = max(self._slowest, evaluation.train_seconds / self._work(task))
            self._n_known += 1

    def _work(self, task: EvaluationTask) -> int:
        """Count the multiply-accumulates of the forward passes of all images in all epochs."""
        n_images = self._data.n_train + self._data.n_validation * task.is_final
        return task.plan.n_macs * n_images * task.training.epochs
