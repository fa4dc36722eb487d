"""The network that a plan describes, as a plain `torch.nn.Module`.

Order in a block: convolution, pool, batch normalization, activation (phenotype.py). Layers are
named as in the plan's layer table: ``blocks.0.a.conv``, ``blocks.0.a.norm``, ``classifier``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vlga.networks.layers import BlockPlan, ConvPlan, StemPlan
from vlga.networks.named import ModelPlan
from vlga.networks.phenotype import Plan
from vlga.networks.plan import NetworkPlan

__all__ = ["ConvLayer", "Network", "build", "build_network"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
_POOLS: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class ConvLayer(nn.Sequential):
    """A convolution with what follows it; keeps height and width but for its pool."""

    def __init__(self, plan: ConvPlan, activation: str) -> None:
        layers: dict[str, nn.Module] = {
            "conv": nn.Conv2d(
                plan.input_shape[0],
                plan.channels,
                plan.kernel,
                padding=plan.kernel // 2,
                bias=not plan.batch_norm,
            )
        }
        if plan.pool:
            layers["pool"] = _POOLS[plan.pool](2)
        if plan.batch_norm:
            layers["norm"] = nn.BatchNorm2d(plan.channels)
        layers["activation"] = _ACTIVATIONS[activation]()
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (n, channels, height, width) to the layer's output maps, laid out channels last."""
        conv, *others = self
        out: Tensor = conv(maps)
        if out.shape[1] > 1:
            # After a 1x1 convolution of one channel torch would take the whole network for
            # contiguous, which trains three times as slow on a CPU. Elsewhere this copies nothing.
            out = out.to(memory_format=torch.channels_last)
        for layer in others:
            out = layer(out)
        return out


class Stem(nn.Sequential):
    """A convolution of fixed weights (workers/networks/whitening.py), and an activation."""

    def __init__(self, plan: StemPlan, activation: str) -> None:
        super().__init__()
        self.plan = plan
        self.conv = nn.Conv2d(plan.input_shape[0], plan.channels, plan.kernel, plan.stride)
        self.conv.weight.requires_grad_(False)
        self.activation = _ACTIVATIONS[activation]()


class Block(nn.Module):
    """One or two convolution layers and an optional skip connection from the input."""

    def __init__(self, plan: BlockPlan, activation: str) -> None:
        super().__init__()
        self.a = ConvLayer(plan.convs[0], activation)
        self.b = ConvLayer(plan.convs[1], activation) if len(plan.convs) > 1 else nn.Identity()
        self.skip: nn.Conv2d | None = None
        if plan.skip:
            self.skip = nn.Conv2d(plan.input_shape[0], plan.output_shape[0], 1)
        self.pools = plan.pools

    def forward(self, maps: Tensor) -> Tensor:
        """Map (n, channels, height, width) to the block's output maps."""
        out: Tensor = self.b(self.a(maps))
        if self.skip is None:
            return out
        if self.pools:
            # A stride of 2, cut as pooling cuts an odd size. Not the convolution's own: oneDNN then
            # writes past its memory for fewer than 8 or 16 channels (uxlfoundation/oneDNN#6035).
            height, width = out.shape[-2:]
            maps = maps[..., ::2, ::2][..., :height, :width]
        skipped: Tensor = self.skip(maps)
        return out + skipped


class Network(nn.Module):
    """A stem if there is one, blocks, global pooling, a linear classifier."""

    def __init__(self, plan: NetworkPlan) -> None:
        super().__init__()
        self.stem = Stem(plan.stem, plan.activation) if plan.stem else nn.Identity()
        self.blocks = nn.Sequential(*(Block(block, plan.activation) for block in plan.blocks))
        self.head_pool = (
            nn.AdaptiveMaxPool2d(1) if plan.head_pool == "max" else nn.AdaptiveAvgPool2d(1)
        )
        self.classifier = nn.Linear(plan.blocks[-1].output_shape[0], plan.n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, height, width) float to logits (n, n_classes)."""
        logits: Tensor = self.classifier(self.head_pool(self.blocks(self.stem(images))).flatten(1))
        return logits


def build_network(plan: NetworkPlan, generator: torch.Generator, *, dirac: bool = False) -> Network:
    """Build a plan's network with random weights.

    He initialization for convolutions, so that deep networks without batch normalization start
    with maps of one scale; the classifier starts at zero, so that the first loss is log(n_classes).

    Args:
        plan: what to build.
        generator: on the CPU; the only source of randomness.
        dirac: whether convolutions that batch normalization follows start by passing on as many
            channels as they can (Jordan 2024, https://arxiv.org/abs/2404.00498), the others at
            random; skip connections then start at zero, as if they were not there. They are not
            normalized, and two or more in a row make a training diverge that begins with random
            ones (tests/benchmarks/results/skips.txt).
    """
    # torch draws default weights from its global generator; skipping that leaves it alone.
    with torch.device("meta"):
        network = Network(plan)
    network = network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
            elif dirac and min(module.kernel_size) > 1:
                nn.init.dirac_(module.weight[: module.in_channels])
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    if dirac:
        for module in network.modules():
            if isinstance(module, Block) and module.skip is not None:
                nn.init.zeros_(module.skip.weight)
    return network


def build(plan: Plan, seed: int, *, dirac: bool = False) -> nn.Module:
    """Build any plan's network with random weights; torch's global generator is left as it was.

    Args:
        plan: what to build.
        seed: of the weights.
        dirac: as `build_network` has it; a named network has torch's own initialization.
    """
    if isinstance(plan, ModelPlan):
        # torchvision's modules take a while to import and searches do without.
        from workers.networks.named import build_model

        return build_model(plan, seed)
    return build_network(plan, torch.Generator().manual_seed(seed), dirac=dirac)
