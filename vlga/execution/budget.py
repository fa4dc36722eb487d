"""How much of its budget a search has used."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from vlga.config.rungs import training_epochs
from vlga.config.settings import SearchConfig
from vlga.ports.evaluation import Evaluation

__all__ = ["Budget"]

#: Trainings, of the last, whose pace tells what the time left is enough for; and the least of them.
_N_PACED, _MIN_PACED = 30, 3
#: How many times as long an epoch of the longer training may take, which has more images.
_LONGER = 1.5


@dataclass(slots=True)
class Budget:
    """Counts trainings as they start, so that their number does not depend on who ends first.

    Of the wall time some is kept for the longer trainings at the end, if there are to be any.

    Attributes:
        config: of the search.
        elapsed: gives the seconds that the search has run.
        n_trained: trainings started, those before an interruption included.
        n_epochs: epochs of these trainings, as they were asked for.
        n_final_rounds: longer trainings that come one after another.
    """

    config: SearchConfig
    elapsed: Callable[[], float]
    n_trained: int = 0
    n_epochs: int = 0
    n_final_rounds: int = 1
    _epoch_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_N_PACED))

    def start(self, epochs: int) -> None:
        """Count a training that starts, of so many epochs."""
        self.n_trained += 1
        self.n_epochs += epochs

    def learn(self, evaluation: Evaluation) -> None:
        """Learn from a training that completed how long one takes."""
        if evaluation.completed and evaluation.train_seconds:
            self._epoch_seconds.append(evaluation.train_seconds / evaluation.epochs)

    @property
    def seconds_left(self) -> float | None:
        """Wall time left for the search, at least 0, or None if it is not limited."""
        limit = self._limit_seconds
        return None if limit is None else max(0.0, limit - self.elapsed())

    @property
    def epochs_left(self) -> int | None:
        """Epochs of trainings that may still start, at least 0, or None if they are not limited."""
        limit = self.config.budget.epochs
        return None if limit is None else max(0, limit - self.n_epochs)

    @property
    def affordable_epochs(self) -> int | None:
        """Epochs of the longest training that may still start and is likely to end in time.

        At least 0, or None if neither epochs nor time are limited, or no pace is known yet. A
        training that the end of the time cuts off is lost, so three in four should be as fast.
        """
        lefts = [] if self.epochs_left is None else [self.epochs_left]
        if self.seconds_left is not None and len(self._epoch_seconds) >= _MIN_PACED:
            slow = statistics.quantiles(self._epoch_seconds, n=4, method="inclusive")[2]
            lefts.append(int(self.seconds_left // slow))
        return min(lefts, default=None)

    @property
    def trainings_left(self) -> int | None:
        """Trainings that may still start by count and by epochs, or None if neither is limited.

        Where trainings have several lengths, as many as there may be of the shortest.
        """
        return self._trainings_left(training_epochs(self.config, 0))

    @property
    def spent(self) -> bool:
        """Whether no further training may start, or could end in time."""
        epochs = self.affordable_epochs
        is_too_short = epochs is not None and epochs < training_epochs(self.config, 0)
        return self.trainings_left == 0 or self.seconds_left == 0 or is_too_short

    @property
    def words(self) -> str:
        """The limits as they are set, such as ``seconds=540``."""
        limits = self.config.budget.model_dump(exclude_none=True, exclude={"phases"})
        return " ".join(f"{key}={value:g}" for key, value in limits.items())

    def done_fraction(self, n_ended: int) -> float | None:
        """Give the used share of the tightest limit, in [0, 1], or None without a limit.

        Args:
            n_ended: trainings that have ended.
        """
        shares = []
        left = self._expected_left
        if left is not None:
            shares.append(n_ended / max(1, self.n_trained + left))
        limit = self._limit_seconds
        if limit is not None:
            shares.append(self.elapsed() / limit if limit > 0 else 1.0)
        return min(1.0, max(shares)) if shares else None

    def expected_seconds_left(self, n_ended: int, per_minute: float | None) -> float | None:
        """Give the wall time, at least 0, until the first limit is met; None if none can be told.

        The time that is allowed counts down by the clock, what count and epochs allow at the pace
        of the trainings. A strategy may end by itself before.

        Args:
            n_ended: trainings that have ended.
            per_minute: trainings that end a minute, above 0, or None if that is not known yet.
        """
        lefts = [] if self.seconds_left is None else [self.seconds_left]
        left = self._expected_left
        if left is not None and per_minute is not None:
            lefts.append(60 * (self.n_trained + left - n_ended) / per_minute)
        return min(lefts, default=None)

    @property
    def _limit_seconds(self) -> float | None:
        """Wall time that the search may take, or None if it is not limited.

        What is kept for the longer trainings is a share of the whole, and no more than they could
        need by the slowest of the last trainings: all of their epochs, one after another.
        """
        whole, final = self.config.budget.seconds, self.config.final
        if whole is None or not final.epochs:
            return whole
        kept = final.time_fraction * whole
        if len(self._epoch_seconds) >= _MIN_PACED:
            n_epochs = self.n_final_rounds * final.epochs
            kept = min(kept, _LONGER * n_epochs * max(self._epoch_seconds))
        return whole - kept

    @property
    def _expected_left(self) -> int | None:
        """Trainings that may still start if they are as long as those before."""
        if self.n_trained:
            return self._trainings_left(self.n_epochs / self.n_trained)
        return self.trainings_left

    def _trainings_left(self, epochs: float) -> int | None:
        """Give how many trainings of so many epochs may still start, or None for any number."""
        lefts = []
        if self.config.budget.evaluations is not None:
            lefts.append(self.config.budget.evaluations - self.n_trained)
        if self.epochs_left is not None:
            lefts.append(int(self.epochs_left // epochs))
        return max(0, min(lefts)) if lefts else None
