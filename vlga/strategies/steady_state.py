"""A steady-state genetic algorithm with genomes of varying length: no worker waits for another.

As soon as one training ends the next candidate is made from whoever is alive by then (Syswerda: "A
Study of Reproduction in Generational and Steady State Genetic Algorithms", 1991). It has the
operators that phases do without: parents of different length are crossed block by block, and a
mutation may insert, duplicate or remove a block. Networks begin with one block, as the first phase
of `variable_length` does, and grow because twice as many mutations lengthen as shorten.

With several objectives, parents are chosen and die by the ranks of NSGA-II (genetics/nsga2.py), one
at a time as in Nebro and Durillo: "On the Effect of the Steady-State Selection Scheme in
Multi-Objective Genetic Algorithms" (2009).

The worst dies, not the oldest, so that what a small budget has found is not lost again; ageing is
`regularized_evolution`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, ClassVar

from vlga.genetics.genome import Genome
from vlga.genetics.nsga2 import selection_ranks
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.base import Inherits
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.space_base import StrategySettings
from vlga.strategies.steady_base import SteadyState

__all__ = ["SteadyStateEvolution"]

#: Chance of a child to have two parents. The others are mutated for certain.
_CROSSOVER_PROBABILITY = 0.5
#: Mutations tried on a child that equals a network of the search before it is let through.
_DUPLICATE_TRIES = 10


class SteadyStateEvolution(SteadyState):
    """Tournaments of two on genomes of one block to five, or as many as `max_blocks` allows.

    With several objectives, those of the first Pareto front win tournaments and live on, and of
    these the ones that are far from others.

    A child of two parents is mutated with probability `mutation_probability`. With
    `avoid_duplicates`, one that equals an earlier network is mutated until it differs. Children
    inherit their fitter parent's weights, unless `training.inherit_weights` is off. Ends with its
    budget.
    """

    inherits: ClassVar[Inherits] = "parent"
    #: Individuals drawn for a tournament. That the worst dies selects too: two are enough.
    _n_drawn = 2
    _children_inherit = True

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self._seen: set[str] = set()

    @property
    def _must_wait(self) -> bool:
        """Never: with more workers than founders, more founders are made instead of waiting."""
        return False

    def _found(self, rng: Random) -> Candidate:
        genome, operator = self.toolbox.individual(rng=rng), "sample"
        return self._make(genome, operator, (), rng)

    def _breed(self, rng: Random) -> Candidate:
        return self._make(*self._child(rng), rng)

    def _child(self, rng: Random) -> tuple[Genome, str, tuple[Individual, ...]]:
        """Make a child of one or two of those alive; give its genome, operator and parents."""
        merit = self._merit()
        first = self._tournament(self.alive, merit, rng)
        if rng.random() >= _CROSSOVER_PROBABILITY:
            genome, operator = self._mutate(first.genome, rng)
            return genome, operator, (first,)
        second = self._tournament([one for one in self.alive if one is not first], merit, rng)
        first, second = sorted((first, second), key=lambda one: (-self._value(one), one.id))
        genome = self.toolbox.mate_aligned(first.genome, second.genome, rng=rng)
        operator = "aligned_crossover"
        if rng.random() < self.settings.population.mutation_probability:
            genome, mutation = self._mutate(genome, rng)
            operator += f"+{mutation}"
        return genome, operator, (first, second)

    def _tournament(
        self, population: Sequence[Individual], merit: Callable[[Individual], Any], rng: Random
    ) -> Individual:
        chosen: Individual = self.toolbox.tournament(
            population, rng=rng, n_drawn=self._n_drawn, value=merit
        )
        return chosen

    def _merit(self) -> Callable[[Individual], Any]:
        """Give what those alive are selected by: their worth, or by NSGA-II where it has a cost."""
        if len(self.settings.objectives) == 1:
            return self._value
        values = [(self._value(one), *self._savings(one)) for one in self.alive]
        ids = (one.id for one in self.alive)
        ranks = dict(zip(ids, selection_ranks(values), strict=True))
        return lambda one: ranks[one.id]

    def _join(self, individual: Individual) -> None:
        """Remove the worst, and of equally bad ones the oldest, if there are too many."""
        self.alive.append(individual)
        if len(self.alive) > self.settings.population.size:
            merit = self._merit()
            self.alive.remove(min(self.alive, key=lambda one: (merit(one), one.id)))

    def _make(
        self, genome: Genome, operator: str, parents: tuple[Individual, ...], rng: Random
    ) -> Candidate:
        """Make a candidate within the limits and, if so set, unlike any network before it."""
        genome = self._fit(genome, rng)
        if self.settings.population.avoid_duplicates:
            for _ in range(_DUPLICATE_TRIES):
                if self._phenotypes.fingerprint(genome) not in self._seen:
                    break
                genome, mutation = self._mutate(genome, rng)
                genome, operator = self._fit(genome, rng), f"{operator}+{mutation}"
        ids = tuple(one.id for one in parents)
        inherits = self._children_inherit and self.settings.inherits_weights and ids
        return self._candidate(genome, operator, ids, ids[0] if inherits else None)

    def _mutate(self, genome: Genome, rng: Random) -> tuple[Genome, str]:
        mutated: tuple[Genome, str] = self.toolbox.mutate_growing(
            genome, rng=rng, max_blocks=self._max_blocks
        )
        return mutated

    def _count(self, candidate: Candidate) -> None:
        super()._count(candidate)
        self._seen.add(candidate.fingerprint)
