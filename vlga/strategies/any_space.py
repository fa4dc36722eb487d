"""Evolution over genes of which nothing is known: what they describe need be no network of ours.

For programs that have a training of their own and want this genetic algorithm to search for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence

from vlga.config.settings import PopulationConfig
from vlga.errors import ConfigError
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.networks.features import Features
from vlga.strategies.space_base import StrategySettings
from vlga.strategies.steady_state import SteadyStateEvolution

__all__ = ["AnyGenesEvolution"]


class _Genomes:
    """Genomes that describe nothing known: each is its own, of any size, and no gene is silent."""

    def fingerprint(self, genome: Genome) -> str:
        return hashlib.sha256(genome.to_json().encode()).hexdigest()[:16]

    def costs(self, _genome: Genome) -> tuple[float, ...]:
        return ()

    def features(self, _genome: Genome) -> Features:
        return (), ()

    def parameters_per_mac(self, _genome: Genome) -> float:
        return 0.0

    def silent_genes(self, _genome: Genome) -> Container[str]:
        return ()


class AnyGenesEvolution(SteadyStateEvolution):
    """The steady-state genetic algorithm in a space of any genes; resumed as every `SteadyState`.

    No genome is too large, none inherits weights, and every gene counts as expressed. It never
    ends, unless a long row of candidates brings nothing new.

    Args:
        space: where genomes come from.
        seed: of the search, at least 0.
        population_size: individuals alive, at least 2.
        max_blocks: blocks of the longest genome, at least 1.
        first: genomes to propose before any other.

    Raises:
        ConfigError: a number is no whole one, or too low.
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
        for name, number, least in (
            ("seed", seed, 0),
            ("population_size", population_size, 2),
            ("max_blocks", max_blocks, 1),
        ):
            if not isinstance(number, int) or number < least:
                raise ConfigError(
                    f"{name} must be a whole number of at least {least}, but got {name}={number!r}"
                )
        population = PopulationConfig(size=population_size, max_blocks=max_blocks)
        settings = StrategySettings(seed, population, inherits_weights=False, given=tuple(first))
        super().__init__(space, settings, _Genomes())
