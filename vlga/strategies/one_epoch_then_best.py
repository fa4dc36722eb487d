"""The baseline that every search with short trainings must beat: try many briefly, keep a few.

Egele, Guyon, Sun, Balaprakash: "Is One Epoch All You Need For Multi-Fidelity Hyperparameter
Optimization?" (2023, https://arxiv.org/abs/2307.15422): all networks are drawn at random and
trained for one epoch, and the best few are trained on.

Here the short training is that of the lowest rung (rungs.py), and the best three go up rung by rung
to the whole length, so that their trainings are as those of the other strategies. Nearly all of a
budget goes into short trainings: what is kept is what the three will need.
"""

from __future__ import annotations

from random import Random

from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.promoting import Promoting
from vlga.strategies.space_base import StrategySettings

__all__ = ["OneEpochThenBest"]

#: So many networks go up.
_N_BEST = 3


class OneEpochThenBest(Promoting):
    """Random networks on the lowest rung, then the best to the top. Ends with its budget.

    The best one goes up first, as far as it can. When three are at the top and something is left,
    the next best go up too. Networks are drawn as the founders of `ladder` are.
    """

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self._n_climbing = 0

    @property
    def parents(self) -> tuple[int, ...]:
        """Ids of those that may still be trained on: nobody breeds."""
        return self._rungs.wanted

    @property
    def _explores(self) -> bool:
        """Whether the best can still go up after one more short training."""
        lengths, left = self.settings.rung_epochs, self._epochs_left
        if left is not None and left < lengths[0] + _N_BEST * sum(lengths[1:]):
            return False
        most = self.settings.max_evaluations
        return most is None or self._n_made + 1 + _N_BEST * (len(lengths) - 1) <= most

    @property
    def _must_wait(self) -> bool:
        """While the best are on their way up, for what they will need."""
        is_idle = not self._explores and self._next_up() is None
        return super()._must_wait or (is_idle and bool(self._waiting))

    def _next_up(self) -> Candidate | None:
        return None if self._explores else self._rungs.best_left(self._may_reach)

    def _may_reach(self, rung: int) -> bool:
        begins = rung > 1 or self._n_climbing < _N_BEST or not self._waiting
        return begins and self._is_affordable(rung)

    def _found(self, rng: Random) -> Candidate:
        return self._candidate(self._draw(rng), "sample")

    def _breed(self, rng: Random) -> Candidate:
        return self._found(rng)

    def _count(self, candidate: Candidate) -> None:
        super()._count(candidate)
        self._n_climbing += candidate.rung == 1
