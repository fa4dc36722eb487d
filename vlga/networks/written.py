"""A plan's network as lines of plain PyTorch, and the names that its layers then have.

Whatever comes from a database gets into the lines as a number or as a word of a table below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from vlga.networks.layers import BlockPlan, ConvPlan
from vlga.networks.named import MODELS, Chain, ModelPlan, Residual
from vlga.networks.phenotype import Plan
from vlga.networks.plan import NetworkPlan

__all__ = ["Part", "forward_of", "parts_of", "renamed"]

T = TypeVar("T")

_ACTIVATIONS = {
    "relu": "nn.ReLU()",
    "tanh": "nn.Tanh()",
    "elu": "nn.ELU()",
    "selu": "nn.SELU()",
    "gelu": "nn.GELU()",
    "silu": "nn.SiLU()",
}
_POOLS = {"max": "nn.MaxPool2d(2)", "average": "nn.AvgPool2d(2)"}
_HEAD_POOLS = {"max": "nn.AdaptiveMaxPool2d(1)", "average": "nn.AdaptiveAvgPool2d(1)"}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the written network: its code, and its name in the built one if it has weights."""

    code: str
    built: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """An attribute of the written network: one layer, or several in a row; a comment before it."""

    name: str
    layers: tuple[Layer, ...]
    comment: str = ""

    def lines(self) -> Iterator[str]:
        """Give the statement that makes it."""
        if self.comment:
            yield f"# {self.comment}"
        if len(self.layers) == 1:
            yield f"self.{self.name} = {self.layers[0].code}"
            return
        yield f"self.{self.name} = nn.Sequential("
        yield from (f"    {layer.code}," for layer in self.layers)
        yield ")"

    def names(self) -> Iterator[tuple[str, str]]:
        """Give the name in the built network, and the name here, of each layer with weights."""
        for index, layer in enumerate(self.layers):
            if layer.built:
                yield layer.built, self.name if len(self.layers) == 1 else f"{self.name}.{index}"


def parts_of(plan: Plan) -> list[Part]:
    """Give the attributes of a plan's network, in the order of its layers."""
    if isinstance(plan, NetworkPlan):
        return [*_searched_parts(plan)]
    model = MODELS[plan.model]
    if isinstance(model, Chain):
        return [*_chain_parts(model, plan)]
    return [*_residual_parts(model, plan)]


def forward_of(plan: Plan) -> Iterator[str]:
    """Give the lines that make logits of images, by these attributes."""
    normalized = "(images - self.mean) / self.std"
    if isinstance(plan, NetworkPlan):
        yield f"maps = self.stem({normalized})" if plan.stem else f"maps = {normalized}"
        for number, block in enumerate(plan.blocks, 1):
            skip = f" + self.skip{number}({_seen_by_skip(block)})" if block.skip else ""
            yield f"maps = self.block{number}(maps){skip}"
        yield "logits: Tensor = self.classifier(self.pool(maps).flatten(1))"
        return
    model = MODELS[plan.model]
    if isinstance(model, Chain):
        yield f"maps = self.features({normalized})"
        yield "logits: Tensor = self.classifier(self.pool(maps).flatten(1))"
        return
    yield f"maps = torch.relu(self.bn1(self.conv1({normalized})))"
    yield from (f"maps = self.layer{stage}(maps)" for stage in range(1, len(model.blocks) + 1))
    yield "logits: Tensor = self.fc(self.pool(maps).flatten(1))"


def _searched_parts(plan: NetworkPlan) -> Iterator[Part]:
    activation = Layer(_ACTIVATIONS[plan.activation])
    if plan.stem:
        stem = plan.stem
        stride = f", stride={stem.stride:d}" if stem.stride > 1 else ""
        code = f"nn.Conv2d({stem.input_shape[0]:d}, {stem.channels:d}, {stem.kernel:d}{stride})"
        comment = "Makes patches of the images white; its weights were not trained."
        yield Part("stem", (Layer(code, "stem.conv"), activation), comment)
    for number, block in enumerate(plan.blocks, 1):
        layers = [layer for conv in block.convs for layer in (*_conv_layers(conv), activation)]
        yield Part(f"block{number}", tuple(layers))
        if block.skip:
            code = f"nn.Conv2d({block.input_shape[0]:d}, {block.output_shape[0]:d}, 1)"
            yield Part(f"skip{number}", (Layer(code, f"blocks.{number - 1}.skip"),))
    yield Part("pool", (Layer(_HEAD_POOLS[plan.head_pool]),))
    yield _linear("classifier", plan.blocks[-1].output_shape[0], plan.n_classes)


def _conv_layers(conv: ConvPlan) -> Iterator[Layer]:
    padding = f", padding={conv.kernel // 2:d}" if conv.kernel > 1 else ""
    bias = ", bias=False" if conv.batch_norm else ""
    sizes = f"{conv.input_shape[0]:d}, {conv.channels:d}, {conv.kernel:d}"
    yield Layer(f"nn.Conv2d({sizes}{padding}{bias})", f"{conv.name}.conv")
    if conv.pool:
        yield Layer(_POOLS[conv.pool])
    if conv.batch_norm:
        yield Layer(f"nn.BatchNorm2d({conv.channels:d})", f"{conv.name}.norm")


def _seen_by_skip(block: BlockPlan) -> str:
    """Give what a skip connection sees: where the block pools, every second pixel that pools see.

    A strided convolution would see the last row and column of an odd size too.
    """
    if not block.pools:
        return "maps"
    rows, columns = (":-1:2" if size % 2 else "::2" for size in block.input_shape[1:])
    return f"maps[..., {rows}, {columns}]"


def _chain_parts(model: Chain, plan: ModelPlan) -> Iterator[Part]:
    layers: list[Layer] = []
    inputs = plan.input_shape[0]
    for channels in model.layers:
        if not channels:
            layers.append(Layer(_POOLS["max"]))
            continue
        bias = ", bias=False" if model.batch_norm else ""
        code = f"nn.Conv2d({inputs:d}, {channels:d}, 3, padding=1{bias})"
        layers.append(Layer(code, f"features.{len(layers)}"))
        if model.batch_norm:
            layers.append(Layer(f"nn.BatchNorm2d({channels:d})", f"features.{len(layers)}"))
        layers.append(Layer(_ACTIVATIONS["relu"]))
        inputs = channels
    yield Part("features", tuple(layers))
    yield Part("pool", (Layer(_HEAD_POOLS["average"]),))
    yield _linear("classifier", inputs, plan.n_classes)


def _residual_parts(model: Residual, plan: ModelPlan) -> Iterator[Part]:
    channels = model.channels
    code = f"nn.Conv2d({plan.input_shape[0]:d}, {channels:d}, 3, padding=1, bias=False)"
    yield Part("conv1", (Layer(code),))
    yield Part("bn1", (Layer(f"nn.BatchNorm2d({channels:d})"),))
    for stage, n_blocks in enumerate(model.blocks):
        first = f"BasicBlock({channels:d}, {channels:d})"
        if stage > 0:
            first = f"BasicBlock({channels:d}, {2 * channels:d}, 2)"
            channels *= 2
        blocks = [first, *[f"BasicBlock({channels:d}, {channels:d})"] * (n_blocks - 1)]
        if n_blocks == 1:
            blocks = [f"nn.Sequential({first})"]
        yield Part(f"layer{stage + 1}", tuple(map(Layer, blocks)))
    yield Part("pool", (Layer(_HEAD_POOLS["average"]),))
    yield _linear("fc", channels, plan.n_classes)


def _linear(name: str, inputs: int, n_classes: int) -> Part:
    return Part(name, (Layer(f"nn.Linear({inputs:d}, {n_classes:d})", name),))


def renamed(plan: Plan, state: Mapping[str, T]) -> dict[str, T]:
    """Give the state of a plan's built network by the names of the written one.

    Args:
        plan: of the network.
        state: its ``state_dict``, or any other values by those names.
    """
    written = dict(name for part in parts_of(plan) for name in part.names())
    # A ResNet's layers have the names of torchvision here as there.
    return {
        f"{written.get(layer, layer)}.{entry}": value
        for (layer, _, entry), value in ((name.rpartition("."), one) for name, one in state.items())
    }
