"""The genome: network-wide genes and a tuple of blocks that grows with the network.

Which genes there are stands in genes.py; which alleles they may take is the space's business
(space.py), and which network a genome describes the phenotype's (phenotype.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vlga.errors import GenomeError
from vlga.genetics.genes import (
    BLOCK_GENES,
    GENES,
    GENES_VERSION,
    NETWORK_GENES,
    BlockGenes,
    NetworkGenes,
    Place,
    after_stem,
    gene_names,
    pools,
)
from vlga.genetics.rules import Allele

__all__ = ["Genome", "hashable"]


@dataclass(frozen=True, slots=True)
class Genome:
    """The whole heritable description of a network and its training.

    A gene has an address: its name (``"learning_rate"``) or ``"blocks.<index>.<name>"``.

    A genome may describe something else than a network: in a space of any genes
    (`SearchSpace.from_alleles`) these two are dataclasses of that space's own.
    """

    network: NetworkGenes
    blocks: tuple[BlockGenes, ...]

    def __post_init__(self) -> None:
        if not self.blocks:
            raise GenomeError("a genome must have at least one block, but got none")

    @property
    def depth(self) -> int:
        """Number of convolutions, those of skip connections not counted."""
        return sum(1 + block.include_b for block in self.blocks)

    def genes(self) -> dict[str, Allele]:
        """Give every gene's allele by address, network-wide genes first."""
        genes = _alleles(self.network)
        for index, block in enumerate(self.blocks):
            genes.update((f"blocks.{index}.{name}", own) for name, own in _alleles(block).items())
        return genes

    def silent_genes(self, image_size: tuple[int, int]) -> frozenset[str]:
        """Give the addresses of the genes of which no other allele changes the network's plan.

        Args:
            image_size: (height, width) of an image in pixels.
        """
        silent: list[str] = []
        maps = after_stem(self.network, image_size)
        for index, block in enumerate(self.blocks):
            place = Place(self.network, self.blocks, block, maps, image_size)
            silent += [f"blocks.{index}.{n}" for n in BLOCK_GENES if GENES[n].silent(place)]
            if pools(block, maps):
                maps = (maps[0] // 2, maps[1] // 2)
        place = Place(self.network, self.blocks, self.blocks[-1], maps, image_size)
        return frozenset([*silent, *(n for n in NETWORK_GENES if GENES[n].silent(place))])

    def with_genes(self, genes: Mapping[str, Allele]) -> Genome:
        """Give a copy in which the genes at these addresses have these alleles."""
        own: dict[str, Any] = {key: value for key, value in genes.items() if "." not in key}
        network = replace(self.network, **own)
        blocks = list(self.blocks)
        for address, allele in genes.items():
            if "." in address:
                _, index, name = address.split(".")
                change: dict[str, Any] = {name: allele}
                blocks[int(index)] = replace(blocks[int(index)], **change)
        return Genome(network, tuple(blocks))

    def changes_from(self, other: Genome) -> dict[str, tuple[Allele | None, Allele]]:
        """Give the genes in which this genome differs from another: address to (theirs, ours)."""
        theirs = other.genes()
        return {
            address: (theirs.get(address), allele)
            for address, allele in self.genes().items()
            if theirs.get(address) != allele
        }

    def to_dict(self) -> dict[str, Any]:
        """Give a JSON-ready dictionary, with its format's version."""
        return {
            "version": GENES_VERSION,
            "network": _to_json(self.network),
            "blocks": [_to_json(block) for block in self.blocks],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Genome:
        """Read what `to_dict` wrote.

        Raises:
            GenomeError: the version is unknown; a gene is missing or unknown; there is no block.
        """
        if data.get("version") != GENES_VERSION:
            raise GenomeError(
                f"a genome must have version={GENES_VERSION}, but got {data.get('version')!r}; "
                "it was written by another version of vlga"
            )
        try:
            return cls(
                NetworkGenes(**hashable({**data["network"]})),
                tuple(BlockGenes(**hashable({**block})) for block in data["blocks"]),
            )
        except (KeyError, TypeError) as error:
            raise GenomeError(f"a genome must have exactly the known genes: {error}") from error

    def to_json(self) -> str:
        """Give the genome as one line of JSON with sorted keys, the same for equal genomes."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))


def hashable(genes: Mapping[str, Any]) -> dict[str, Any]:
    """Give these genes with each allele as a genome holds it: a list as a tuple."""
    return {
        name: tuple(allele) if isinstance(allele, list) else allele
        for name, allele in genes.items()
    }


def _alleles(genes: NetworkGenes | BlockGenes) -> dict[str, Allele]:
    return {name: getattr(genes, name) for name in gene_names(type(genes))}


def _to_json(genes: NetworkGenes | BlockGenes) -> dict[str, Any]:
    return {
        name: [*allele] if isinstance(allele, tuple) else allele
        for name, allele in _alleles(genes).items()
    }
