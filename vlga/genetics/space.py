"""The search space: the alleles that each gene may take, and which genes a phase searches.

Its genes are those of a convolutional network (genome.py), or any that somebody else has: the
operators need no more of a gene than its alleles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from vlga.errors import ConfigError, GenomeError
from vlga.genetics.alleles import check_alleles, checked_alleles, checked_prior, make_genes
from vlga.genetics.genes import (
    GENES,
    NETWORK_GENES,
    BlockGenes,
    NetworkGenes,
    gene_names,
)
from vlga.genetics.genome import Genome, hashable
from vlga.genetics.rules import Allele

__all__ = ["SearchSpace"]

#: Network-wide genes that a phase's weights depend on: fixed once the first phase has chosen them,
#: since later phases inherit its trained layers.
INHERITED_GENES = tuple(name for name in NETWORK_GENES if GENES[name].is_inherited)


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Alleles per gene. Build it with `from_settings` or `from_alleles`, which check every allele.

    Attributes:
        network: alleles of each network-wide gene, in the order of `network_genes`.
        block: alleles of each gene of the second and later blocks, in the order of `block_genes`.
        first_block: the same for the first block.
        network_genes: the dataclass of a genome's network-wide genes.
        block_genes: the dataclass of the genes of each of its blocks.
        prior: by gene, how often each allele is drawn, in proportion; those not in it have weight
            1, so that a gene without a prior is drawn uniformly.
    """

    network: tuple[tuple[Allele, ...], ...]
    block: tuple[tuple[Allele, ...], ...]
    first_block: tuple[tuple[Allele, ...], ...]
    network_genes: type[NetworkGenes] = NetworkGenes
    block_genes: type[BlockGenes] = BlockGenes
    prior: Mapping[str, Mapping[Allele, float]] = field(default_factory=dict, hash=False)

    @classmethod
    def from_settings(
        cls,
        network: Mapping[str, Any],
        block: Mapping[str, Any],
        first_block: Mapping[str, Any] | None = None,
        prior: Mapping[str, Any] | None = None,
    ) -> SearchSpace:
        """Build a space from lists of alleles; a bare value means that single allele.

        Args:
            network: alleles for every gene of `NetworkGenes`.
            block: alleles for every gene of `BlockGenes`.
            first_block: alleles that differ in the first block.
            prior: by gene, how often each allele is drawn, in proportion; those not named have
                weight 1.

        Raises:
            ConfigError: a gene is missing or unknown; a gene has no alleles or one twice; an allele
                has the wrong type or lies outside its gene's range; a prior is not of a gene, or
                not of alleles that it could have.
        """
        first = {**block, **(first_block or {})}
        return cls(
            checked_alleles("space.network", network, NetworkGenes),
            checked_alleles("space.block", block, BlockGenes),
            checked_alleles("space.first_block", first, BlockGenes),
            prior=checked_prior(prior or {}),
        )

    @classmethod
    def from_alleles(
        cls, network: Mapping[str, Sequence[Any]], block: Mapping[str, Sequence[Any]]
    ) -> SearchSpace:
        """Build a space of any genes from lists of their alleles.

        An allele is a string, a finite number, true or false, or a list of these.

        Args:
            network: alleles of the genes that a genome has once; may be empty.
            block: alleles of the genes that each of its blocks has; at least one gene.

        Raises:
            ConfigError: a block has no genes; a gene's name is no identifier; a gene has no list of
                alleles, an empty one or one allele twice; an allele is none.
        """
        if not block:
            raise ConfigError("[space.block] must list the alleles of at least one gene: got none")
        alleles = check_alleles("space.block", block)
        return cls(
            check_alleles("space.network", network),
            alleles,
            alleles,
            network_genes=make_genes("NetworkGenes", tuple(network)),
            block_genes=make_genes("BlockGenes", tuple(block)),
        )

    def genome(self, network: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> Genome:
        """Give the genome of these genes, name to allele.

        Raises:
            GenomeError: a gene is missing or unknown; there is no block; an allele is not of the
                space.
        """
        try:
            genome = Genome(
                self.network_genes(**hashable(network)),
                tuple(self.block_genes(**hashable(block)) for block in blocks),
            )
        except TypeError as error:
            raise GenomeError(
                f"a genome must have exactly the genes of its space: {error}"
            ) from error
        self.check(genome)
        return genome

    def draw(self, gene: str, alleles: Sequence[Allele], rng: Random) -> Allele:
        """Draw one of these alleles of a gene, by its name without an address: from its prior."""
        prior = self.prior.get(gene)
        weights = [prior.get(allele, 1.0) for allele in alleles] if prior else []
        if not any(weights):
            return rng.choice(alleles)
        return rng.choices(alleles, weights)[0]

    def block_alleles(self, index: int) -> dict[str, tuple[Allele, ...]]:
        """Give the alleles of each gene of the block at this index."""
        alleles = self.block if index else self.first_block
        return dict(zip(gene_names(self.block_genes), alleles, strict=True))

    def network_alleles(self) -> dict[str, tuple[Allele, ...]]:
        """Give the alleles of each network-wide gene."""
        return dict(zip(gene_names(self.network_genes), self.network, strict=True))

    def searched_genes(self, phase: int) -> dict[str, tuple[Allele, ...]]:
        """Give the genes that a phase varies: address to its alleles, at least two.

        The searched block is the last one, blocks.<phase>; network-wide genes are searched in every
        phase, but for those whose meaning the inherited weights fix.
        """
        inherited = INHERITED_GENES if phase else ()
        genes = {
            name: alleles
            for name, alleles in self.network_alleles().items()
            if name not in inherited
        }
        genes |= {
            f"blocks.{phase}.{n}": alleles for n, alleles in self.block_alleles(phase).items()
        }
        return {address: alleles for address, alleles in genes.items() if len(alleles) > 1}

    def varied_genes(self, n_blocks: int) -> dict[str, tuple[Allele, ...]]:
        """Give every gene of a genome of this many blocks that has a choice: address to alleles."""
        genes = self.network_alleles()
        for index in range(n_blocks):
            genes |= {f"blocks.{index}.{n}": a for n, a in self.block_alleles(index).items()}
        return {address: alleles for address, alleles in genes.items() if len(alleles) > 1}

    def stray_gene(self, genome: Genome) -> str | None:
        """Give the address of the genome's first gene whose allele is not of this space, if any."""
        alleles = self.network_alleles()
        for index in range(len(genome.blocks)):
            alleles |= {f"blocks.{index}.{n}": a for n, a in self.block_alleles(index).items()}
        for address, allele in genome.genes().items():
            if not any(type(allele) is type(one) and allele == one for one in alleles[address]):
                return address
        return None

    def contains(self, genome: Genome) -> bool:
        """Tell whether every gene of the genome has an allele of this space."""
        return self.stray_gene(genome) is None

    def check(self, genome: Genome) -> None:
        """Refuse a genome that is not of this space.

        Raises:
            GenomeError: `contains` is false.
        """
        if not self.contains(genome):
            raise GenomeError(f"a genome must lie in its space, but got {genome.to_json()}")
