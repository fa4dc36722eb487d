"""The classical genetic algorithm on networks of three convolutions.

The baseline that Xiao et al. 2020 (https://arxiv.org/abs/2006.12703), section 4.3, take from Young,
Rose, Karnowski, Lim, Patton: "Optimizing deep learning hyper-parameters through an evolutionary
algorithm" (2015, MENNDL): three convolutions, whose channels and kernels are searched, and one
population that evolves by generations until the time is over. The text of Young et al. could not be
had. That shape, the six genes (preset ``young2015``) and population sizes of 50, 20 and 10 are what
Xiao et al. say of it; the algorithm is ours and the plainest: tournaments, uniform crossover,
mutation of one gene, one elite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from vlga.genetics.genes import BLOCK_GENES, GENES_OF_B, Allele
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual, best_of
from vlga.strategies.space_base import SpaceSearch

__all__ = ["FixedLength"]

#: Individuals drawn for a parent, of whom the fittest is it.
_TOURNAMENT_SIZE = 3


class FixedLength(SpaceSearch):
    """Generations of a genetic algorithm on genomes of two blocks: a and b, then a alone.

    The space says which alleles every gene has but `include_b`, which the shape fixes, and the
    other genes of the second block's convolution b, which does not exist. Networks train from
    scratch. The best of a generation lives on as it is; the others make room for as many offspring
    as complete the population. Ends with its budget, or when a long row of generations brings no
    new network.

    Attributes:
        population: the individuals of the last generation that is over.
    """

    population: tuple[Individual, ...] = ()

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        size = self.settings.population.size
        if self._n_made == 0:
            rng = self._rng()
            return [
                self._candidate(
                    self._fit(self.toolbox.individual(rng=rng, n_blocks=2), rng), "sample"
                )
                for _ in range(size)
            ]
        elite = best_of(self.population)
        self.population = (*((elite,) if elite else ()), *told)
        self._log(self.population, len(told))
        self._require_parents(self.population)
        if self._is_searched_through:
            return []
        self.generation += 1
        rng = self._rng()
        return [self._offspring(rng) for _ in range(size - 1)]

    def _offspring(self, rng: Random) -> Candidate:
        """Make one: two tournaments, crossover, by chance a mutation."""
        first, second = (
            self.toolbox.tournament(self.population, rng=rng, n_drawn=_TOURNAMENT_SIZE)
            for _ in range(2)
        )
        genome, operator = (
            self.toolbox.mate(first.genome, second.genome, rng=rng),
            "uniform_crossover",
        )
        if rng.random() < self.settings.population.mutation_probability:
            genome = self.toolbox.mutate_any_gene(genome, rng=rng)
            operator += "+mutate_any_gene"
        return self._candidate(self._fit(genome, rng), operator, (first.id, second.id))

    def _narrowed(self, space: SearchSpace) -> SearchSpace:
        """Narrow the space to three convolutions."""
        one_conv = {"include_b": (False,)} | {
            name: space.block_alleles(1)[name][:1] for name in GENES_OF_B
        }
        return replace(
            space,
            first_block=_fixed(space.block_alleles(0), {"include_b": (True,)}),
            block=_fixed(space.block_alleles(1), one_conv),
        )


def _fixed(
    alleles: dict[str, tuple[Allele, ...]], fixed: dict[str, tuple[Allele, ...]]
) -> tuple[tuple[Allele, ...], ...]:
    """Give a block's alleles in their order, those of some genes replaced."""
    return tuple((alleles | fixed)[name] for name in BLOCK_GENES)
