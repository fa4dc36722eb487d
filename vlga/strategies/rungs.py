"""Who has reached which rung, who goes up next, and what a network is worth on any of them.

Promotion is that of ASHA in its promoting form (Li et al.: "A System for Massively Parallel
Hyperparameter Tuning", 2020, https://arxiv.org/abs/1810.05934): as soon as a network is among the
best third of what has been told of its rung it may be trained on, without waiting for the others.
The order on a rung is by fitness and, where that ties, as it often does on few validation images,
by validation loss.

Where a network has costs too, the best are those that NSGA-II ranks highest on a rung, as in
Schmucker et al.: "Multi-objective Asynchronous Successive Halving" (2021,
https://arxiv.org/abs/2106.12639).
"""

from __future__ import annotations

import math
import statistics
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field

from vlga.config.rungs import ETA
from vlga.genetics.nsga2 import selection_ranks
from vlga.ports.candidate import Candidate, Individual

__all__ = ["Rungs"]

#: On a rung so many, or half of its networks if that is more, remain in the running. Who falls
#: behind will never go up, so that its weights need not be kept.
_MIN_CONTENDERS = 4 * ETA
#: Errors are compared by their logarithm; so small a one counts as none.
_LEAST_ERROR = 1e-3

#: The lower, the better: negative accuracy, validation loss, the candidate's number.
_Score = tuple[float, float, int]


@dataclass(slots=True)
class _Rung:
    """What was told of one rung.

    Attributes:
        n: different networks, failed ones included.
        contenders: the best of them, best first.
        savings: of each contender, by its number: how little it costs.
        worth: of each network that completed, by its fingerprint.
        steps: by how much those that went up became worth more.
    """

    n: int = 0
    contenders: list[_Score] = field(default_factory=list)
    savings: dict[int, tuple[float, ...]] = field(default_factory=dict)
    worth: dict[str, float] = field(default_factory=dict)
    steps: list[float] = field(default_factory=list)

    def add(self, score: _Score, savings: tuple[float, ...]) -> None:
        """Put a network in its place among the contenders."""
        insort(self.contenders, score)
        self.savings[score[-1]] = savings
        if savings:
            values = [(-error, *self.savings[number]) for error, _, number in self.contenders]
            ranks = selection_ranks(values)
            ranked = sorted(zip(ranks, self.contenders, strict=True), key=_by_rank)
            self.contenders = [one for _, one in ranked]


class Rungs:
    """Takes what is told of a search's networks; a pure function of that, in the order of telling.

    Equal networks on one rung are one.

    Args:
        n_rungs: at least 1.
        keeps_first: whether candidate 0 goes up whatever the others do: a network that is known to
            be good, and slow to learn perhaps, is then among those compared at the top.
    """

    def __init__(self, n_rungs: int, *, keeps_first: bool = False) -> None:
        self._keeps_first = keeps_first
        self._first: Candidate | None = None  # candidate 0, or what it was trained on to
        self._rungs = [_Rung() for _ in range(n_rungs)]
        self._candidates: dict[int, Candidate] = {}
        self._promoted: set[int] = set()

    def take(self, individual: Individual, savings: tuple[float, ...] = ()) -> bool:
        """Take a network that completed; tell whether it is new on its rung.

        Args:
            individual: the network.
            savings: how little it costs by each objective beside the fitness; more is better.
        """
        candidate, fingerprint = individual.candidate, individual.candidate.fingerprint
        rung = self._rungs[candidate.rung]
        if fingerprint in rung.worth:
            return False
        rung.worth[fingerprint] = worth = _worth(individual.accuracy)
        if candidate.rung > 0:
            below = self._rungs[candidate.rung - 1]
            if fingerprint in below.worth:
                insort(below.steps, worth - below.worth[fingerprint])
        rung.n += 1
        loss = individual.evaluation.validation_loss
        score = (-individual.accuracy, math.inf if loss is None else loss, candidate.id)
        rung.add(score, savings)
        self._candidates[candidate.id] = candidate
        is_first = self._first is None or self._first.fingerprint == fingerprint
        if self._keeps_first and is_first and (self._first is not None or candidate.id == 0):
            self._first = candidate
        n_kept = max(_MIN_CONTENDERS, math.ceil(rung.n / 2))
        for *_, number in rung.contenders[n_kept:]:
            del self._candidates[number], rung.savings[number]
        del rung.contenders[n_kept:]
        return True

    def fail(self, candidate: Candidate) -> None:
        """Take a network that failed as it would again: it counts as worse than all others."""
        self._rungs[candidate.rung].n += 1

    def promote(self, number: int) -> None:
        """Note that a candidate has gone up."""
        self._promoted.add(number)

    def promotable(self, may_reach: Callable[[int], bool]) -> Candidate | None:
        """Give who goes up next: the first, or on the highest rung with one the best of its third.

        Args:
            may_reach: tells whether anybody may go up to a rung.
        """
        first = self._waiting_first
        if first is not None and may_reach(first.rung + 1):
            return first
        return self._best(may_reach, lambda rung: rung.n // ETA)

    def best_left(self, may_reach: Callable[[int], bool]) -> Candidate | None:
        """Give the best that has not gone up on the highest rung where there is one."""
        return self._best(may_reach, lambda rung: len(rung.contenders))

    @property
    def wanted(self) -> tuple[int, ...]:
        """Ids of the candidates that may still go up."""
        first = self._waiting_first
        contenders = (number for rung in self._rungs[:-1] for *_, number in rung.contenders)
        wanted = {number for number in contenders if number not in self._promoted}
        return tuple(sorted(wanted if first is None else wanted | {first.id}))

    @property
    def _waiting_first(self) -> Candidate | None:
        """The first network, if it is told and neither at the top nor on its way up."""
        first = self._first
        if first is None or first.rung + 1 >= len(self._rungs) or first.id in self._promoted:
            return None
        return first

    def value(self, individual: Individual) -> float:
        """Say what a network is worth, whichever rung it has reached; the higher, the better.

        The negative logarithm of its error, and for each rung above the median of what going up
        has added to that of others. A tenth less error is worth as much anywhere.
        """
        steps = (rung.steps for rung in self._rungs[individual.candidate.rung :])
        return _worth(individual.accuracy) + sum(statistics.median(some) for some in steps if some)

    def _best(
        self, may_reach: Callable[[int], bool], n_best: Callable[[_Rung], int]
    ) -> Candidate | None:
        for index in reversed(range(len(self._rungs) - 1)):
            if not may_reach(index + 1):
                continue
            rung = self._rungs[index]
            for *_, number in rung.contenders[: n_best(rung)]:
                if number not in self._promoted:
                    return self._candidates[number]
        return None


def _by_rank(ranked: tuple[tuple[int, float], _Score]) -> tuple[int, float, _Score]:
    """Give the key by which the highest rank comes first, and of equals the best score."""
    (front, distance), score = ranked
    return -front, -distance, score


def _worth(accuracy: float) -> float:
    return -math.log(1 - accuracy + _LEAST_ERROR)
