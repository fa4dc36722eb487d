"""Networks as they are written (`vlga.networks.source`), and whether they are the trained ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vlga.networks.layers import Shape
from workers.training.augmentation import to_float

__all__ = ["TOLERANCE", "Reference", "plain_network", "run_source"]

#: Most by which logits may differ from the trained network's, absolutely or in proportion.
TOLERANCE = 1e-4


class Reference:
    """What a trained network says of some images: noise of every brightness.

    Args:
        network: in evaluation mode, on the CPU.
        input_shape: channels, height and width of its images.
        statistics: mean and standard deviation of its images, (channels,) each.
    """

    def __init__(
        self, network: nn.Module, input_shape: Shape, statistics: tuple[Tensor, Tensor]
    ) -> None:
        generator = torch.Generator().manual_seed(0)
        levels = torch.linspace(64, 256, 8).view(-1, 1, 1, 1)
        noise = torch.rand(8, *input_shape, generator=generator)
        pixels = (noise * levels).to(torch.uint8)
        #: (n, channels, height, width) float32 in [0, 1].
        self.images = pixels / 255
        with torch.inference_mode():
            #: (n, n_classes) float32.
            self.logits: Tensor = network(to_float(pixels, *statistics))

    def agrees(self, logits: Tensor) -> bool:
        """Tell whether these logits of the first images are the trained network's."""
        expected = self.logits[: len(logits)]
        return torch.allclose(logits, expected, rtol=TOLERANCE, atol=TOLERANCE)


def run_source(source: str, file: Path) -> dict[str, Any]:
    """Give what a written module defines.

    Args:
        source: what `model_source` has just written: nothing that anybody else could have changed.
        file: where it stands, or would stand.
    """
    module: dict[str, Any] = {"__name__": "model", "__file__": str(file)}
    exec(compile(source, str(file), "exec"), module)  # noqa: S102  # our own text
    return module


def plain_network(source: str, state: Mapping[str, Tensor]) -> nn.Module:
    """Give the network of a written module with weights by the names that its layers have."""
    network: nn.Module = run_source(source, Path("model.py"))["Network"]()
    network.load_state_dict(state)
    return network.eval()
