"""The known networks (`vlga.networks.named`) as torch modules, with torch's own initialization.

Layers are named as their libraries do: ``features.0`` in a chain, ``layer1.0.bn1`` in a ResNet.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from vlga.networks.named import MODELS, Chain, ModelPlan, Residual

__all__ = ["build_model"]


class ChainNetwork(nn.Module):
    """3x3 convolutions, batch normalization if so planned, ReLU, max pooling; a linear classifier.

    A VGG whose last maps are pooled globally, which is nothing where they are 1x1 already.
    """

    def __init__(self, plan: Chain, in_channels: int, n_classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in plan.layers:
            if not channels:
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(in_channels, channels, 3, padding=1, bias=not plan.batch_norm))
            if plan.batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
            in_channels = channels
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(in_channels, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, height, width) float to logits (n, n_classes)."""
        logits: Tensor = self.classifier(self.pool(self.features(images)).flatten(1))
        return logits


class ResidualNetwork(nn.Module):
    """A ResNet of any width and number of stages, with torchvision's blocks and their names."""

    def __init__(self, plan: Residual, in_channels: int, n_classes: int) -> None:
        super().__init__()
        channels = plan.channels
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        for stage, n_blocks in enumerate(plan.blocks):
            blocks: list[nn.Module] = []
            for index in range(n_blocks):
                inputs = channels
                if halves := stage > 0 and index == 0:
                    channels *= 2
                blocks.append(
                    BasicBlock(inputs, channels, 2, _downsample(inputs))
                    if halves
                    else BasicBlock(channels, channels)
                )
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.n_stages = len(plan.blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, height, width) float to logits (n, n_classes)."""
        maps = self.relu(self.bn1(self.conv1(images)))
        for stage in range(self.n_stages):
            maps = self.get_submodule(f"layer{stage + 1}")(maps)
        logits: Tensor = self.fc(self.pool(maps).flatten(1))
        return logits


def _downsample(inputs: int) -> nn.Module:
    """Bring a block's input to half the size and twice the channels."""
    conv = nn.Conv2d(inputs, 2 * inputs, 1, stride=2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(2 * inputs))


def build_model(plan: ModelPlan, seed: int) -> nn.Module:
    """Build a named network with random weights; torch's global generator is left as it was.

    Args:
        plan: what to build.
        seed: of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MODELS[plan.model]
        if isinstance(model, Chain):
            return ChainNetwork(model, plan.input_shape[0], plan.n_classes)
        if len(model.blocks) == 4:
            return _resnet(model, plan.input_shape[0], plan.n_classes)
        return ResidualNetwork(model, plan.input_shape[0], plan.n_classes)


def _resnet(model: Residual, in_channels: int, n_classes: int) -> nn.Module:
    """Give torchvision's ResNet with the stem of its CIFAR form."""
    network = ResNet(BasicBlock, list(model.blocks), num_classes=n_classes)
    network.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    module: nn.Module = network
    return module
