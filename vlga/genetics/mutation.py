"""Mutations: a child of one parent that differs from it.

Every function is pure: it draws from the `rng` that it is given and leaves its arguments alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from vlga.errors import GenomeError
from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele
from vlga.genetics.sampling import sample_block, settle
from vlga.genetics.space import SearchSpace

__all__ = [
    "duplicate_block",
    "insert_block",
    "mutate_any_gene",
    "mutate_gene_of",
    "mutate_one_gene",
    "remove_block",
]


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
    """Put a block, drawn anew, before, between or after the others.

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
    new = sample_block(space, rng, place)
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
