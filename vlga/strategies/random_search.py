"""Random search: every candidate drawn anew. The baseline that a search has to beat."""

from __future__ import annotations

from collections.abc import Sequence

from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.space_base import SpaceSearch

__all__ = ["RandomSearch"]


class RandomSearch(SpaceSearch):
    """Draws a length, then every gene, uniformly; trains from scratch; ends with its budget.

    As the baseline of Xiao et al. 2020, section 4.3, whose networks have 2 to 10 layers: a block
    has one or two convolutions, so lengths are 1 to 5 blocks. A batch is as large as a population.
    """

    has_generations = False

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        self._log(told, len(told))
        if self._is_searched_through():
            return []
        self.generation += self._n_made > 0
        rng = self._rng()
        batch = []
        while (given := self._next_given(rng)) is not None:
            batch.append(given)
        for _ in range(self.settings.population.size):
            genome = self.toolbox.individual(rng=rng, n_blocks=rng.randint(1, self._max_blocks))
            batch.append(self._candidate(self._fit(genome, rng), "sample"))
        return batch
