"""A network to build, as values with their arithmetic.

Shapes are (channels, height, width), sizes in pixels. Nothing here needs torch:
`workers.networks.build` builds what a plan says, and a test holds the two to the same number of
parameters and MACs.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from vlga.networks.layers import BlockPlan, ConvPlan, Shape, StemPlan
from vlga.networks.training import AmplificationPlan, OptimizerPlan

__all__ = ["BasePlan", "LayerRow", "NetworkPlan", "fields_of"]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One line of a network's layer table.

    Attributes:
        name: the layer's place in the network.
        kind: what it is, in words.
        output_shape: (channels, height, width) after it.
        n_parameters: its trainable parameters.
        n_macs: its multiply-accumulates for one image.
    """

    name: str
    kind: str
    output_shape: Shape
    n_parameters: int
    n_macs: int


@dataclass(frozen=True)  # no slots: what is counted once is kept
class BasePlan(ABC):
    """A network to build and how to train it: everything that tells two candidates apart.

    Attributes:
        input_shape: (channels, height, width) of one image.
        n_classes: at least 2.
        optimizer: the training's settings.
        amplification: None if no gradient is amplified.
    """

    input_shape: Shape
    n_classes: int
    optimizer: OptimizerPlan
    amplification: AmplificationPlan | None

    @property
    @abstractmethod
    def depth(self) -> int:
        """Number of convolutions, those of skip connections not counted."""

    @abstractmethod
    def layer_table(self) -> tuple[LayerRow, ...]:
        """Give the network as rows to print: convolutions, skip connections, the classifier."""

    def works_at(self, share: float) -> bool:
        """Tell whether all maps keep a pixel of images with this share of the sides, rounded up."""
        *_, last, _classifier = self.layer_table()
        return share * min(last.output_shape[1:]) >= 1

    @cached_property
    def n_parameters(self) -> int:
        """Trainable parameters."""
        return sum(row.n_parameters for row in self.layer_table())

    @cached_property
    def n_macs(self) -> int:
        """Multiply-accumulates of convolutions and classifier for one image's forward pass."""
        return sum(row.n_macs for row in self.layer_table())

    @cached_property
    def fingerprint(self) -> str:
        """Name the plan: 16 hexadecimal digits, equal exactly if network and training are."""
        text = json.dumps(self, default=fields_of, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class NetworkPlan(BasePlan):
    """The network that a genome describes.

    Attributes:
        activation: ``relu | tanh | elu | selu | gelu | silu``.
        head_pool: global pooling before the classifier, ``max | average``.
        blocks: in order, at least one.
        stem: what images go through before the first block, or None.
    """

    activation: str
    head_pool: str
    blocks: tuple[BlockPlan, ...]
    stem: StemPlan | None = None

    @property
    def convs(self) -> tuple[ConvPlan, ...]:
        """Every convolution in order, without those of skip connections."""
        return tuple(conv for block in self.blocks for conv in block.convs)

    @property
    def depth(self) -> int:
        """Number of convolutions, those of skip connections not counted."""
        return len(self.convs)

    @property
    def activation_bytes(self) -> int:
        """Bytes of float32 maps that one image's training step keeps for the backward pass.

        Each convolution's output is kept, and again after pool, batch normalization and activation;
        so are the skip's output and the sum. An estimate: torch may keep less.
        """
        values = _n(self.input_shape) + (2 * _n(self.stem.output_shape) if self.stem else 0)
        for block in self.blocks:
            for conv in block.convs:
                values += _n(conv.conv_shape)
                after = _n(conv.output_shape)
                values += after * (bool(conv.pool) + conv.batch_norm + 1)
            values += 2 * _n(block.output_shape) * block.skip
        return 4 * values

    def layer_table(self) -> tuple[LayerRow, ...]:
        """Give the network as rows to print: convolutions, skip connections, the classifier."""
        rows = [*self._stem_rows()]
        for index, block in enumerate(self.blocks):
            for conv in block.convs:
                parts = [f"conv {conv.kernel}x{conv.kernel}"]
                parts += [f"{conv.pool} pool 2x2"] if conv.pool else []
                parts += ["batch norm"] if conv.batch_norm else []
                kind = ", ".join([*parts, self.activation])
                rows.append(
                    LayerRow(conv.name, kind, conv.output_shape, conv.n_parameters, conv.n_macs)
                )
            if block.skip:
                kind = f"+ conv 1x1 of the block's input{', stride 2' if block.pools else ''}"
                rows.append(
                    LayerRow(
                        f"blocks.{index}.skip",
                        kind,
                        block.output_shape,
                        block.n_skip_parameters,
                        block.n_skip_macs,
                    )
                )
        channels = self.blocks[-1].output_shape[0]
        rows.append(
            LayerRow(
                "classifier",
                f"global {self.head_pool} pool, linear",
                (self.n_classes, 1, 1),
                (channels + 1) * self.n_classes,
                channels * self.n_classes,
            )
        )
        return tuple(rows)

    def _stem_rows(self) -> Iterator[LayerRow]:
        if self.stem is not None:
            stem, size = self.stem, self.stem.kernel
            stride = f", stride {stem.stride}" if stem.stride > 1 else ""
            kind = f"whitening {size}x{size}{stride}, {self.activation}"
            yield LayerRow("stem", kind, stem.output_shape, stem.n_parameters, stem.n_macs)


def fields_of(plan: Any) -> dict[str, Any]:
    """Give a plan's fields; `dataclasses.asdict` copies deeply and takes ten times as long."""
    return {field.name: getattr(plan, field.name) for field in fields(plan)}


def _n(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]
