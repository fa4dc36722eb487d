"""Networks with a name of their own, for studies of how to train: VGG, ResNet, plain chains.

Gradient amplification was published on VGG-19, ResNet-18 and ResNet-34 (Basodi et al. 2020,
https://arxiv.org/abs/2006.10560). Here they have their usual CIFAR form: a 3x3 stem, no first
pooling, one linear classifier. The small ones are ours, for a CPU; ``_plain`` ones have neither
batch normalization nor skip connections, so that in deep ones gradients vanish.

Nothing here needs torch: `workers.networks.named` builds what a plan says, and a test holds the
two to the same number of parameters and MACs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from vlga.errors import ConfigError, nearest
from vlga.networks.layers import Shape
from vlga.networks.plan import BasePlan, LayerRow

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
        blocks: blocks in each stage; each has twice the channels of the one before.
        channels: of the first stage.
    """

    blocks: tuple[int, ...]
    channels: int = 64

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
    "small_resnet_16": Residual((1, 1, 1), channels=16),
    "small_resnet_32": Residual((1, 1, 1), channels=32),
    "simple_cnn": Chain(_SIMPLE_CNN, batch_norm=True),
    "simple_cnn_plain": Chain(_SIMPLE_CNN, batch_norm=False),
    "small_vgg": Chain(_SMALL_VGG, batch_norm=True),
    "small_vgg_plain": Chain(_SMALL_VGG, batch_norm=False),
    "deep_cnn": Chain(_DEEP_CNN, batch_norm=True),
    "deep_cnn_plain": Chain(_DEEP_CNN, batch_norm=False),
}


@dataclass(frozen=True)
class ModelPlan(BasePlan):
    """A named network for images of a shape, and how to train it: what `NetworkPlan` is to genomes.

    Attributes:
        model: a key of `MODELS`.

    Raises:
        ConfigError: no such model, or the images are too small for its pooling.
    """

    model: str

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
    def map_sizes(self) -> tuple[int, ...]:
        """Values of each layer's output map for one image, before any pooling."""
        return tuple(prod(row.output_shape) for row in self.layer_table() if row.n_parameters)

    def layer_table(self) -> tuple[LayerRow, ...]:
        """Give the network as rows to print, in order; each row's name is the built layer's."""
        model = MODELS[self.model]
        if isinstance(model, Chain):
            rows, name = [*_chain_rows(model, self.input_shape)], "classifier"
        else:
            rows, name = [*_residual_rows(model, self.input_shape)], "fc"
        channels, n = rows[-1].output_shape[0], self.n_classes
        kind = "global average pool, linear"
        return (*rows, LayerRow(name, kind, (n, 1, 1), (channels + 1) * n, channels * n))


def _chain_rows(model: Chain, shape: Shape) -> Iterator[LayerRow]:
    channels, height, width = shape
    norm = ", batch norm" if model.batch_norm else ""
    number = 0
    for out in model.layers:
        name = f"features.{number}"
        if out:
            after = out, height, width
            yield _conv_row(name, f"conv 3x3{norm}, relu", channels, after, bias=not norm)
            channels = out
            number += 3 if norm else 2
        else:
            height, width = height // 2, width // 2
            yield LayerRow(name, "max pool 2x2", (channels, height, width), 0, 0)
            number += 1


def _residual_rows(model: Residual, shape: Shape) -> Iterator[LayerRow]:
    inputs, height, width = shape
    plain = "conv 3x3, batch norm, relu"
    channels = model.channels
    yield _conv_row("conv1", plain, inputs, (channels, height, width))
    for stage, n_blocks in enumerate(model.blocks):
        for index in range(n_blocks):
            name = f"layer{stage + 1}.{index}"
            halves = stage > 0 and index == 0
            inputs, stride = channels, ", stride 2" if halves else ""
            if halves:
                channels, height, width = 2 * channels, (height + 1) // 2, (width + 1) // 2
            after = channels, height, width
            yield _conv_row(f"{name}.conv1", f"conv 3x3{stride}, batch norm, relu", inputs, after)
            yield _conv_row(f"{name}.conv2", plain, channels, after)
            if halves:
                kind = f"+ conv 1x1 of the block's input{stride}, batch norm"
                yield _conv_row(f"{name}.downsample", kind, inputs, after, kernel=1)


def _conv_row(
    name: str, kind: str, inputs: int, after: Shape, *, kernel: int = 3, bias: bool = False
) -> LayerRow:
    """Describe a convolution with a bias, or with batch normalization's scale and shift."""
    channels, height, width = after
    weights = kernel**2 * inputs * channels
    n_parameters = weights + (1 if bias else 2) * channels
    return LayerRow(name, kind, after, n_parameters, weights * height * width)
