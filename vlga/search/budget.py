"""How much of its budget a search has used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vlga.config.settings import SearchConfig

__all__ = ["Budget"]


@dataclass(slots=True)
class Budget:
    """Counts trainings as they start, so that their number does not depend on who ends first.

    Attributes:
        config: of the search.
        elapsed: gives the seconds that the search has run.
        n_trained: trainings started, those before an interruption included.
    """

    config: SearchConfig
    elapsed: Callable[[], float]
    n_trained: int = 0

    @property
    def seconds_left(self) -> float | None:
        """Wall time left, at least 0, or None if it is not limited."""
        limit = self.config.budget.seconds
        return None if limit is None else max(0.0, limit - self.elapsed())

    @property
    def trainings_left(self) -> int | None:
        """Trainings that may still start by count and by epochs, or None if neither is limited."""
        limits = []
        if self.config.budget.evaluations is not None:
            limits.append(self.config.budget.evaluations)
        if self.config.budget.epochs is not None:
            limits.append(self.config.budget.epochs // self.config.training.epochs)
        return max(0, min(limits) - self.n_trained) if limits else None

    @property
    def spent(self) -> bool:
        """Whether no further training may start."""
        return self.trainings_left == 0 or self.seconds_left == 0

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
        if self.trainings_left is not None:
            shares.append(n_ended / max(1, self.n_trained + self.trainings_left))
        if self.config.budget.seconds is not None:
            shares.append(self.elapsed() / self.config.budget.seconds)
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
        if self.trainings_left is not None and per_minute is not None:
            n_left = self.n_trained + self.trainings_left - n_ended
            lefts.append(60 * n_left / per_minute)
        return min(lefts, default=None)
