"""What strategies share whose trainings have several lengths: a network goes up rung by rung."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.strategies.base import Inherits, without_curve
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.rungs import Rungs
from vlga.strategies.space_base import StrategySettings
from vlga.strategies.steady_base import SteadyState

__all__ = ["TELLING_FAILURES", "Promoting"]

#: Failures that lie in the network; of others, the machine may be the cause.
TELLING_FAILURES = frozenset(
    {
        FailureReason.DIVERGED,
        FailureReason.OUT_OF_MEMORY,
        FailureReason.TIMED_OUT,
        FailureReason.TOO_SLOW,
        FailureReason.BUILD,
    }
)


class Promoting(SteadyState):
    """Gives a new network the shortest training, and takes the best up to longer ones (rungs.py).

    A promotion is a candidate of its own: the same genome, trained on from its parent's weights, or
    anew and as long in total if `training.inherit_weights` is off. The first of the networks that
    are given goes all the way up. As a budget of epochs or of time runs out, what is left goes to
    those that are still on their way up.

    A network that has gone up takes the place of its shorter training among those alive. Subclasses
    name it before the strategy that makes the new networks.
    """

    inherits: ClassVar[Inherits] = "parent"

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self._rungs = Rungs(len(settings.rung_epochs), keeps_first=bool(settings.given))
        self._finalists: list[Individual] = []
        self._is_new = True

    @property
    def parents(self) -> tuple[int, ...]:
        """Ids of those that may still be trained on, and of the individuals alive if they breed."""
        return (*super().parents, *self._rungs.wanted)

    @property
    def finalists(self) -> tuple[Individual, ...]:
        """Those on the highest rung that any has reached."""
        return tuple(self._finalists)

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        chosen = self._next_up()
        made = super()._propose(told) if chosen is None else [self._promoted(chosen)]
        if self._epochs_left is not None:
            self._epochs_left -= sum(self.settings.rung_epochs[one.rung] for one in made)
        return made

    @property
    def _must_wait(self) -> bool:
        """Only where even the shortest training is longer than what is left of the budget."""
        return not self._is_affordable(0)

    def _next_up(self) -> Candidate | None:
        """Give the network that goes up by a rung now, if one may."""
        chosen = self._rungs.promotable(self._is_affordable)
        left = self._epochs_left
        if chosen is None and left is not None and left < sum(self.settings.rung_epochs):
            # A new network could no longer reach the top.
            chosen = self._rungs.best_left(self._is_affordable)
        return chosen

    def _promoted(self, chosen: Candidate) -> Candidate:
        assert isinstance(chosen.genome, Genome)
        self.generation = self._n_made // self.settings.population.size
        weights_from = chosen.id if self.settings.inherits_weights else None
        return self._candidate(
            chosen.genome, "promote", (chosen.id,), weights_from, chosen.rung + 1
        )

    def _is_affordable(self, rung: int) -> bool:
        """Tell whether what is left of the budget is enough for a training on a rung."""
        return self._epochs_left is None or self.settings.rung_epochs[rung] <= self._epochs_left

    def _value(self, individual: Individual) -> float:
        return self._rungs.value(individual)

    def _take(self, individual: Individual) -> None:
        self._is_new = self._rungs.take(individual, self._savings(individual))
        if self._is_new:
            top = self._finalists[0].candidate.rung if self._finalists else -1
            if individual.candidate.rung > top:
                self._finalists = []
            if individual.candidate.rung >= top:
                self._finalists.append(without_curve(individual))
        super()._take(individual)

    def _join(self, individual: Individual) -> None:
        """Let a network that has gone up take the place of its shorter training."""
        if self._is_new:
            self._bury(individual.candidate)
            super()._join(individual)

    def _miss(self, candidate: Candidate, evaluation: Evaluation) -> None:
        super()._miss(candidate, evaluation)
        if evaluation.reason in TELLING_FAILURES:
            self._rungs.fail(candidate)
            self._bury(candidate)

    def _bury(self, candidate: Candidate) -> None:
        """Remove a network from those alive, if it is among them."""
        fingerprint = candidate.fingerprint
        self.alive = [one for one in self.alive if one.candidate.fingerprint != fingerprint]

    def _count(self, candidate: Candidate) -> None:
        super()._count(candidate)
        if candidate.rung:
            self._rungs.promote(candidate.parents[0])
