"""How long a training may take before it counts as hanging, judged by how long others took."""

from __future__ import annotations

from collections import deque

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
#: Trainings that are remembered, of the last.
_N_REMEMBERED = 200


class TimeLimits:
    """Learns how much time trainings take: so many seconds, and more by what they compute.

    Small networks are slow for the little that they compute: most of their time goes into what
    every training does. So the slowest of the smaller half says how much that is, and the slowest
    pace of the larger half what a multiply-accumulate takes. The slowest counts, since machines
    differ.
    """

    def __init__(self, data: DataSummary) -> None:
        """Begin with a pace that every machine reaches.

        Args:
            data: for the number of images in an epoch.
        """
        self._data = data
        self._known: deque[tuple[int, float]] = deque(maxlen=_N_REMEMBERED)

    def limit_seconds(self, task: EvaluationTask) -> float:
        """Give the time after which a training counts as hanging."""
        if task.seconds is not None:
            return task.seconds * _FACTOR_OF_LIMIT + _SECONDS_OVER_LIMIT
        work = self._work(task)
        if len(self._known) < _N_TO_TRUST:
            return _SECONDS_TO_BEGIN + _SLOWEST_IMAGINED * work
        ordered = sorted(self._known)
        half = (len(ordered) + 1) // 2
        constant = max(seconds for _, seconds in ordered[:half])
        pace = max(seconds / work for work, seconds in ordered[half:])
        return _SECONDS_TO_BEGIN + _FACTOR_OF_SLOWEST * (constant + pace * work)

    def learn(self, task: EvaluationTask, evaluation: Evaluation) -> None:
        """Learn from how long a training took, if it was completed."""
        if evaluation.completed and task.epochs:
            self._known.append((self._work(task), evaluation.train_seconds))

    def _work(self, task: EvaluationTask) -> int:
        """Count the multiply-accumulates of the forward passes of all images in all epochs."""
        n_images = self._data.n_train + self._data.n_validation * task.is_final
        return task.plan.n_macs * n_images * max(1, task.epochs)
