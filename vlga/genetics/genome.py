"""The genome: network-wide genes and a tuple of blocks that grows with the network.

The layout is the chromosome of Xiao, Yan, Basodi, Ji, Pan: "Efficient Hyperparameter Optimization
in Deep Learning Using a Variable Length Genetic Algorithm" (2020, https://arxiv.org/abs/2006.12703),
section 3. A block holds one phase's ten genes in the paper's order. We differ in two ways: every
block has the same genes (in the paper `include_b` exists only from the second block on and the
activation is written inside the first; here the space fixes the one and the other is network-wide),
and training and gradient amplification are genes too.

Which alleles a gene may take is the space's business (space.py); which network a genome describes
is the phenotype's (phenotype.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vlga.errors import GenomeError

__all__ = [
    "BLOCK_GENES",
    "NETWORK_GENES",
    "Allele",
    "BlockGenes",
    "Genome",
    "NetworkGenes",
    "gene_names",
]

Allele = str | int | float | bool | tuple[str | float, ...]

GENOME_VERSION = 1


@dataclass(frozen=True, slots=True)
class NetworkGenes:
    """Genes that hold for the whole network and its training.

    Attributes:
        activation: ``relu | tanh | elu | selu``.
        head_pool: global pooling before the classifier, ``max | average``.
        learning_rate: peak learning rate of SGD, above 0.
        momentum: Nesterov momentum, in [0, 1).
        weight_decay: at least 0; on convolution and linear weights only.
        amplify: gradient amplification, ``off | random | intelligent``.
        amplify_kind: layers that may be amplified, ``batch_norm | activation | conv | any``.
        amplify_ratio: share of the eligible layers drawn by ``random``, in (0, 1].
        amplify_factor: multiplier of an amplified layer's gradient, at least 1.
        amplify_measure: fluctuation measure of ``intelligent``, ``G1 | G2``.
        amplify_threshold: its threshold, ``mean | mean_std``.
        amplify_window: epochs with amplification on, as fractions [first, last) of the training.
    """

    activation: str
    head_pool: str
    learning_rate: float
    momentum: float
    weight_decay: float
    amplify: str
    amplify_kind: str
    amplify_ratio: float
    amplify_factor: float
    amplify_measure: str
    amplify_threshold: str
    amplify_window: tuple[float, float]


@dataclass(frozen=True, slots=True)
class BlockGenes:
    """The genes that one phase adds: two convolutions, the second optional.

    Attributes:
        channels_a: output channels of convolution a, at least 1.
        kernel_a: its kernel size in pixels, odd.
        include_pool: whether a 2x2 pool follows convolution a.
        pool_type: ``max | average``; silent without `include_pool`.
        batch_norm_a: whether batch normalization follows convolution a (and its pool).
        include_b: whether convolution b exists; the next three genes are silent if not.
        channels_b: output channels of convolution b.
        kernel_b: its kernel size in pixels, odd.
        batch_norm_b: whether batch normalization follows convolution b.
        skip: whether a 1x1 convolution of the block's input is added to its output.
    """

    channels_a: int
    kernel_a: int
    include_pool: bool
    pool_type: str
    batch_norm_a: bool
    include_b: bool
    channels_b: int
    kernel_b: int
    batch_norm_b: bool
    skip: bool


def gene_names(kind: Any) -> tuple[str, ...]:
    """Give the names of the genes of a dataclass of genes, in its order."""
    names: tuple[str, ...] = kind.__match_args__  # ten times as fast as dataclasses.fields
    return names


NETWORK_GENES = gene_names(NetworkGenes)
BLOCK_GENES = gene_names(BlockGenes)


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
            "version": GENOME_VERSION,
            "network": _to_json(self.network),
            "blocks": [_to_json(block) for block in self.blocks],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Genome:
        """Read what `to_dict` wrote.

        Raises:
            GenomeError: the version is unknown; a gene is missing or unknown; there is no block.
        """
        if data.get("version") != GENOME_VERSION:
            raise GenomeError(
                f"a genome must have version={GENOME_VERSION}, but got {data.get('version')!r}; "
                "it was written by another version of vlga"
            )
        try:
            network = {**data["network"]}
            network["amplify_window"] = tuple(network["amplify_window"])
            return cls(
                NetworkGenes(**network), tuple(BlockGenes(**block) for block in data["blocks"])
            )
        except (KeyError, TypeError) as error:
            raise GenomeError(f"a genome must have exactly the known genes: {error}") from error

    def to_json(self) -> str:
        """Give the genome as one line of JSON with sorted keys, the same for equal genomes."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Genome:
        """Read what `to_json` wrote.

        Raises:
            GenomeError: the text is not a JSON object; or as `from_dict`.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise GenomeError(f"a genome must be JSON, but got {text[:60]!r}: {error}") from error
        if not isinstance(data, dict):
            raise GenomeError(f"a genome must be a JSON object, but got {text[:60]!r}")
        return cls.from_dict(data)


def _alleles(genes: NetworkGenes | BlockGenes) -> dict[str, Allele]:
    return {name: getattr(genes, name) for name in gene_names(type(genes))}


def _to_json(genes: NetworkGenes | BlockGenes) -> dict[str, Any]:
    return {
        name: [*allele] if isinstance(allele, tuple) else allele
        for name, allele in _alleles(genes).items()
    }
