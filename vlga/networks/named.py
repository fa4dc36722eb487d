"""Networks with a name of their own, for studies of how to train: VGG, ResNet, plain chains.

Gradient amplification was published on VGG-19, ResNet-18 and ResNet-34 (Basodi et al. 2020,
https://arxiv.org/abs/2006.10560). Here they have their usual CIFAR form: a 3x3 stem, no first
pooling, one linear classifier. The small ones are ours, for a CPU; ``_plain`` ones have neither
batch normalization nor skip connections, so that in deep ones gradients vanish.

Nothing here needs torch: `workers.networks.named` builds what a plan says, and a test holds the
two to the same number of parameters and MACs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from vlga.errors import ConfigError, nearest
from vlga.networks.plan import AmplificationPlan, OptimizerPlan, Shape, fields_of

__all__ = ["MODELS", "Chain", "ModelPlan", "Residual"]


@dataclass(frozen=True, slots=True)
class Chain:
    """3x3 convolutions with ReLU one after the other, max pooling between them, then a classifier.

    Attributes:
        layers: output channels of each convolution, 0 for a 2x2 max pool.
        batch_norm: whether each convolution has it.
    """

    layers: tuple[int, ...]
    batch_norm: bool

    @property
    def depth(self) -> int:
        """Number of convolutions."""
        return sum(channels > 0 for channels in self.layers)

    @property
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels, that leaves maps of at least 1x1."""
        return 1 << self.layers.count(0)


@dataclass(frozen=True, slots=True)
class Residual:
    """A ResNet of basic blocks: two 3x3 convolutions around an identity path.

    Attributes:
        blocks: blocks in each of the four stages of 64, 128, 256 and 512 channels.
    """

    blocks: tuple[int, int, int, int]

    @property
    def depth(self) -> int:
        """Number of convolutions, those of skip connections not counted."""
        return 1 + 2 * sum(self.blocks)

    @property
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels."""
        return 1


_VGG19 = (64, 64, 0, 128, 128, 0, *(256,) * 4, 0, *(512,) * 4, 0, *(512,) * 4, 0)
_SMALL_VGG = (16, 16, 0, 32, 32, 0, 64, 64, 64, 64)
_DEEP_CNN = (*(16,) * 5, 0, *(32,) * 5, 0, *(64,) * 6)
_SIMPLE_CNN = (32, 0, 64, 0, 128)

MODELS: dict[str, Chain | Residual] = {
    "vgg19": Chain(_VGG19, batch_norm=True),
    "vgg19_plain": Chain(_VGG19, batch_norm=False),
    "resnet18": Residual((2, 2, 2, 2)),
    "resnet34": Residual((3, 4, 6, 3)),
    "simple_cnn": Chain(_SIMPLE_CNN, batch_norm=True),
    "simple_cnn_plain": Chain(_SIMPLE_CNN, batch_norm=False),
    "small_vgg": Chain(_SMALL_VGG, batch_norm=True),
    "small_vgg_plain": Chain(_SMALL_VGG, batch_norm=False),
    "deep_cnn": Chain(_DEEP_CNN, batch_norm=True),
    "deep_cnn_plain": Chain(_DEEP_CNN, batch_norm=False),
}


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """A named network for images of a shape, and how to train it: what `NetworkPlan` is to genomes.

    Attributes:
        model: a key of `MODELS`.
        input_shape: (channels, height, width) of one image.
        n_classes: at least 2.
        optimizer: the training's settings.
        amplification: None if no gradient is amplified.

    Raises:
        ConfigError: no such model, or the images are too small for its pooling.
    """

    model: str
    input_shape: Shape
    n_classes: int
    optimizer: OptimizerPlan
    amplification: AmplificationPlan | None

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ConfigError(
                f"MODEL must be a known one, but got {self.model!r}{nearest(self.model, MODELS)}"
            )
        needed = MODELS[self.model].min_size
        if min(self.input_shape[1:]) < needed:
            raise ConfigError(
                f"{self.model} must have images of at least {needed}x{needed} pixels for its "
                f"pooling, but got {'x'.join(map(str, self.input_shape[1:]))}; "
                "take a smaller model or other images"
            )

    @property
    def depth(self) -> int:
        """Number of convolutions, those of skip connections not counted."""
        return MODELS[self.model].depth

    @property
    def n_parameters(self) -> int:
        """Trainable parameters."""
        return sum(parameters for parameters, *_ in self._layers())

    @property
    def n_macs(self) -> int:
        """Multiply-accumulates of convolutions and classifier for one image's forward pass."""
        return sum(macs for _, macs, _ in self._layers())

    @property
    def map_sizes(self) -> tuple[int, ...]:
        """Values of each layer's output map for one image, before any pooling."""
        return tuple(size for *_, size in self._layers())

    @property
    def fingerprint(self) -> str:
        """Name the plan: 16 hexadecimal digits, equal exactly if network and training are."""
        text = json.dumps(self, default=fields_of, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _layers(self) -> Iterator[tuple[int, int, int]]:
        """Give each layer's parameters, MACs and output values."""
        model = MODELS[self.model]
        if isinstance(model, Chain):
            yield from _chain_layers(model, self.input_shape)
            channels = max(model.layers[-2:])  # the last but for a pool
        else:
            yield from _residual_layers(model, self.input_shape)
            channels = 512
        yield (channels + 1) * self.n_classes, channels * self.n_classes, self.n_classes


def _chain_layers(model: Chain, shape: Shape) -> Iterator[tuple[int, int, int]]:
    channels, height, width = shape
    for out in model.layers:
        if not out:
            height, width = height // 2, width // 2
            continue
        weights = 9 * channels * out
        size = height * width
        yield weights + (2 if model.batch_norm else 1) * out, weights * size, out * size
        channels = out


def _residual_layers(model: Residual, shape: Shape) -> Iterator[tuple[int, int, int]]:
    channels, height, width = shape
    out = 64
    size = height * width
    yield 9 * channels * out + 2 * out, 9 * channels * out * size, out * size
    channels = out
    for stage, n_blocks in enumerate(model.blocks):
        for index in range(n_blocks):
            if stage and not index:
                out = 2 * channels
                height, width = (height + 1) // 2, (width + 1) // 2
                size = height * width
                # the skip connection's 1x1 convolution, stride 2, with batch normalization
                yield channels * out + 2 * out, channels * out * size, out * size
            for inputs in (channels, out):
                yield 9 * inputs * out + 2 * out, 9 * inputs * out * size, out * size
            channels = out
