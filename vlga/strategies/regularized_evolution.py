"""Regularized evolution: the oldest dies, not the worst.

Real, Aggarwal, Huang, Le: "Regularized Evolution for Image Classifier Architecture Search" (2019,
https://arxiv.org/abs/1802.01548), algorithm 1. A population of random networks; then for ever: draw
a sample, mutate its fittest, train the child, add it, remove the oldest.

The mutations are for our genome: one gene anywhere, a block more, a block less; the paper's change
an operation or a connection inside a cell of fixed size. Its sample is a quarter of the population
(25 of 100), and so is ours. It trains a network anew each time it meets it; here an equal network
takes over the outcome that is known, at no cost.
"""

from __future__ import annotations

from random import Random

from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.steady_base import SteadyState

__all__ = ["RegularizedEvolution"]


class RegularizedEvolution(SteadyState):
    """Ageing evolution on genomes of one to five blocks, or as many as `max_blocks` allows.

    Networks train from scratch. Ends with its budget, or when a long row of candidates brings no
    new network.
    """

    @property
    def _n_needed(self) -> int:
        """As many as are drawn: a quarter of the population, at least two."""
        return max(2, self.settings.population.size // 4)

    def _found(self, rng: Random) -> Candidate:
        genome = self.toolbox.individual(rng=rng, n_blocks=rng.randint(1, self._max_blocks))
        return self._candidate(self._fit(genome, rng), "sample")

    def _breed(self, rng: Random) -> Candidate:
        parent = self.toolbox.tournament(self.alive, rng=rng, n_drawn=self._n_needed)
        genome, operator = self.toolbox.mutate_anywhere(
            parent.genome, rng=rng, max_blocks=self._max_blocks
        )
        return self._candidate(self._fit(genome, rng), operator, (parent.id,))

    def _join(self, individual: Individual) -> None:
        self.alive.append(individual)
        if len(self.alive) > self.settings.population.size:
            del self.alive[0]
