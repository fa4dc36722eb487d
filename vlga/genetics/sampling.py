"""Drawing genomes from a space, growing them, and making them fit.

Every function is pure: it draws from the `rng` that it is given and leaves its arguments alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from vlga.genetics.genes import (
    BLOCK_GENES,
    GENES,
    GENES_OF_B,
    Allele,
    BlockGenes,
    NetworkGenes,
)
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace

__all__ = ["grow", "sample", "sample_block", "settle", "shrink"]

_SIZES = tuple(name for name in BLOCK_GENES if GENES[name].is_size)


def sample(space: SearchSpace, rng: Random, n_blocks: int = 1) -> Genome:
    """Draw a genome with every gene uniform over its alleles.

    Args:
        space: where it comes from.
        rng: the source of randomness.
        n_blocks: its length, at least 1.
    """
    network = space.network_genes(**_draw(space.network_alleles(), rng))
    return Genome(network, tuple(sample_block(space, rng, index) for index in range(n_blocks)))


def grow(genome: Genome, space: SearchSpace, rng: Random) -> Genome:
    """Give the genome one more block, drawn uniformly; the blocks before it are unchanged.

    The paper keeps the whole inherited chromosome. Network-wide genes that a later phase searches
    are each kept or drawn anew with equal chance, so that the phase starts with something to vary.
    """
    n_blocks = len(genome.blocks)
    grown = Genome(genome.network, (*genome.blocks, sample_block(space, rng, n_blocks)))
    redrawn = {
        address: rng.choice(alleles)
        for address, alleles in space.searched_genes(n_blocks).items()
        if "." not in address and rng.random() < 0.5
    }
    return grown.with_genes(redrawn)


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
        for name in _SIZES:
            if name in GENES_OF_B and not block.include_b:
                continue
            own = getattr(block, name)
            smaller = [one for one in alleles[name] if isinstance(one, int) and one < own]
            if smaller:
                lower[f"blocks.{index}.{name}"] = max(smaller)
    if not lower:
        return None
    address = rng.choice(list(lower))
    return genome.with_genes({address: lower[address]})


def settle(
    network: NetworkGenes, blocks: Sequence[BlockGenes], space: SearchSpace, rng: Random
) -> Genome:
    """Make a genome of blocks, at least one, that may have had other places before.

    They keep their genes, except that an allele that the space does not allow at a block's new
    place is drawn again.
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


def sample_block(space: SearchSpace, rng: Random, index: int) -> BlockGenes:
    """Draw a block for this index, every gene uniform over its alleles."""
    return space.block_genes(**_draw(space.block_alleles(index), rng))


def _draw(alleles: dict[str, tuple[Allele, ...]], rng: Random) -> dict[str, Any]:
    return {name: rng.choice(choices) for name, choices in alleles.items()}
