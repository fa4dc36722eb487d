"""Drawing genomes from a space, growing them, and making them fit.

Every function is pure: it draws from the `rng` that it is given and leaves its arguments alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from vlga.genetics.genes import (
    BLOCK_GENES,
    GENES,
    GENES_OF_B,
    BlockGenes,
    NetworkGenes,
    gene_names,
)
from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele
from vlga.genetics.space import SearchSpace

__all__ = ["grow", "order_widths", "sample", "sample_block", "settle", "shrink", "smallest"]

_SIZES = tuple(name for name in BLOCK_GENES if GENES[name].is_size)
#: Of the blocks of images' networks; other kinds of blocks may lack them.
_WIDTHS = {name for name in BLOCK_GENES if GENES[name].altered_by == "alter_channels"}


def sample(space: SearchSpace, rng: Random, n_blocks: int = 1) -> Genome:
    """Draw a genome, every gene from its prior: uniform over its alleles if it has none.

    Args:
        space: where it comes from.
        rng: the source of randomness.
        n_blocks: its length, at least 1.
    """
    network = space.network_genes(**_draw(space, space.network_alleles(), rng))
    return Genome(network, tuple(sample_block(space, rng, index) for index in range(n_blocks)))


def order_widths(genome: Genome, space: SearchSpace) -> Genome:
    """Put the channels of a genome's blocks in rising order, those of either convolution.

    Among random networks those whose layers become no narrower are better in general (Radosavovic
    et al.: "Designing Network Design Spaces", 2020, https://arxiv.org/abs/2003.13678). Where the
    space does not allow a block its new channels the genome comes back as it is.
    """
    rising = {
        f"blocks.{index}.{name}": channels
        for name in _WIDTHS & {*gene_names(type(genome.blocks[0]))}
        for index, channels in enumerate(sorted(getattr(one, name) for one in genome.blocks))
    }
    wider = genome.with_genes(rising)
    return wider if space.contains(wider) else genome


def grow(genome: Genome, space: SearchSpace, rng: Random) -> Genome:
    """Give the genome one more block, drawn anew; the blocks before it are unchanged.

    The paper keeps the whole inherited chromosome. Network-wide genes that a later phase searches
    are each kept or drawn anew with equal chance, so that the phase starts with something to vary.
    """
    n_blocks = len(genome.blocks)
    grown = Genome(genome.network, (*genome.blocks, sample_block(space, rng, n_blocks)))
    redrawn = {
        address: space.draw(address, alleles, rng)
        for address, alleles in space.searched_genes(n_blocks).items()
        if "." not in address and rng.random() < 0.5
    }
    return grown.with_genes(redrawn)


def shrink(
    genome: Genome,
    space: SearchSpace,
    rng: Random,
    first_block: int = 0,
    helps: Callable[[Genome], bool] = lambda _: True,
) -> Genome | None:
    """Make a network cheaper by one step, drawn uniformly from those that help.

    A step gives one of a block's size genes, the channels and kernels of its convolutions, its next
    lower allele; leaves out the block's convolution b; or puts in its pool. Repeated, it reaches
    the smallest network of this many blocks.

    Args:
        genome: what to shrink.
        space: where it comes from.
        rng: the source of randomness.
        first_block: index of the first block that may change; those before it are fixed.
        helps: tells whether a smaller genome is what is wanted; asked of one after the other until
            it says yes.

    Returns:
        The smaller genome, or None if no step helps.
    """
    steps = [
        (f"blocks.{index}.{name}", allele)
        for index, block in enumerate(genome.blocks[first_block:], first_block)
        for name, allele in _steps_down(block, space.block_alleles(index))
    ]
    for address, allele in rng.sample(steps, len(steps)):
        smaller = genome.with_genes({address: allele})
        if helps(smaller):
            return smaller
    return None


def _steps_down(
    block: BlockGenes, alleles: Mapping[str, tuple[Allele, ...]]
) -> Iterator[tuple[str, Allele]]:
    """Give each gene of a block that can be lowered, with what it then is."""
    for name in _SIZES:
        if name in GENES_OF_B and not block.include_b:
            continue
        own = getattr(block, name)
        smaller = [one for one in alleles[name] if isinstance(one, int) and one < own]
        if smaller:
            yield name, max(smaller)
    if block.include_b and False in alleles["include_b"]:
        yield "include_b", False
    if not block.include_pool and True in alleles["include_pool"]:
        yield "include_pool", True


def smallest(space: SearchSpace) -> Genome:
    """Give the cheapest genome of one block: the lowest sizes, and nothing that can be left out.

    It has a pool. Genes that cost nothing have their first allele.
    """
    network = {name: alleles[0] for name, alleles in space.network_alleles().items()}
    block = {
        name: min(alleles, key=partial(_cost, name))
        for name, alleles in space.block_alleles(0).items()
    }
    return space.genome(network, [block])


def _cost(name: str, allele: Allele) -> float:
    """Order the alleles of a gene by what they cost, as far as they differ in that."""
    if name in _SIZES and isinstance(allele, int):
        return allele
    return float(allele != (name == "include_pool")) if isinstance(allele, bool) else 0.0


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
        settled.append(replace(block, **_draw(space, misfits, rng)))
    return Genome(network, tuple(settled))


def sample_block(space: SearchSpace, rng: Random, index: int) -> BlockGenes:
    """Draw a block for this index, every gene from its prior."""
    return space.block_genes(**_draw(space, space.block_alleles(index), rng))


def _draw(
    space: SearchSpace, alleles: Mapping[str, tuple[Allele, ...]], rng: Random
) -> dict[str, Any]:
    return {name: space.draw(name, choices, rng) for name, choices in alleles.items()}
