"""Random search: every candidate drawn anew. The baseline that a search has to beat."""

from __future__ import annotations

from collections.abc import Sequence

from vlga.population import Candidate, Individual
from vlga.settings import SearchConfig
from vlga.strategies.base import Shape, Strategy

__all__ = ["RandomSearch"]


#: Batches in a row without a new network after which a space counts as searched through; reused
#: candidates cost no budget, which would otherwise never end.
_MAX_BARREN = 20


class RandomSearch(Strategy):
    """Draws a length, then every gene, uniformly; trains from scratch; ends with its budget.

    As the baseline of Xiao et al. 2020, section 4.3, whose networks have 2 to 10 layers: a block
    has one or two convolutions, so lengths are 1 to 5 blocks. A batch is as large as a population.
    """

    has_generations = False

    def __init__(self, config: SearchConfig, input_shape: Shape, n_classes: int) -> None:
        super().__init__(config, input_shape, n_classes)
        self._seen: set[str] = set()
        self._n_barren = 0

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        self._log(told, len(told))
        if self._n_barren >= _MAX_BARREN:
            return []
        self.generation += self._n_made > 0
        rng = self._rng()
        max_blocks = self.config.population.max_blocks or 5
        batch = []
        for _ in range(self.config.population.size):
            genome = self.toolbox.individual(rng=rng, n_blocks=rng.randint(1, max_blocks))
            batch.append(self._candidate(self._fit(genome, rng), "sample"))
        fingerprints = {candidate.fingerprint for candidate in batch}
        self._n_barren = self._n_barren + 1 if fingerprints <= self._seen else 0
        self._seen |= fingerprints
        return batch
