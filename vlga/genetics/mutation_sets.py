"""The mutations of strategies without phases, by name: they alter a genome anywhere.

Regularized evolution changes one gene or the length by a block; the steady state does so too, but
lengthens twice as often as it shortens. Large-scale evolution has the list
of Real et al. 2017 (https://arxiv.org/abs/1703.01041), section 3.2, as far as our genes go; it
never changes a silent gene, since its children are trained anew whatever changed. All are pure
functions that give genomes of the space, as the operators are.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import partial
from random import Random
from typing import get_args

from vlga.genetics.genes import GENES, GENES_OF_B, Alteration
from vlga.genetics.genome import Genome
from vlga.genetics.mutation import (
    duplicate_block,
    insert_block,
    mutate_any_gene,
    mutate_gene_of,
    remove_block,
)
from vlga.genetics.rules import Allele
from vlga.genetics.space import SearchSpace

__all__ = ["large_scale_mutations", "mutate_anywhere", "mutate_growing", "mutate_large_scale"]

Mutation = Callable[[Random], Genome]

#: By mutation of large-scale evolution, the names of the genes that it changes one of.
_ALTERED = {
    operator: tuple(name for name, gene in GENES.items() if gene.altered_by == operator)
    for operator in get_args(Alteration)
}


def mutate_anywhere(
    genome: Genome, space: SearchSpace, rng: Random, max_blocks: int
) -> tuple[Genome, str]:
    """Change one gene, insert a block or remove one, each with equal chance where it can be done.

    Args:
        genome: what to mutate.
        space: where it comes from.
        rng: the source of randomness.
        max_blocks: blocks of the longest genome allowed.

    Returns:
        The mutant and its operator: ``mutate_any_gene``, ``insert_block``, ``remove_block``, or
        ``identity`` where the space allows nothing.
    """
    return _apply_one(_mutations_anywhere(genome, space, max_blocks), genome, rng)


def mutate_growing(
    genome: Genome, space: SearchSpace, rng: Random, max_blocks: int
) -> tuple[Genome, str]:
    """Change one gene, insert a block, duplicate one or remove one, each with equal chance.

    Two of the four lengthen and one shortens: genomes grow unless selection is against it.

    Args:
        genome: what to mutate.
        space: where it comes from.
        rng: the source of randomness.
        max_blocks: blocks of the longest genome allowed.

    Returns:
        The mutant and its operator: ``mutate_any_gene``, ``insert_block``, ``duplicate_block``,
        ``remove_block``, or ``identity`` where the space allows nothing.
    """
    mutations = _mutations_anywhere(genome, space, max_blocks)
    if len(genome.blocks) < max_blocks:
        mutations["duplicate_block"] = partial(duplicate_block, genome, space)
    return _apply_one(mutations, genome, rng)


def mutate_large_scale(
    genome: Genome,
    space: SearchSpace,
    rng: Random,
    max_blocks: int,
    *,
    silent: Container[str],
    inherits: bool,
) -> tuple[Genome, str]:
    """Apply one of `large_scale_mutations`, each with equal chance.

    Returns:
        The mutant and the mutation's name, ``identity`` where the space allows nothing.
    """
    mutations = large_scale_mutations(genome, space, max_blocks, silent=silent, inherits=inherits)
    return _apply_one(mutations, genome, rng)


def large_scale_mutations(
    genome: Genome,
    space: SearchSpace,
    max_blocks: int,
    *,
    silent: Container[str],
    inherits: bool,
) -> dict[str, Mutation]:
    """Give the mutations that this space admits of this genome, by name.

    ``identity`` (train on) and ``reset_weights`` leave the genome as it is;
    ``insert_convolution`` and ``remove_convolution`` change a block's convolution b or a whole
    block; ``add_skip`` and ``remove_skip``; ``alter_training``, ``alter_channels``,
    ``alter_kernel``, ``alter_pool`` and ``alter_other`` give one gene of their kind, which is not
    silent, another allele.

    Args:
        genome: what to mutate.
        space: where it comes from.
        max_blocks: blocks of the longest genome allowed.
        silent: addresses of the genes that are silent in this genome.
        inherits: whether children inherit weights; the first two are idle without.
    """
    genes = {
        address: alleles
        for address, alleles in space.varied_genes(len(genome.blocks)).items()
        if address not in silent
    }
    mutations: dict[str, Mutation] = {}
    if inherits:
        mutations["identity"] = mutations["reset_weights"] = lambda _: genome
    for operator, names in _ALTERED.items():
        some = _named(genes, names)
        if some:
            mutations[operator] = partial(mutate_gene_of, genome, some)
    skips = {address: genome.genes()[address] for address in _named(genes, ("skip",))}
    for operator, has_skip in (("add_skip", False), ("remove_skip", True)):
        addresses = [address for address, has in skips.items() if has is has_skip]
        if addresses:
            mutations[operator] = partial(_set_one, genome, addresses, not has_skip)
    insertions = _insertions(genome, space, max_blocks)
    if insertions:
        mutations["insert_convolution"] = lambda rng: rng.choice(insertions)(rng)
    removals = _removals(genome, space)
    if removals:
        mutations["remove_convolution"] = lambda rng: rng.choice(removals)(rng)
    return mutations


def _mutations_anywhere(genome: Genome, space: SearchSpace, max_blocks: int) -> dict[str, Mutation]:
    """Give those of a gene, a block more and a block less that can be done, by name."""
    n_blocks = len(genome.blocks)
    mutations: dict[str, Mutation] = {}
    if space.varied_genes(n_blocks):
        mutations["mutate_any_gene"] = partial(mutate_any_gene, genome, space)
    if n_blocks < max_blocks:
        mutations["insert_block"] = partial(insert_block, genome, space)
    if n_blocks > 1:
        mutations["remove_block"] = partial(remove_block, genome, space)
    return mutations


def _apply_one(
    mutations: Mapping[str, Mutation], genome: Genome, rng: Random
) -> tuple[Genome, str]:
    """Apply one of these, each with equal chance; ``identity`` where there is none."""
    if not mutations:
        return genome, "identity"
    operator = rng.choice(list(mutations))
    return mutations[operator](rng), operator


def _insertions(genome: Genome, space: SearchSpace, max_blocks: int) -> list[Mutation]:
    """Give a mutation for every place that a convolution can be put at."""
    places: list[Mutation] = [
        partial(_add_b, genome, space, index)
        for index, block in enumerate(genome.blocks)
        if not block.include_b and True in space.block_alleles(index)["include_b"]
    ]
    if len(genome.blocks) < max_blocks:
        places += [partial(_add_block, genome, space, i) for i in range(len(genome.blocks) + 1)]
    return places


def _removals(genome: Genome, space: SearchSpace) -> list[Mutation]:
    """Give a mutation for every convolution b, or block without one to spare, that can go."""
    places: list[Mutation] = []
    for index, block in enumerate(genome.blocks):
        if block.include_b and False in space.block_alleles(index)["include_b"]:
            places.append(partial(_set_one, genome, [f"blocks.{index}.include_b"], False))
        elif len(genome.blocks) > 1:
            places.append(partial(remove_block, genome, space, place=index))
    return places


def _set_one(genome: Genome, addresses: list[str], allele: Allele, rng: Random) -> Genome:
    return genome.with_genes({rng.choice(addresses): allele})


def _add_b(genome: Genome, space: SearchSpace, index: int, rng: Random) -> Genome:
    """Give a block its convolution b, with genes drawn uniformly."""
    alleles = space.block_alleles(index)
    drawn = {f"blocks.{index}.{name}": rng.choice(alleles[name]) for name in GENES_OF_B}
    return genome.with_genes({f"blocks.{index}.include_b": True, **drawn})


def _add_block(genome: Genome, space: SearchSpace, place: int, rng: Random) -> Genome:
    """Insert a block, of one convolution where the space has such."""
    longer = insert_block(genome, space, rng, place)
    if False in space.block_alleles(place)["include_b"]:
        return longer.with_genes({f"blocks.{place}.include_b": False})
    return longer


def _named(
    genes: Mapping[str, tuple[Allele, ...]], names: tuple[str, ...]
) -> dict[str, tuple[Allele, ...]]:
    """Give the genes of these names, network-wide or of any block."""
    return {
        address: alleles
        for address, alleles in genes.items()
        if address.rpartition(".")[2] in names
    }
