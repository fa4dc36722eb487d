"""What a search has done so far, counted for whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass, field

from vlga.execution.budget import Budget
from vlga.execution.failures import Failures
from vlga.execution.pace import Pace
from vlga.execution.run import Run
from vlga.ports.observer import Progress
from vlga.strategies import Strategy

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Counts what a driver tells it and gives it as `Progress`.

    Attributes:
        run: of the search, for its time, slots and machines.
        strategy: of the search, for its phase, generation and best.
        budget: counts trainings as they start.
        failures: counts those that failed.
        n_reused: candidates that took over the outcome of an equal one of the search.
        n_known: candidates that took over another search's completed training.
    """

    run: Run
    strategy: Strategy
    budget: Budget
    failures: Failures
    n_reused: int = 0
    n_known: int = 0
    _pace: Pace = field(default_factory=Pace)

    def note(self, n_out: int, n_ended: int = 0) -> None:
        """Take how many tasks are out now, and how many have come out since the last note."""
        n_running, n_slots = self._n_running(n_out), self.run.evaluator.n_slots
        self._pace.note(self.run.elapsed_seconds, n_running, n_slots, n_ended)

    def progress(self, n_out: int) -> Progress:
        """Give where the search stands while so many tasks are out."""
        self.note(n_out)
        n_ended = self.budget.n_trained - n_out
        pace = self._pace.trainings_per_minute
        return Progress(
            phase=self.strategy.phase,
            generation=self.strategy.generation,
            n_completed=n_ended - self.failures.n - self.n_known,
            n_failed=self.failures.n,
            n_reused=self.n_reused + self.n_known,
            n_running=self._n_running(n_out),
            n_slots=self.run.evaluator.n_slots,
            machines=self.run.evaluator.machines,
            best=self.strategy.best,
            elapsed_seconds=self.run.elapsed_seconds,
            done_fraction=self.budget.done_fraction(n_ended),
            seconds_left=self.budget.expected_seconds_left(n_ended, pace),
            trainings_per_minute=pace,
            busy_share=self._pace.busy_share,
        )

    def _n_running(self, n_out: int) -> int:
        """Give how many of the tasks that are out have a worker."""
        return min(n_out, self.run.evaluator.n_slots)
