"""The genetic operators: small pure functions, parents in, children out, randomness an argument.

From Xiao et al. 2020 (https://arxiv.org/abs/2006.12703), section 3.1, and for strategies without
phases (mutations.py has theirs by name). Every operator gives a genome of the space from genomes of
the space, by construction: nothing is drawn and then rejected. None touches its arguments or the
global `random`; the same arguments and the same state of `rng` give the same result. Selection uses
DEAP's `selBest`; DEAP's variation operators draw from the global `random` and work in place, so
ours stand in their stead (toolbox.py registers them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from deap import tools

from vlga.errors import GenomeError
from vlga.genome import Allele, BlockGenes, Genome, NetworkGenes
from vlga.population import Individual
from vlga.space import SearchSpace

__all__ = [
    "choose_parents",
    "duplicate_block",
    "grow",
    "insert_block",
    "mutate_any_gene",
    "mutate_gene_of",
    "mutate_one_gene",
    "remove_block",
    "sample",
    "settle",
    "shrink",
    "survivors",
    "tournament",
    "uniform_crossover",
]


def sample(space: SearchSpace, rng: Random, n_blocks: int = 1) -> Genome:
    """Draw a genome with every gene uniform over its alleles.

    Args:
        space: where it comes from.
        rng: the source of randomness.
        n_blocks: its length, at least 1.
    """
    network = space.network_genes(**_draw(space.network_alleles(), rng))
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
    return mutate_gene_of(genome, space.searched_genes(len(genome.blocks) - 1), rng)


def mutate_any_gene(genome: Genome, space: SearchSpace, rng: Random) -> Genome:
    """Give one gene, network-wide or of any block, another allele.

    The gene is uniform over those with a choice, its new allele uniform over the gene's others.
    Without such a gene the genome comes back as it is.
    """
    return mutate_gene_of(genome, space.varied_genes(len(genome.blocks)), rng)


def mutate_gene_of(genome: Genome, genes: Mapping[str, tuple[Allele, ...]], rng: Random) -> Genome:
    """Give one of these genes, address to its alleles (at least two), another allele."""
    if not genes:
        return genome
    address = rng.choice(list(genes))
    others = [allele for allele in genes[address] if allele != genome.genes()[address]]
    return genome.with_genes({address: rng.choice(others)})


def insert_block(
    genome: Genome, space: SearchSpace, rng: Random, place: int | None = None
) -> Genome:
    """Put a block, drawn uniformly, before, between or after the others.

    The others keep their genes; only where a first block becomes the second, genes whose alleles
    the space does not allow there are drawn anew.

    Args:
        genome: what to lengthen.
        space: where it comes from.
        rng: the source of randomness.
        place: the new block's index, in [0, number of blocks]; uniform if not given.
    """
    if place is None:
        place = rng.randrange(len(genome.blocks) + 1)
    new = _sample_block(space, rng, place)
    return settle(genome.network, (*genome.blocks[:place], new, *genome.blocks[place:]), space, rng)


def duplicate_block(
    genome: Genome, space: SearchSpace, rng: Random, place: int | None = None
) -> Genome:
    """Put a copy of a block behind it.

    The others keep their genes; only where the copy is of the first block, its genes whose alleles
    the space does not allow in the second are drawn anew.

    Args:
        genome: what to lengthen.
        space: where it comes from.
        rng: the source of randomness.
        place: the copied block's index; uniform if not given.
    """
    if place is None:
        place = rng.randrange(len(genome.blocks))
    blocks = (*genome.blocks[: place + 1], *genome.blocks[place:])
    return settle(genome.network, blocks, space, rng)


def remove_block(
    genome: Genome, space: SearchSpace, rng: Random, place: int | None = None
) -> Genome:
    """Take a block away.

    The others keep their genes; only where a second block becomes the first, genes whose alleles
    the space does not allow there are drawn anew.

    Args:
        genome: what to shorten.
        space: where it comes from.
        rng: the source of randomness.
        place: the block's index; uniform if not given.

    Raises:
        GenomeError: the genome has one block only.
    """
    if len(genome.blocks) == 1:
        raise GenomeError("a block can be removed from a genome of at least 2, but got 1 block")
    if place is None:
        place = rng.randrange(len(genome.blocks))
    return settle(genome.network, (*genome.blocks[:place], *genome.blocks[place + 1 :]), space, rng)


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


def tournament(population: Sequence[Individual], n_drawn: int, rng: Random) -> Individual:
    """Give the fittest of some individuals, each drawn uniformly from all.

    DEAP's `selTournament` with our own dice. The order of `population` does not matter; of equally
    fit individuals the one made first counts as fitter.

    Args:
        population: at least one.
        n_drawn: individuals drawn, at least 1; the same one may be drawn again.
        rng: the source of randomness.
    """
    ordered = sorted(population, key=lambda one: one.id)
    drawn = [rng.choice(ordered) for _ in range(n_drawn)]
    return max(drawn, key=lambda one: (one.accuracy, -one.id))


def settle(
    network: NetworkGenes, blocks: Sequence[BlockGenes], space: SearchSpace, rng: Random
) -> Genome:
    """Make a genome of blocks that stood elsewhere, at least one.

    They keep their genes; only those whose alleles the space does not allow at a block's new place
    are drawn anew.
    """
    settled = []
    for index, block in enumerate(blocks):
        misfits = {
            name: alleles
            for name, alleles in space.block_alleles(index).items()
            if getattr(block, name) not in alleles
        }
        settled.append(replace(block, **_draw(misfits, rng)))
    return Genome(network, tuple(settled))


def _sample_block(space: SearchSpace, rng: Random, index: int) -> BlockGenes:
    return space.block_genes(**_draw(space.block_alleles(index), rng))


def _draw(alleles: dict[str, tuple[Allele, ...]], rng: Random) -> dict[str, Any]:
    return {name: rng.choice(choices) for name, choices in alleles.items()}
