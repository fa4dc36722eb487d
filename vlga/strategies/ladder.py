"""The steady-state genetic algorithm on a ladder: short trainings first, longer ones for the best.

A network first gets a short training, and the best third of each rung is trained on, to three times
as long in total, up to the whole length (rungs.py). Nearly four times as many networks are thus
tried in as many epochs. Whoever breeds is chosen by what it is worth, whichever rung it has
reached. A population of eight with tournaments of three is small and greedy, as suits a budget of
some hundred trainings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.networks.features import Features
from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import Evaluation
from vlga.strategies.base import without_curve
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.promoting import TELLING_FAILURES, Promoting
from vlga.strategies.space_base import StrategySettings
from vlga.strategies.steady_state import SteadyStateEvolution
from vlga.strategies.surrogate import Surrogate

__all__ = ["Ladder"]

#: Share of the networks that are drawn from the space although there are parents.
_FRESH_PROBABILITY = 0.05
#: Chance of a mutated child to be mutated twice.
_SECOND_MUTATION_PROBABILITY = 0.2
#: Below so many known networks, and with this chance always, a child is not screened.
_MIN_KNOWN = 10
_UNSCREENED_PROBABILITY = 0.1
#: The model sees the best and the newest of the known networks; its time grows with their cube.
_MAX_BEST, _MAX_NEWEST = 50, 150

#: Genome, operator, parents.
_Child = tuple[Genome, str, tuple[Individual, ...]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a model may know of a network.

    Attributes:
        features: of the network.
        rung: the highest that it has reached.
        individual: what it did there, or None if it failed as it would again.
    """

    features: Features
    rung: int
    individual: Individual | None


class Ladder(Promoting, SteadyStateEvolution):
    """Evolution whose trainings have several lengths; promotions, founders, then children.

    Children train from scratch. The founders are the networks that are given and as many drawn ones
    as a population has individuals; those alive are the most valuable of all that were told. Ends
    with its budget.
    """

    _n_drawn = 3
    _children_inherit = False

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self._known: dict[str, _Known] = {}
        self._n_founders = 0  # made, but for those that failed

    @property
    def _lacks_founders(self) -> bool:
        return self._n_founders < len(self.settings.given) + self.settings.population.size

    def _found(self, rng: Random) -> Candidate:
        return self._make(self._draw(rng), "sample", (), rng)

    def _breed(self, rng: Random) -> Candidate:
        if rng.random() < _FRESH_PROBABILITY:
            return self._found(rng)
        is_screened = self.settings.population.screen > 1 and len(self._known) >= _MIN_KNOWN
        if is_screened and rng.random() >= _UNSCREENED_PROBABILITY:
            child = self._screened(rng)
            if child is not None:
                return self._make(*child, rng)
        return super()._breed(rng)

    def _screened(self, rng: Random) -> _Child | None:
        """Give the most promising of many children that are unlike any network before, if any.

        Each child's promise is drawn from what the model thinks possible (Thompson sampling), so
        that what is unknown is tried too, and many workers do not all try the same.
        """
        children: dict[str, _Child] = {}
        for _ in range(self.settings.population.screen):
            genome, operator, parents = self._child(rng)
            genome = self._fit(genome, rng)
            fingerprint = self._phenotypes.fingerprint(genome)
            if fingerprint not in self._seen:
                children.setdefault(fingerprint, (genome, operator, parents))
        if not children:
            return None
        features = [self._phenotypes.features(genome) for genome, *_ in children.values()]
        means, deviations = self._surrogate().predict(features)
        draws = [
            round(mean + deviation * rng.gauss(0, 1), 6)
            for mean, deviation in zip(means.tolist(), deviations.tolist(), strict=True)
        ]
        return [*children.values()][draws.index(max(draws))]

    def _surrogate(self) -> Surrogate:
        """Fit the model to the networks known by now: the best ones and the newest ones."""
        known = [*self._known.values()]
        values = [
            -math.inf if one.individual is None else self._value(one.individual) for one in known
        ]
        if len(known) > _MAX_BEST + _MAX_NEWEST:
            older = sorted(range(len(known) - _MAX_NEWEST), key=lambda index: -values[index])
            kept = [*sorted(older[:_MAX_BEST]), *range(len(known) - _MAX_NEWEST, len(known))]
            known, values = [known[index] for index in kept], [values[index] for index in kept]
        noises = [1 / (one.rung + 1) for one in known]
        return Surrogate([one.features for one in known], values, noises)

    def _mutate(self, genome: Genome, rng: Random) -> tuple[Genome, str]:
        mutant, operator = super()._mutate(genome, rng)
        if rng.random() < _SECOND_MUTATION_PROBABILITY:
            mutant, second = super()._mutate(mutant, rng)
            operator += f"+{second}"
        return mutant, operator

    def _take(self, individual: Individual) -> None:
        super()._take(individual)
        if self._is_new:
            self._learn(individual.candidate, individual)

    def _miss(self, candidate: Candidate, evaluation: Evaluation) -> None:
        super()._miss(candidate, evaluation)
        self._n_founders -= not candidate.parents
        if evaluation.reason in TELLING_FAILURES:
            self._learn(candidate, None)

    def _learn(self, candidate: Candidate, individual: Individual | None) -> None:
        """Remember for the model what a network did on the highest rung that it has reached."""
        if self.settings.population.screen == 1:
            return
        before = self._known.get(candidate.fingerprint)
        if before is None:
            assert isinstance(candidate.genome, Genome)
            features = self._phenotypes.features(candidate.genome)
        else:
            features = before.features
        known = None if individual is None else without_curve(individual)
        self._known[candidate.fingerprint] = _Known(features, candidate.rung, known)

    def _count(self, candidate: Candidate) -> None:
        super()._count(candidate)
        self._n_founders += not candidate.parents
