"""Differences of pairs: their mean, its standard error, and whether it is clear (Student's t)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["PairedDifference", "paired_difference"]

#: Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom. A table, since scipy
#: takes longer to import than any report to print.
_T_95 = (
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13,
    2.12, 2.11, 2.10, 2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The difference of two things that were tried with the same seeds.

    Attributes:
        mean: of the pairs' differences.
        standard_error: of this mean; None for fewer than two pairs.
        n_pairs: at least 1.
    """

    mean: float
    standard_error: float | None
    n_pairs: int

    @property
    def is_clear(self) -> bool:
        """Whether two equally good things would differ this much in fewer than 1 of 20 cases.

        By Student's t test: the mean must be at least three standard errors for four pairs, and
        two for very many. Of twenty comparisons of equal things, one is still called clear.
        """
        if self.standard_error is None or self.mean == 0:
            return False
        limit = _T_95[min(self.n_pairs - 1, len(_T_95)) - 1]
        return abs(self.mean) >= limit * self.standard_error


def paired_difference(differences: Sequence[float]) -> PairedDifference:
    """Summarize the differences of pairs, at least one."""
    n = len(differences)
    error = statistics.stdev(differences) / math.sqrt(n) if n > 1 else None
    return PairedDifference(statistics.fmean(differences), error, n)
