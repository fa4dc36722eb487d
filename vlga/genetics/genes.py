"""The genes of a network and its training: what each may be, when it is silent, what alters it.

A gene stands here and nowhere else; alleles.py checks it, the mutations and reports read it, and
phenotype.py says what it does.

The layout is the chromosome of Xiao, Yan, Basodi, Ji, Pan: "Efficient Hyperparameter Optimization
in Deep Learning Using a Variable Length Genetic Algorithm" (2020, https://arxiv.org/abs/2006.12703),
section 3. A block holds one phase's ten genes in the paper's order. We differ in two ways: every
block has the same genes (in the paper `include_b` exists only from the second block on and the
activation is written inside the first; here the space fixes the one and the other is network-wide),
and training and gradient amplification are genes too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vlga.genetics.rules import Allele, number, odd, one_of, whole, window, yes_or_no

__all__ = [
    "BLOCK_GENES",
    "GENES",
    "GENES_OF_B",
    "GENES_VERSION",
    "NETWORK_GENES",
    "Alteration",
    "BlockGenes",
    "Gene",
    "NetworkGenes",
    "Place",
    "after_stem",
    "amplifies",
    "gene_names",
    "pools",
    "stem_kernel",
    "stem_maps",
    "stem_stride",
]

#: Written with every genome; one higher whenever a gene is added, removed or means something else.
GENES_VERSION = 2

#: The mutations of large-scale evolution that give one gene of their kind another allele.
Alteration = Literal[
    "alter_training", "alter_channels", "alter_kernel", "alter_pool", "alter_other"
]


@dataclass(frozen=True, slots=True)
class NetworkGenes:
    """Genes that hold for the whole network and its training.

    Attributes:
        activation: ``relu | tanh | elu | selu | gelu | silu``.
        stem: what images go through before the first block, ``none | whiten``.
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
    stem: str
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
        pool_type: ``max | average``.
        batch_norm_a: whether batch normalization follows convolution a (and its pool).
        include_b: whether convolution b exists.
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
class Place:
    """What can silence a gene: where it stands in which genome, for images of which size.

    Attributes:
        network: the genome's network-wide genes.
        blocks: all its blocks.
        block: the gene's own block; of a network-wide gene the last one.
        maps: (height, width) of the maps that reach this block; of a network-wide gene, those that
            reach the global pool.
        images: (height, width) of the images.
    """

    network: NetworkGenes
    blocks: Sequence[BlockGenes]
    block: BlockGenes
    maps: tuple[int, int]
    images: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gene:
    """What there is to know of a gene, but for what it does.

    Attributes:
        read: gives a value as the gene's allele; raises `ValueError` with the rule if it is none.
        altered_by: which of these alters it; None if mutations of its own do.
        silent: tells whether, where it stands, no other allele changes the plan.
        is_size: whether a lower allele is a cheaper network.
        is_inherited: whether a phase's weights depend on it, so that later phases keep it.
    """

    read: Callable[[Any], Allele]
    altered_by: Alteration | None
    silent: Callable[[Place], bool] = lambda _: False
    is_size: bool = False
    is_inherited: bool = False


def pools(block: BlockGenes, maps: tuple[int, int]) -> bool:
    """Tell whether a block halves the maps that reach it; one pixel cannot be halved."""
    return block.include_pool and min(maps) >= 2


def stem_stride(network: NetworkGenes, images: tuple[int, int]) -> int | None:
    """Give the pixels from patch to patch of a network's stem; None if it has no stem.

    Large images are brought down at once, so that their maps cost no more than those of small ones.
    """
    height, width = images
    size = min(height, width)
    if network.stem == "none" or size < 2:
        return None
    return 1 if size < 48 else 2 if size < 128 else 4


def after_stem(network: NetworkGenes, images: tuple[int, int]) -> tuple[int, int]:
    """Give (height, width) of the maps that reach the first block."""
    stride = stem_stride(network, images)
    if stride is None:
        return images
    return stem_maps(images, stride)


def stem_kernel(stride: int) -> int:
    """Give the height and width of a stem's patches in pixels."""
    return max(2, stride)


def stem_maps(images: tuple[int, int], stride: int) -> tuple[int, int]:
    """Give (height, width) of the maps that a stem makes of images; there is no padding."""
    height, width = ((size - stem_kernel(stride)) // stride + 1 for size in images)
    return height, width


def amplifies(network: NetworkGenes, blocks: Sequence[BlockGenes]) -> bool:
    """Tell whether gradients are amplified: asked for, by more than 1, with an eligible layer.

    Convolutions and activations are in every network, batch normalization is not.
    """
    return (
        network.amplify != "off" and network.amplify_factor != 1 and _has_eligible(network, blocks)
    )


def _has_eligible(network: NetworkGenes, blocks: Sequence[BlockGenes]) -> bool:
    return network.amplify_kind != "batch_norm" or any(
        block.batch_norm_a or (block.include_b and block.batch_norm_b) for block in blocks
    )


def _without_b(place: Place) -> bool:
    return not place.block.include_b


def _without_amplification(place: Place) -> bool:
    return not amplifies(place.network, place.blocks)


def _without_mode(mode: str) -> Callable[[Place], bool]:
    return lambda place: place.network.amplify != mode or _without_amplification(place)


#: A network's parameters and multiply-accumulates must stay numbers that a database can hold.
_MOST_CHANNELS, _MOST_PIXELS = 16_384, 99

#: By name, in any order.
GENES: dict[str, Gene] = {
    "activation": Gene(
        one_of("relu", "tanh", "elu", "selu", "gelu", "silu"), "alter_other", is_inherited=True
    ),
    "stem": Gene(
        one_of("none", "whiten"),
        "alter_other",
        lambda place: min(place.images) < 2,  # a patch has two pixels a side
        is_inherited=True,
    ),
    "head_pool": Gene(
        one_of("max", "average"),
        "alter_other",
        lambda place: place.maps == (1, 1),  # of one pixel the largest is the mean
    ),
    "learning_rate": Gene(number("above 0", lambda value: value > 0), "alter_training"),
    "momentum": Gene(number("in [0, 1)", lambda value: 0 <= value < 1), "alter_training"),
    "weight_decay": Gene(number("at least 0", lambda value: value >= 0), "alter_training"),
    "amplify": Gene(
        one_of("off", "random", "intelligent"),
        "alter_training",
        lambda place: (
            place.network.amplify_factor == 1 or not _has_eligible(place.network, place.blocks)
        ),
    ),
    "amplify_kind": Gene(
        one_of("batch_norm", "activation", "conv", "any"),
        "alter_training",
        lambda place: place.network.amplify == "off" or place.network.amplify_factor == 1,
    ),
    "amplify_ratio": Gene(
        number("in (0, 1]", lambda value: 0 < value <= 1),
        "alter_training",
        _without_mode("random"),
    ),
    "amplify_factor": Gene(
        number("at least 1", lambda value: value >= 1),
        "alter_training",
        lambda place: (
            place.network.amplify == "off" or not _has_eligible(place.network, place.blocks)
        ),
    ),
    "amplify_measure": Gene(one_of("G1", "G2"), "alter_training", _without_mode("intelligent")),
    "amplify_threshold": Gene(
        one_of("mean", "mean_std"), "alter_training", _without_mode("intelligent")
    ),
    "amplify_window": Gene(window, "alter_training", _without_amplification),
    "channels_a": Gene(whole(_MOST_CHANNELS), "alter_channels", is_size=True),
    "kernel_a": Gene(odd(_MOST_PIXELS), "alter_kernel", is_size=True),
    "include_pool": Gene(yes_or_no, "alter_pool", lambda place: min(place.maps) < 2),
    "pool_type": Gene(
        one_of("max", "average"), "alter_pool", lambda place: not pools(place.block, place.maps)
    ),
    "batch_norm_a": Gene(yes_or_no, "alter_other"),
    "include_b": Gene(yes_or_no, altered_by=None),
    "channels_b": Gene(whole(_MOST_CHANNELS), "alter_channels", _without_b, is_size=True),
    "kernel_b": Gene(odd(_MOST_PIXELS), "alter_kernel", _without_b, is_size=True),
    "batch_norm_b": Gene(yes_or_no, "alter_other", _without_b),
    "skip": Gene(yes_or_no, altered_by=None),
}
#: Those of a block's convolution b.
GENES_OF_B = tuple(name for name in BLOCK_GENES if GENES[name].silent is _without_b)
