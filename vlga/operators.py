"""The genetic operators: small pure functions, parents in, children out, randomness an argument.

From Xiao et al. 2020 (https://arxiv.org/abs/2006.12703), section 3.1. Every operator gives a genome
of the space from genomes of the space, by construction: nothing is drawn and then rejected. None
touches its arguments or the global `random`; the same arguments and the same state of `rng` give
the same result. Selection uses DEAP's `selBest`; DEAP's variation operators draw from the global
`random` and work in place, so ours stand in their stead (toolbox.py registers them).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from deap import tools

from vlga.errors import GenomeError
from vlga.genome import Allele, BlockGenes, Genome, NetworkGenes
from vlga.population import Individual
from vlga.space import SearchSpace

__all__ = [
    "choose_parents",
    "grow",
    "mutate_one_gene",
    "sample",
    "shrink",
    "survivors",
    "uniform_crossover",
]


def sample(space: SearchSpace, rng: Random, n_blocks: int = 1) -> Genome:
    """Draw a genome with every gene uniform over its alleles.

    Args:
        space: where it comes from.
        rng: the source of randomness.
        n_blocks: its length, at least 1.
    """
    network = NetworkGenes(**_draw(space.network_alleles(), rng))
    return Genome(network, tuple(_sample_block(space, rng, index) for index in range(n_blocks)))


def grow(genome: Genome, space: SearchSpace, rng: Random) -> Genome:
    """Give the genome one more block, drawn uniformly; the blocks before it are unchanged.

    The paper keeps the whole inherited chromosome. Network-wide genes that a later phase searches
    are each kept or drawn anew with equal chance, so that the phase starts with something to vary.
    """
    n_blocks = len(genome.blocks)
    grown = Genome(genome.network, (*genome.blocks, _sample_block(space, rng, n_blocks)))
    redrawn = {
        address: rng.choice(alleles)
        for address, alleles in space.searched_genes(n_blocks).items()
        if "." not in address and rng.random() < 0.5
    }
    return grown.with_genes(redrawn)


def uniform_crossover(first: Genome, second: Genome, rng: Random) -> Genome:
    """Take each gene from one parent or the other with equal chance.

    Raises:
        GenomeError: the parents have different lengths; inside a phase all are equal.
    """
    if len(first.blocks) != len(second.blocks):
        raise GenomeError(
            "uniform crossover needs parents of one phase, but got "
            f"{len(first.blocks)} and {len(second.blocks)} blocks"
        )
    others = second.genes()
    taken = {
        address: others[address]
        for address, allele in first.genes().items()
        if others[address] != allele and rng.random() < 0.5
    }
    return first.with_genes(taken)


def mutate_one_gene(genome: Genome, space: SearchSpace, rng: Random) -> Genome:
    """Give one searched gene of the genome another allele.

    The gene is uniform over those that the genome's phase searches, its new allele uniform over the
    gene's others. Without a searched gene the genome comes back as it is.
    """
    genes = space.searched_genes(len(genome.blocks) - 1)
    if not genes:
        return genome
    address = rng.choice(list(genes))
    others = [allele for allele in genes[address] if allele != genome.genes()[address]]
    return genome.with_genes({address: rng.choice(others)})


def shrink(genome: Genome, space: SearchSpace, rng: Random, first_block: int = 0) -> Genome | None:
    """Make a network cheaper by one step: the next lower allele of one of its size genes.

    Size genes are the channels and kernels of convolutions a and, where it exists, b. Repeated, it
    reaches the smallest convolutions of the space.

    Args:
        genome: what to shrink.
        space: where it comes from.
        rng: the source of randomness.
        first_block: index of the first block that may change; those before it are fixed.

    Returns:
        The smaller genome, or None if no gene of these blocks can be lowered.
    """
    lower: dict[str, int] = {}
    for index, block in enumerate(genome.blocks[first_block:], first_block):
        alleles = space.block_alleles(index)
        for name in ("channels_a", "kernel_a", *(("channels_b", "kernel_b") * block.include_b)):
            own = getattr(block, name)
            smaller = [one for one in alleles[name] if isinstance(one, int) and one < own]
            if smaller:
                lower[f"blocks.{index}.{name}"] = max(smaller)
    if not lower:
        return None
    address = rng.choice(list(lower))
    return genome.with_genes({address: lower[address]})


def survivors(
    population: Sequence[Individual], fraction: float, less_fit_probability: float, rng: Random
) -> tuple[tuple[Individual, ...], tuple[Individual, ...]]:
    """Choose who lives on: the fittest for certain, each of the others by chance.

    The order of `population` does not matter; of equally fit individuals the one made first counts
    as fitter.

    Args:
        population: at least one.
        fraction: share of the fittest that survive, in (0, 1]; at least one individual does.
        less_fit_probability: chance of each of the others, in [0, 1].
        rng: the source of randomness.

    Returns:
        The elite, best first, and the lucky less fit, best first.
    """
    ranked = tools.selBest(sorted(population, key=lambda one: one.id), len(population))
    n_elite = max(1, round(fraction * len(ranked)))
    lucky = tuple(one for one in ranked[n_elite:] if rng.random() < less_fit_probability)
    return tuple(ranked[:n_elite]), lucky


def choose_parents(n_individuals: int, rng: Random) -> tuple[int, int]:
    """Choose two parents uniformly, different ones if there are two; gives their indices."""
    if n_individuals == 1:
        return 0, 0
    first, second = rng.sample(range(n_individuals), 2)
    return first, second


def _sample_block(space: SearchSpace, rng: Random, index: int) -> BlockGenes:
    return BlockGenes(**_draw(space.block_alleles(index), rng))


def _draw(alleles: dict[str, tuple[Allele, ...]], rng: Random) -> dict[str, Any]:
    return {name: rng.choice(choices) for name, choices in alleles.items()}
