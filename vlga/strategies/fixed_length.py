"""The classical genetic algorithm on networks of three convolutions.

The baseline that Xiao et al. 2020 (https://arxiv.org/abs/2006.12703), section 4.3, take from Young,
Rose, Karnowski, Lim, Patton: "Optimizing deep learning hyper-parameters through an evolutionary
algorithm" (2015, MENNDL): three convolutions, whose channels and kernels are searched, and one
population that evolves by generations until the time is over. We could not read the text of Young
et al. This shape, the six genes (preset ``young2015``) and population sizes of 50, 20 and 10 are
what Xiao et al. report of it; the algorithm is a textbook one of ours: tournaments, uniform
crossover, mutation of one gene, and the best individual survives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from vlga.genetics.genes import BLOCK_GENES, GENES_OF_B
from vlga.genetics.rules import Allele
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual, best_of
from vlga.strategies.space_base import SpaceSearch

__all__ = ["FixedLength"]

#: Individuals drawn for a parent; the fittest of them becomes it.
_TOURNAMENT_SIZE = 3


class FixedLength(SpaceSearch):
    """Generations of a genetic algorithm on genomes of two blocks: a and b, then a alone.

    The shape fixes `include_b` and makes the second block's convolution b absent; all other genes
    have the alleles of the space. Networks train from scratch. The best of a generation survives
    unchanged; offspring replace all others. Ends with its budget, or when many generations in a
    row bring no new network.

    Attributes:
        population: the individuals of the last finished generation.
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
        if self._lacks_parents_in(self.population) or self._is_searched_through():
            return []
        self.generation += 1
        rng = self._rng()
        return [self._offspring(rng) for _ in range(size - 1)]

    def _offspring(self, rng: Random) -> Candidate:
        """Make an offspring by two tournaments, crossover and sometimes a mutation."""
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
