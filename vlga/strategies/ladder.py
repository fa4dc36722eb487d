"""The steady-state genetic algorithm on a ladder: short trainings first, longer ones for the best.

A network first gets a short training, and the best third of each rung is trained on, to three times
as long in total, up to the whole length (rungs.py). Nearly four times as many networks are thus
tried in as many epochs. Whoever breeds is chosen by what it is worth, whichever rung it has
reached. A population of eight with tournaments of three is small and greedy, as suits a budget of
some hundred trainings.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.rungs import Rungs
from vlga.strategies.space_base import StrategySettings
from vlga.strategies.steady_state import SteadyStateEvolution

__all__ = ["Ladder"]

#: Failures that lie in the network; of others, the machine may be the cause.
_TELLING_FAILURES = frozenset(
    {
        FailureReason.DIVERGED,
        FailureReason.OUT_OF_MEMORY,
        FailureReason.TIMED_OUT,
        FailureReason.BUILD,
    }
)
#: Share of the networks that are drawn from the space although there are parents.
_FRESH_PROBABILITY = 0.05
#: Chance of a mutated child to be mutated twice.
_SECOND_MUTATION_PROBABILITY = 0.2
#: Blocks of the longest founder that is drawn, if `max_blocks` allows as many.
_MAX_DRAWN_BLOCKS = 4


class Ladder(SteadyStateEvolution):
    """Evolution whose trainings have several lengths; promotions, founders, then children.

    A promotion is a candidate of its own: the same genome, trained on from its parent's weights, or
    anew and as long in total if `training.inherit_weights` is off. Children train from scratch. The
    founders are the networks that are given and as many drawn ones as a population has individuals;
    those alive are the most valuable of all that were told. As a budget of epochs runs out, what is
    left goes to those that are still on their way up. Ends with its budget.
    """

    _n_drawn = 3
    _children_inherit = False

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self._rungs = Rungs(len(settings.rung_epochs))
        self._n_founders = 0  # made, but for those that failed
        self._is_new = True

    @property
    def parents(self) -> tuple[int, ...]:
        """Ids of the individuals alive and of those that may still be trained on."""
        return (*super().parents, *self._rungs.wanted)

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        promotion = self._promotion()
        made = super()._propose(told) if promotion is None else [promotion]
        if self._epochs_left is not None:
            self._epochs_left -= sum(self.settings.rung_epochs[one.rung] for one in made)
        return made

    @property
    def _must_wait(self) -> bool:
        """Only where even the shortest training is longer than what is left of the budget."""
        return not self._is_affordable(0)

    @property
    def _lacks_founders(self) -> bool:
        return self._n_founders < len(self.settings.given) + self.settings.population.size

    def _promotion(self) -> Candidate | None:
        """Take a network up by a rung, if one may go."""
        chosen = self._rungs.promotable(self._is_affordable)
        left = self._epochs_left
        if chosen is None and left is not None and left < sum(self.settings.rung_epochs):
            # A new network could no longer reach the top.
            chosen = self._rungs.best_left(self._is_affordable)
        if chosen is None:
            return None
        assert isinstance(chosen.genome, Genome)
        self.generation = self._n_made // self.settings.population.size
        weights_from = chosen.id if self.settings.inherits_weights else None
        return self._candidate(
            chosen.genome, "promote", (chosen.id,), weights_from, chosen.rung + 1
        )

    def _is_affordable(self, rung: int) -> bool:
        """Tell whether what is left of the budget is enough for a training on a rung."""
        return self._epochs_left is None or self.settings.rung_epochs[rung] <= self._epochs_left

    def _found(self, rng: Random) -> Candidate:
        n_blocks = rng.randint(1, min(self._max_blocks, _MAX_DRAWN_BLOCKS))
        return self._make(self.toolbox.individual(rng=rng, n_blocks=n_blocks), "sample", (), rng)

    def _breed(self, rng: Random) -> Candidate:
        if rng.random() < _FRESH_PROBABILITY:
            return self._found(rng)
        return super()._breed(rng)

    def _mutate(self, genome: Genome, rng: Random) -> tuple[Genome, str]:
        mutant, operator = super()._mutate(genome, rng)
        if rng.random() < _SECOND_MUTATION_PROBABILITY:
            mutant, second = super()._mutate(mutant, rng)
            operator += f"+{second}"
        return mutant, operator

    def _value(self, individual: Individual) -> float:
        return self._rungs.value(individual)

    def _take(self, individual: Individual) -> None:
        self._is_new = self._rungs.take(individual)
        super()._take(individual)

    def _join(self, individual: Individual) -> None:
        """Let a network that has gone up take the place of its shorter training."""
        if not self._is_new:
            return
        fingerprint = individual.candidate.fingerprint
        self.alive = [one for one in self.alive if one.candidate.fingerprint != fingerprint]
        super()._join(individual)

    def _miss(self, candidate: Candidate, evaluation: Evaluation) -> None:
        super()._miss(candidate, evaluation)
        self._n_founders -= not candidate.parents
        if evaluation.reason in _TELLING_FAILURES:
            self._rungs.fail(candidate)
            fingerprint = candidate.fingerprint
            self.alive = [one for one in self.alive if one.candidate.fingerprint != fingerprint]

    def _count(self, candidate: Candidate) -> None:
        super()._count(candidate)
        self._n_founders += not candidate.parents
        if candidate.rung:
            self._rungs.promote(candidate.parents[0])
