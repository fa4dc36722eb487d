"""How many epochs a timed training has, and on how many CPU threads, by how long epochs take."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import torch

from vlga.ports.evaluator import TimedEpochs
from workers.training.schedule import is_early

__all__ = ["Pace", "epochs_that_fit", "threads_of_next"]

#: The pace is that of the last epochs, so that it follows a machine that gets busier; with a number
#: of threads, that of the last with it.
_N_PACED, _N_PACED_WITH = 5, 3
#: Once so large a share of the epochs is over their number only falls: a learning rate that is
#: nearly down should not rise again.
_SETTLED = 0.8


def epochs_that_fit(
    timed: TimedEpochs,
    seconds: Sequence[float],
    n_epochs: int,
    n_scored: float,
    costs: Sequence[float] | None = None,
) -> int:
    """Give the number of epochs that a training will have, by those that it has had.

    Args:
        timed: how long it may take, and the bounds.
        seconds: of each epoch that is over.
        n_epochs: that it was to have by now, at least 1.
        n_scored: epochs that the scores after the last one take as long as.
        costs: what each epoch that is over takes, in those of the training's second half: 1 or the
            early cost; None: each takes the same.

    Returns:
        At least one more than are over.
    """
    if not seconds:
        return n_epochs
    over, early, spent = len(seconds), timed.early_cost, costs or [1.0] * len(seconds)
    pace = sum(seconds[-_N_PACED:]) / sum(spent[-_N_PACED:])
    left = (timed.seconds - sum(seconds)) / pace - n_scored
    if left > over:  # a part of the first half is left
        left = 2 * (left + early * over) / (1 + early) - over
    fitting = over + math.floor(left)
    if over >= _SETTLED * n_epochs:
        fitting = min(fitting, n_epochs)
    return max(over + 1, timed.fewest, min(timed.most, fitting))


def threads_of_next(n_most: int, epochs: Sequence[tuple[int, float]]) -> int:
    """Give the threads of the next epoch: the number that is fastest, found by halving.

    No rule by size tells: a second thread makes an epoch of a small network a third shorter where
    nothing else is at work, and three to seven times as long beside a program that never waits
    (tests/benchmarks/results/threads.txt).

    Args:
        n_most: threads that there are, at least 1.
        epochs: threads and seconds of those that are over, by what they cost. The first does not
            count: it is slow.
    """
    seconds: dict[int, list[float]] = {}
    for n, took in epochs[1:]:
        seconds.setdefault(n, []).append(took)
    if not seconds:
        return n_most
    fastest = min(seconds, key=lambda n: statistics.fmean(seconds[n][-_N_PACED_WITH:]))
    half = fastest // 2
    return half if half and half not in seconds else fastest


class Pace:
    """Decides before each epoch of one timed training, and sets torch's threads.

    Args:
        timed: how long it may take, and the bounds.
        n_scored: epochs that the scores after the last one take as long as.
        n_threads: CPU threads that there are, or None on a GPU, where they do not matter.
    """

    def __init__(self, timed: TimedEpochs, n_scored: float, n_threads: int | None) -> None:
        self.most = timed.most
        self._timed = timed
        self._n_scored = n_scored
        self._n_threads = n_threads
        self._had: list[int] = []
        self._costs: list[float] = []

    def epochs(self, seconds: Sequence[float], n_epochs: int) -> int:
        """Give the epochs that the training will have, and set the threads of the next.

        Args:
            seconds: of each that is over.
            n_epochs: that it was to have by now.
        """
        if self._n_threads is not None:
            equal = (one / cost for one, cost in zip(seconds, self._costs, strict=True))
            n = threads_of_next(self._n_threads, [*zip(self._had, equal, strict=True)])
            self._had.append(n)
            torch.set_num_threads(n)
        n = epochs_that_fit(self._timed, seconds, n_epochs, self._n_scored, self._costs)
        self._costs.append(self._timed.early_cost if is_early(len(seconds), n) else 1.0)
        return n
