"""How long a training may take before it counts as hanging, told from how long others took."""

from __future__ import annotations

from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask

__all__ = ["TimeLimits"]

#: A training that was given a time of its own ends itself between two steps; one that outlives this
#: time by so much does not come to its next step any more.
_FACTOR_OF_LIMIT, _SECONDS_OVER_LIMIT = 1.5, 30.0
#: Another one hangs if it takes ten times as long as it would at the slowest pace ever seen, and so
#: many seconds, in which a worker may load what it needs.
_FACTOR_OF_SLOWEST, _SECONDS_TO_BEGIN = 10.0, 120.0
#: Seconds that a multiply-accumulate for one image of an epoch takes until enough trainings have
#: told: a hundred times as many as one core needs.
_SLOWEST_IMAGINED, _N_TO_TRUST = 1e-8, 8


class TimeLimits:
    """Learns how much time the multiply-accumulates of trainings take.

    The slowest counts: the same network takes longer on another machine, and small ones are slow
    for what they compute.
    """

    def __init__(self, data: DataSummary) -> None:
        """Begin with a pace that no machine is slower than.

        Args:
            data: how many images an epoch has.
        """
        self._data = data
        self._slowest = 0.0
        self._n_known = 0

    def limit_seconds(self, task: EvaluationTask) -> float:
        """Give the time after which a training will not end any more."""
        if task.seconds is not None:
            return task.seconds * _FACTOR_OF_LIMIT + _SECONDS_OVER_LIMIT
        is_trusted = self._n_known >= _N_TO_TRUST
        seconds = _FACTOR_OF_SLOWEST * self._slowest if is_trusted else _SLOWEST_IMAGINED
        return _SECONDS_TO_BEGIN + seconds * self._work(task)

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Take in how long a training took, if it came to its end."""
        if evaluation.completed:
            self._slowest = max(self._slowest, evaluation.train_seconds / self._work(task))
            self._n_known += 1

    def _work(self, task: EvaluationTask) -> int:
        """Count the multiply-accumulates for all images of all epochs, forward."""
        n_images = self._data.n_train + self._data.n_validation * task.is_final
        return task.plan.n_macs * n_images * task.training.epochs
