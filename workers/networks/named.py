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
        return _resnet(model, plan.input_shape[0], plan.n_classes)


def _resnet(model: Residual, in_channels: int, n_classes: int) -> nn.Module:
    """Give torchvision's ResNet with the stem of its CIFAR form."""
    network = ResNet(BasicBlock, list(model.blocks), num_classes=n_classes)
    network.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    module: nn.Module = network
    return module
