"""A network's layers to build, as values with their arithmetic.

Shapes are (channels, height, width), sizes in pixels. Nothing here needs torch:
`workers.networks.build` builds what a plan says.
"""

from __future__ import annotations

from dataclasses import dataclass

from vlga.genetics.genes import stem_kernel, stem_maps

__all__ = ["BlockPlan", "ConvPlan", "Shape", "StemPlan"]

Shape = tuple[int, int, int]

#: Most directions in which a stem whitens patches; each has a channel for either sign.
_MAX_DIRECTIONS = 12


@dataclass(frozen=True, slots=True)
class StemPlan:
    """A fixed convolution that whitens patches of the image, and an activation.

    Its filters are the principal directions of the training images' patches and their negatives,
    scaled to a variance of 1, as in Jordan: "94% on CIFAR-10 in 3.29 Seconds on a Single GPU"
    (2024, https://arxiv.org/abs/2404.00498); only its biases are trained.

    Attributes:
        input_shape: of the images.
        stride: pixels from patch to patch; patches are as wide, and at least 2 pixels.
    """

    input_shape: Shape
    stride: int

    @property
    def kernel(self) -> int:
        """Height and width of a patch in pixels."""
        return stem_kernel(self.stride)

    @property
    def channels(self) -> int:
        """Output channels: two a direction, the first of which vary most."""
        return 2 * min(_MAX_DIRECTIONS, self.input_shape[0] * self.kernel**2)

    @property
    def output_shape(self) -> Shape:
        """Shape after it; there is no padding."""
        return (self.channels, *stem_maps(self.input_shape[1:], self.stride))

    @property
    def n_parameters(self) -> int:
        """Weights, which are fixed, and biases."""
        return (self.input_shape[0] * self.kernel**2 + 1) * self.channels

    @property
    def n_macs(self) -> int:
        """Multiply-accumulates for one image."""
        channels, height, width = self.output_shape
        return self.input_shape[0] * self.kernel**2 * channels * height * width


@dataclass(frozen=True, slots=True)
class ConvPlan:
    """One convolution with what follows it: pool, batch normalization, activation.

    Attributes:
        name: the layer's name in the built network, such as ``blocks.0.a``.
        input_shape: of the convolution's input.
        channels: output channels.
        kernel: kernel size in pixels; padding keeps the map's size.
        pool: 2x2 pooling after the convolution, or None.
        batch_norm: whether batch normalization follows.
    """

    name: str
    input_shape: Shape
    channels: int
    kernel: int
    pool: str | None
    batch_norm: bool

    @property
    def conv_shape(self) -> Shape:
        """Shape of the convolution's output, before the pool."""
        return (self.channels, *self.input_shape[1:])

    @property
    def output_shape(self) -> Shape:
        """Shape after the pool."""
        _, height, width = self.conv_shape
        shrink = 2 if self.pool else 1
        return (self.channels, height // shrink, width // shrink)

    @property
    def n_parameters(self) -> int:
        """Weights, and a bias or, where it follows, batch normalization's scale and shift."""
        weights = self.input_shape[0] * self.channels * self.kernel**2
        return weights + (2 if self.batch_norm else 1) * self.channels

    @property
    def n_macs(self) -> int:
        """Multiply-accumulates of the convolution for one image."""
        _, height, width = self.conv_shape
        return self.input_shape[0] * self.channels * self.kernel**2 * height * width


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """One or two convolutions and an optional skip connection from the block's input.

    Attributes:
        convs: convolution a, and b if it exists.
        skip: whether a 1x1 convolution (stride 2 if the block pools) of the input is added.
    """

    convs: tuple[ConvPlan, ...]
    skip: bool

    @property
    def input_shape(self) -> Shape:
        """Shape of the block's input."""
        return self.convs[0].input_shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the block's output."""
        return self.convs[-1].output_shape

    @property
    def pools(self) -> bool:
        """Whether the block halves its maps."""
        return any(conv.pool for conv in self.convs)

    @property
    def n_skip_parameters(self) -> int:
        """Weights and biases of the skip connection's convolution."""
        return (self.input_shape[0] + 1) * self.output_shape[0] if self.skip else 0

    @property
    def n_skip_macs(self) -> int:
        """Multiply-accumulates of the skip connection for one image."""
        channels, height, width = self.output_shape
        return self.input_shape[0] * channels * height * width if self.skip else 0
