"""Networks that are known to be good: what a careful person would try first.

Their shape is that of Jordan: "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (2024,
https://arxiv.org/abs/2404.00498): blocks of two 3x3 convolutions with a pool between them until few
pixels are left, the first block a quarter as wide as the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vlga.genetics.genes import after_stem
from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele
from vlga.genetics.space import SearchSpace
from vlga.networks.layers import Shape
from vlga.networks.phenotype import decode

__all__ = ["anchors"]

#: Channels of the first block; the others have four times as many.
_WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128)
#: Pixels a side of the last maps, at most.
_LAST_SIDE = 4
#: Blocks, at least: where maps are small from the beginning, the first ones do not pool.
_MIN_BLOCKS = 3
#: Images of a longer training up to which they are few, each seen often, and more weight decay
#: pays: 1.3 points on 6,000 of CIFAR-10 in 40 epochs, three pairs, but -0.3 on 10,000 in 36, one
#: pair (tests/benchmarks/results/weight_decay.txt).
_FEW_IMAGES = 6000
_WEIGHT_DECAY_OF_FEW = 4e-3

_NETWORK: dict[str, Any] = {
    "activation": "relu",
    "stem": "whiten",
    "head_pool": "max",
    "learning_rate": 1.6,
    "momentum": 0.9,
    "weight_decay": 2e-3,
    "amplify": "off",
}
_BLOCK: dict[str, Any] = {
    "kernel_a": 3,
    "include_pool": True,
    "pool_type": "max",
    "batch_norm_a": True,
    "include_b": True,
    "kernel_b": 3,
    "batch_norm_b": True,
    "skip": False,
}


def anchors(
    space: SearchSpace,
    input_shape: Shape,
    n_classes: int,
    max_macs: int | None,
    *,
    n_images: int | None = None,
) -> tuple[Genome, ...]:
    """Give known-good networks for images of this shape, the best guess first.

    That is the widest within the limit. The others are half as wide; deeper by a block, of half the
    width if need be; and with widths that double, skip connections and half the learning rate.
    For few images they have more weight decay.
    Where the space lacks an allele, the nearest takes its place.

    Args:
        space: where they come from.
        input_shape: (channels, height, width) of one image.
        n_classes: at least 2.
        max_macs: of one network for one image, or None.
        n_images: of the winner's longer training; None: many.

    Returns:
        Different ones, each within the limit; none if even the smallest is not.
    """
    sides = after_stem(_network(space), input_shape[1:])
    are_few = n_images is not None and n_images <= _FEW_IMAGES
    genes = {"weight_decay": _WEIGHT_DECAY_OF_FEW} if are_few else {}

    def is_allowed(genome: Genome) -> bool:
        return max_macs is None or decode(genome, input_shape, n_classes).n_macs <= max_macs

    def plain(width: int) -> Genome:
        return _genome(space, sides, (width, 4 * width), **genes)

    def deeper(width: int) -> Genome:
        one = plain(width)
        return Genome(one.network, (*one.blocks, _block(space, 4 * width, include_pool=False)))

    width = max((one for one in _WIDTHS if is_allowed(plain(one))), default=_WIDTHS[0])
    half = width // 2
    doubled = (width, 2 * width, 4 * width)
    doubling = _genome(space, sides, doubled, skip=True, learning_rate=0.8, **genes)
    wanted = (
        plain(width),
        plain(half),
        deeper(width) if is_allowed(deeper(width)) else deeper(half),
        doubling,
    )
    return tuple(dict.fromkeys(one for one in wanted if is_allowed(one)))


def _genome(
    space: SearchSpace, sides: tuple[int, int], widths: Sequence[int], **genes: Any
) -> Genome:
    """Give a network of blocks of these widths, the last for all that follow."""
    side, n_pools = min(sides), 0
    while side > _LAST_SIDE:
        side, n_pools = side // 2, n_pools + 1
    n_blocks = max(_MIN_BLOCKS, n_pools)
    blocks = (
        _block(
            space,
            widths[min(index, len(widths) - 1)],
            index,
            include_pool=index >= n_blocks - max(n_pools, _MIN_BLOCKS - 1),
            **genes,
        )
        for index in range(n_blocks)
    )
    return Genome(_network(space, **genes), tuple(blocks))


def _network(space: SearchSpace, **genes: Any) -> Any:
    return space.network_genes(**_nearest(space.network_alleles(), {**_NETWORK, **genes}))


def _block(space: SearchSpace, width: int, index: int = 1, **genes: Any) -> Any:
    wanted = {**_BLOCK, "channels_a": width, "channels_b": width, **genes}
    return space.block_genes(**_nearest(space.block_alleles(index), wanted))


def _nearest(alleles: dict[str, tuple[Allele, ...]], wanted: dict[str, Any]) -> dict[str, Any]:
    """Give each gene what is wanted of it, or the allele that comes nearest; else its first."""
    return {name: _pick(choices, wanted.get(name)) for name, choices in alleles.items()}


def _pick(choices: Sequence[Allele], wanted: Any) -> Allele:
    if wanted in choices or wanted is None:
        return choices[0] if wanted is None else choices[choices.index(wanted)]
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        numbers = [one for one in choices if isinstance(one, (int, float))]
        return min(numbers, key=lambda one: abs(one - wanted))
    return choices[0]
