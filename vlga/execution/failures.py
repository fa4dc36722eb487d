"""When to stop because nothing seems to work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vlga.ports.evaluation import MACHINE_FAILURES, REPEATABLE_FAILURES, Evaluation

__all__ = ["Failures", "what_counts"]


@dataclass(slots=True)
class Failures:
    """Failed trainings of a search.

    Attributes:
        max_in_a_row: so many one after the other are too many.
        n: in all.
        n_of_machines: of these, those that are most likely no network's fault.
    """

    max_in_a_row: int
    n: int = 0
    n_of_machines: int = 0
    _in_a_row: list[Evaluation] = field(default_factory=list)

    def note(self, evaluation: Evaluation) -> None:
        """Take the outcome of a training."""
        if evaluation.completed:
            self._in_a_row.clear()
        else:
            self.n += 1
            self.n_of_machines += evaluation.reason in MACHINE_FAILURES
            self._in_a_row.append(evaluation)

    @property
    def are_too_many(self) -> bool:
        """Whether too many failed one after the other."""
        return len(self._in_a_row) >= self.max_in_a_row

    @property
    def message(self) -> str:
        """What is wrong and the way out, where there are too many."""
        return (
            f"{len(self._in_a_row)} trainings failed in a row; the last: "
            f"{self.last_reasons}; correct the cause, or set limits.max_failures_in_a_row "
            "higher, then resume the search"
        )

    def why_none(self, budget_seconds: float | None) -> str:
        """Say why no network was trained, and the way out if there was too little time."""
        if self.are_too_many:
            return self.message
        reasons = self.last_reasons
        if not reasons:
            reasons = "none ended within the budget"
            if budget_seconds is not None:
                more = f"budget.seconds={2 * budget_seconds:.10g}"
                reasons += f"; resume the search with more, such as {more}"
        return f"no network could be trained: {reasons}"

    @property
    def last_reasons(self) -> str:
        """Why the last ones failed, in words; empty if none did."""
        return "; ".join(f"{one.reason}: {one.message}" for one in self._in_a_row[-3:])


def what_counts(recorded: Iterable[Evaluation], status: str) -> dict[int, Evaluation]:
    """Give what an earlier run of a search recorded, by candidate, the last of each.

    After a run that failed, what the machine may have been to blame for is left out, so that it is
    tried again.

    Args:
        recorded: of a search, oldest first.
        status: that the earlier run left.
    """
    return {
        one.candidate_id: one
        for one in recorded
        if one.completed or one.reason in REPEATABLE_FAILURES or status != "failed"
    }
