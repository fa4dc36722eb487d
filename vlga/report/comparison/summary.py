"""How strategies compare: plain arithmetic on searches that differ only in strategy and seed.

Their outcomes, as `db.read.comparison.compared` gives them, become a row for each strategy and a
sentence about the best two.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlga.report.paired import PairedDifference, paired_difference

__all__ = ["Difference", "difference", "summaries"]

#: A search: one of the rows of `db.read.comparison.compared`, with `ended_early`.
Outcome = Mapping[str, Any]


#: With fewer pairs than this a standard error means almost nothing.
_MIN_PAIRS = 3


def summaries(outcomes: Sequence[Outcome], strategies: Sequence[str]) -> list[dict[str, Any]]:
    """Give a row for each strategy over its completed searches.

    Returns:
        Rows of `strategy finished unfinished fitness fitness_sd test_accuracy test_accuracy_sd
        tested evaluations epochs seconds failures ended_early taken_over depth parameters`.
        `finished`, `unfinished`, `ended_early` and `tested` (those with a test accuracy) count
        searches, `taken_over` the trainings of other searches that they took over together. `depth`
        and `parameters` are medians over the winners, the other figures means of one search;
        ``_sd`` is the sample standard deviation over the seeds, None for fewer than two.
    """
    rows = []
    for strategy in strategies:
        everyone = [one for one in outcomes if one["strategy"] == strategy]
        finished = _finished(everyone)
        row: dict[str, Any] = {
            "strategy": strategy,
            "finished": len(finished),
            "unfinished": len(everyone) - len(finished),
        }
        for key in ("fitness", "test_accuracy"):
            values = _values(finished, key)
            row[key] = statistics.fmean(values) if values else None
            row[f"{key}_sd"] = statistics.stdev(values) if len(values) > 1 else None
        row["tested"] = len(_values(finished, "test_accuracy"))
        for key in ("evaluations", "epochs", "seconds", "failures"):
            values = _values(finished, key)
            row[key] = statistics.fmean(values) if values else None
        row["ended_early"] = sum(one["ended_early"] for one in finished)
        row["taken_over"] = sum(one["taken_over"] for one in finished)
        for key in ("depth", "parameters"):
            values = _values(finished, key)
            row[key] = statistics.median(values) if values else None
        rows.append(row)
    return rows


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of the two strategies with the best mean test accuracy.

    Attributes:
        first: the best one.
        second: the next one.
        mean: of the first's test accuracy minus the second's with the same seed, in [-1, 1]; below
            0 only if they finished different seeds.
        standard_error: of this mean, or None for fewer than two pairs.
        pairs: number of seeds that both finished, at least 1.
    """

    first: str
    second: str
    mean: float
    standard_error: float | None
    pairs: int

    @property
    def is_clear(self) -> bool:
        """Whether it is clear by Student's t test (paired.py), with at least three pairs."""
        paired = PairedDifference(self.mean, self.standard_error, self.pairs)
        return self.pairs >= _MIN_PAIRS and paired.is_clear

    def __str__(self) -> str:
        first, second = (self.first, self.second) if self.mean >= 0 else (self.second, self.first)
        spread = "" if self.standard_error is None else f" ± {self.standard_error:.4f}"
        seeds = "1 seed" if self.pairs == 1 else f"{self.pairs} seeds"
        if self.is_clear:
            start = f"{first} is better than {second}"
        elif self.pairs < _MIN_PAIRS:
            start = f"{seeds} cannot tell the best two apart: {first} is ahead of {second}"
        else:
            start = f"no clear difference between the best two: {first} is ahead of {second}"
        of = f" (mean and standard error of {seeds})" if spread else ""
        return f"{start} by {abs(self.mean):.4f}{spread} on the test images{of}"


def difference(outcomes: Sequence[Outcome]) -> Difference | None:
    """Compare the best two strategies by test accuracy, in pairs of searches with the same seed.

    Returns:
        None if the best two have no seed in common.
    """
    scores: dict[str, dict[int, float]] = {}
    for one in _finished(outcomes):
        if one["test_accuracy"] is not None:
            scores.setdefault(one["strategy"], {})[one["seed"]] = one["test_accuracy"]
    ranking = sorted(scores, key=lambda name: -statistics.fmean(scores[name].values()))
    if len(ranking) < 2:
        return None
    first, second = ranking[:2]
    gaps = [
        score - scores[second][seed]
        for seed, score in scores[first].items()
        if seed in scores[second]
    ]
    if not gaps:
        return None
    paired = paired_difference(gaps)
    return Difference(first, second, paired.mean, paired.standard_error, paired.n_pairs)


def _finished(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one["status"] == "completed"]


def _values(outcomes: Sequence[Outcome], key: str) -> list[float]:
    return [one[key] for one in outcomes if one[key] is not None]
