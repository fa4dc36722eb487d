"""The search space: the alleles that each gene may take, and which genes a phase searches.

Its genes are those of a convolutional network (genome.py), or any that somebody else has: the
operators need no more of a gene than its alleles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from vlga.any_genes import check_alleles, hashable, make_genes
from vlga.errors import ConfigError, GenomeError, nearest
from vlga.genome import Allele, BlockGenes, Genome, NetworkGenes, gene_names

__all__ = ["SearchSpace"]

#: Network-wide genes that a phase's weights depend on: fixed once the first phase has chosen them,
#: since later phases inherit its trained layers.
INHERITED_GENES = ("activation",)

_WORDS: dict[str, tuple[str, ...]] = {
    "activation": ("relu", "tanh", "elu", "selu"),
    "head_pool": ("max", "average"),
    "amplify": ("off", "random", "intelligent"),
    "amplify_kind": ("batch_norm", "activation", "conv", "any"),
    "amplify_measure": ("G1", "G2"),
    "amplify_threshold": ("mean", "mean_std"),
    "pool_type": ("max", "average"),
}

_RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "learning_rate": ("above 0", lambda number: number > 0),
    "momentum": ("in [0, 1)", lambda number: 0 <= number < 1),
    "weight_decay": ("at least 0", lambda number: number >= 0),
    "amplify_ratio": ("in (0, 1]", lambda number: 0 < number <= 1),
    "amplify_factor": ("at least 1", lambda number: number >= 1),
}


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Alleles per gene. Build it with `from_settings` or `from_alleles`, which check every allele.

    Attributes:
        network: alleles of each network-wide gene, in the order of `network_genes`.
        block: alleles of each gene of the second and later blocks, in the order of `block_genes`.
        first_block: the same for the first block.
        network_genes: the dataclass of a genome's network-wide genes.
        block_genes: the dataclass of the genes of each of its blocks.
    """

    network: tuple[tuple[Allele, ...], ...]
    block: tuple[tuple[Allele, ...], ...]
    first_block: tuple[tuple[Allele, ...], ...]
    network_genes: type[NetworkGenes] = NetworkGenes
    block_genes: type[BlockGenes] = BlockGenes

    @classmethod
    def from_settings(
        cls,
        network: Mapping[str, Any],
        block: Mapping[str, Any],
        first_block: Mapping[str, Any] | None = None,
    ) -> SearchSpace:
        """Build a space from lists of alleles; a bare value means that single allele.

        Args:
            network: alleles for every gene of `NetworkGenes`.
            block: alleles for every gene of `BlockGenes`.
            first_block: alleles that differ in the first block.

        Raises:
            ConfigError: a gene is missing or unknown; a gene has no alleles or one twice; an allele
                has the wrong type or lies outside its gene's range.
        """
        first = {**block, **(first_block or {})}
        return cls(
            _checked("space.network", network, NetworkGenes),
            _checked("space.block", block, BlockGenes),
            _checked("space.first_block", first, BlockGenes),
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
            make_genes("NetworkGenes", tuple(network)),
            make_genes("BlockGenes", tuple(block)),
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

    def contains(self, genome: Genome) -> bool:
        """Tell whether every gene of the genome has an allele of this space."""
        alleles = self.network_alleles()
        for index in range(len(genome.blocks)):
            alleles |= {f"blocks.{index}.{n}": a for n, a in self.block_alleles(index).items()}
        return all(
            any(type(allele) is type(known) and allele == known for known in alleles[address])
            for address, allele in genome.genes().items()
        )

    def check(self, genome: Genome) -> None:
        """Refuse a genome that is not of this space.

        Raises:
            GenomeError: `contains` is false.
        """
        if not self.contains(genome):
            raise GenomeError(f"a genome must lie in its space, but got {genome.to_json()}")

    def n_genomes(self, n_blocks: int) -> int:
        """Count the different genomes of this many blocks, silent genes included."""
        return math.prod(len(alleles) for alleles in self.network) * math.prod(
            len(alleles)
            for index in range(n_blocks)
            for alleles in self.block_alleles(index).values()
        )


def _checked(
    where: str, settings: Mapping[str, Any], genes: type
) -> tuple[tuple[Allele, ...], ...]:
    """Check one table of alleles and order it as the genes are."""
    names = {field.name: str(field.type) for field in fields(genes)}
    for name in settings:
        if name not in names:
            raise ConfigError(f"[{where}] has no gene {name!r}{nearest(name, names)}")
    checked = []
    for name, kind in names.items():
        if name not in settings:
            raise ConfigError(f"[{where}] must list the alleles of {name!r}, but it is missing")
        value = settings[name]
        is_list = isinstance(value, (list, tuple))
        if name == "amplify_window":
            is_list = is_list and bool(value) and isinstance(value[0], (list, tuple))
        alleles = tuple(
            _allele(where, name, kind, item) for item in (value if is_list else [value])
        )
        if not alleles or len(set(alleles)) != len(alleles):
            raise ConfigError(
                f"[{where}] {name} must list at least one allele and none twice, but got {value!r}"
            )
        checked.append(alleles)
    return tuple(checked)


def _allele(where: str, name: str, kind: str, value: Any) -> Allele:
    """Check one allele against its gene's type and range."""

    def refuse(rule: str) -> ConfigError:
        return ConfigError(f"[{where}] {name} must be {rule}, but got {value!r}")

    if name in _WORDS:
        if value not in _WORDS[name]:
            raise refuse(" or ".join(repr(word) for word in _WORDS[name]))
        return str(value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise refuse("true or false")
        return value
    if kind == "int":
        must_be_odd = name.startswith("kernel")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise refuse("a whole number of at least 1")
        if must_be_odd and value % 2 == 0:
            raise refuse("an odd number of pixels")
        return value
    if name == "amplify_window":
        if not _is_window(value):
            raise refuse("[first, last] with 0 <= first < last <= 1")
        return (float(value[0]), float(value[1]))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise refuse("a finite number")
    rule, holds = _RANGES[name]
    if not holds(float(value)):
        raise refuse(rule)
    return float(value)


def _is_window(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in value)
        and 0 <= value[0] < value[1] <= 1
    )
