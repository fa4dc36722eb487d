"""Crossover: a child of two parents, of the same length or of different ones.

Every function is pure: it draws from the `rng` that it is given and leaves its arguments alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from vlga.errors import GenomeError
from vlga.genetics.genes import BlockGenes, gene_names
from vlga.genetics.genome import Genome
from vlga.genetics.sampling import settle
from vlga.genetics.space import SearchSpace

__all__ = ["align", "aligned_crossover", "uniform_crossover"]


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


def aligned_crossover(first: Genome, second: Genome, space: SearchSpace, rng: Random) -> Genome:
    """Cross two genomes of any lengths; the child's length is that of one of them, or in between.

    Each gene comes from either parent with equal probability. Each block that only the longer
    parent has is kept with probability 1/2. If a first block becomes a later one or the reverse,
    genes whose alleles the space does not allow there are drawn again. For parents of equal length
    this is the uniform crossover.
    """
    longer, shorter = sorted((first, second), key=lambda one: len(one.blocks), reverse=True)
    places = align(longer.blocks, shorter.blocks)
    beside = [*longer.blocks]
    for place, block in zip(places, shorter.blocks, strict=True):
        beside[place] = block
    crossed = uniform_crossover(longer, Genome(shorter.network, tuple(beside)), rng)
    blocks = [
        block for index, block in enumerate(crossed.blocks) if index in places or rng.random() < 0.5
    ]
    return settle(crossed.network, blocks, space, rng)


def align(longer: Sequence[BlockGenes], shorter: Sequence[BlockGenes]) -> tuple[int, ...]:
    """Line up two genomes: for each block of the shorter one, its index in the longer one, rising.

    Chosen so that as many genes as possible agree; of equally good choices, the first.
    """
    n_spare = len(longer) - len(shorter)
    #: By the number of blocks passed over so far: genes that agree, and where.
    best: list[tuple[int, tuple[int, ...]]] = [(0, ())] * (n_spare + 1)
    for index, block in enumerate(shorter):
        row: list[tuple[int, tuple[int, ...]]] = []
        for n_passed, (score, places) in enumerate(best):
            place = index + n_passed
            row.append((score + _n_equal(block, longer[place]), (*places, place)))
        best = _best_so_far(row)
    return best[-1][1]


def _best_so_far(
    row: Sequence[tuple[int, tuple[int, ...]]],
) -> list[tuple[int, tuple[int, ...]]]:
    """Give for each entry the best of those up to it, of equals the first."""
    best = [row[0]]
    for entry in row[1:]:
        best.append(entry if entry[0] > best[-1][0] else best[-1])
    return best


def _n_equal(one: BlockGenes, other: BlockGenes) -> int:
    return sum(getattr(one, name) == getattr(other, name) for name in gene_names(type(one)))
