"""Evolution over genes of which nothing is known: what they describe need be no network of ours.

For programs that have a training of their own and want this genetic algorithm to search for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

from vlga.config.load import load_config
from vlga.config.settings import SearchConfig
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.steady_state import SteadyStateEvolution

__all__ = ["AnyGenesEvolution"]


class AnyGenesEvolution(SteadyStateEvolution):
    """The steady-state genetic algorithm in a space of any genes; resumed as every `SteadyState`.

    No genome is too large, none inherits weights, and every gene counts as expressed. It never
    ends, unless a long row of candidates brings nothing new.

    Args:
        space: where genomes come from.
        seed: of the search, in [0, 2**63).
        population_size: individuals alive, at least 2.
        max_blocks: blocks of the longest genome, at least 1.
        first: genomes to propose before any other.

    Raises:
        ConfigError: a number is out of its range.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int,
        population_size: int,
        max_blocks: int,
        first: Sequence[Genome] = (),
    ) -> None:
        self._any_space = space
        self._first = tuple(first)
        # Of a search's settings only these matter here; a configuration has the others too.
        config = load_config(
            overrides={
                "seed": seed,
                "population.size": population_size,
                "population.max_blocks": max_blocks,
                "training.inherit_weights": False,
            }
        )
        super().__init__(config, (1, 1, 1), 2)

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        if self._n_made < len(self._first):
            return [self._candidate(self._first[self._n_made], "given")]
        return super()._propose(told)

    def _make_space(self, config: SearchConfig) -> SearchSpace:  # noqa: ARG002  # has its own
        return self._any_space

    def _fingerprint(self, genome: Genome) -> str:
        return hashlib.sha256(genome.to_json().encode()).hexdigest()[:16]

    def _fit(self, genome: Genome, rng: Random, first_block: int = 0) -> Genome:  # noqa: ARG002
        return genome
