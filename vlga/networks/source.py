"""A plan's network as the text of a Python module: plain PyTorch, as a person would write it.

Nothing here needs torch. A test holds the written network to the same logits as the built one
(workers/networks/build.py, workers/networks/named.py). Names of classes and searches get into the
text escaped in a string: they cannot become code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vlga.networks.named import MODELS, ModelPlan, Residual
from vlga.networks.phenotype import Plan
from vlga.networks.written import forward_of, parts_of

__all__ = ["PREDICT", "model_source"]

_WIDTH = 88

#: A program beside the module.
PREDICT = '''\
"""Classify images, such as with: python predict.py photo.jpg more.png."""

import sys

import torch

from model import CLASSES, load_image, load_network

if len(sys.argv) < 2:
    sys.exit(__doc__)
network = load_network()
for file in sys.argv[1:]:
    with torch.inference_mode():
        (probabilities,) = network(load_image(file)[None]).softmax(1).tolist()
    probability = max(probabilities)
    name = CLASSES[probabilities.index(probability)]
    print(f"{file}  {name}  {probability:.4f}")
'''

_MODULE = '''\
"""{title}"""

{imports}from pathlib import Path

import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torch import Tensor, nn

{classes}
CHANNELS, HEIGHT, WIDTH = {channels:d}, {height:d}, {width:d}
# Of the training images, by channel.
MEAN = {mean}
STD = {std}
{levels}

{network}

def load_network() -> Network:
    """Give the trained network, ready to predict."""
    network = Network()
    network.load_state_dict(load_file(Path(__file__).with_name("weights.safetensors")))
    return network.eval()


def load_image(file: str | Path) -> Tensor:
    """Read an image and make it fit: (CHANNELS, HEIGHT, WIDTH) in [0, 1]."""
    with Image.open(file) as opened:
        # A large JPEG is decoded at a lower resolution, as it was for the training.
        opened.draft(None, (2 * max(HEIGHT, WIDTH), 2 * max(HEIGHT, WIDTH)))
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith(("I", "F")):
{deep}
{reading}
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(HEIGHT, WIDTH, CHANNELS).permute(2, 0, 1) / 255
'''

_REFUSE_DEEP = """\
            raise ValueError(f"{file} has more than 8 bits a pixel")"""
_READ_DEEP = """\
            data = bytearray(image.convert("F").tobytes())
            grey = torch.frombuffer(data, dtype=torch.float32).double()
            grey = ((grey - LOW) * (255 / (HIGH - LOW))).clamp(0, 255).round()
            levels = bytes(grey.to(torch.uint8).tolist())
            image = Image.frombytes("L", image.size, levels)"""
_LEVELS = """\
# In images of more than 8 bits a pixel, what becomes 0 and 255.
LOW, HIGH = {}, {}
"""
_READ_RGB = """\
        if image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
        image = ImageOps.fit(image.convert("RGB"), (WIDTH, HEIGHT))"""
_READ_GREY = f'{_READ_RGB}.convert("L")'
_READ_RGBA = '        image = ImageOps.fit(image.convert("RGBA"), (WIDTH, HEIGHT))'
_READING = {1: _READ_GREY, 4: _READ_RGBA}

_NETWORK = '''\
class {name}(nn.Module):
    """{depth:d} convolutions, {n_parameters:,d} parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.tensor(MEAN).view(-1, 1, 1), persistent=False)
        self.std = nn.Buffer(torch.tensor(STD).view(-1, 1, 1), persistent=False)
{layers}

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, CHANNELS, HEIGHT, WIDTH) in [0, 1] to logits (n, {n_classes:d}).{more}"""
{forward}
        return logits{mean}
'''

_COMMITTEE = '''\
class Network(nn.Module):
    """The mean of what {n:d} networks say, {n_parameters:,d} parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.members = nn.ModuleList([{members}])

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, CHANNELS, HEIGHT, WIDTH) in [0, 1] to logits (n, {n_classes:d}).

        Their softmax is the mean of the probabilities that the members give.
        """
        logarithms = [member(images).log_softmax(1) for member in self.members]
        return torch.stack(logarithms).logsumexp(0) - math.log({n:d})
'''

_MIRRORED = """

        Those are the mean for an image and for its mirror image.
        """
_BOTH = ("images = torch.cat([images, images.flip(3)])",)
_MEAN = ".view(2, -1, {n_classes:d}).mean(0)"

_BASIC_BLOCK = '''\
class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a short cut: the input, or a strided convolution of it."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (n, inputs, height, width) to (n, outputs, height / stride, width / stride)."""
        out = torch.relu(self.bn1(self.conv1(maps)))
        out = self.bn2(self.conv2(out))
        return torch.relu(out + self.downsample(maps))


'''


def model_source(
    members: Sequence[tuple[Plan, bool]],
    title: str,
    classes: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
    *,
    levels: tuple[float, float] | None = None,
    padded: bool = False,
) -> str:
    """Write a network, or the mean of several, with its preprocessing as a Python module.

    The module has ``Network``, which takes images in [0, 1] and normalizes them itself,
    ``load_network`` and ``load_image``; it needs torch, Pillow and safetensors.

    Args:
        members: the plan of each network, all for the same images, and whether it answers with
            the mean for an image and for its mirror image; at least one.
        title: the first sentence of the module.
        classes: names in the order of the logits.
        mean: of the training images, by channel, in units of [0, 1].
        std: likewise the standard deviation, above 0.
        levels: what became 0 and 255 in images of more than 8 bits a pixel; without them, the
            module refuses such images.
        padded: whether an image of another shape lies within, with black around, instead of cut.
    """
    plans = [plan for plan, _ in members]
    channels, height, width = plans[0].input_shape
    reading = _READING.get(channels, _READ_RGB)
    return _MODULE.format(
        title=_escaped(title, '"'),
        imports="import math\n" if len(members) > 1 else "",
        classes=_tuple_of("CLASSES", [_quoted(one) for one in classes]),
        channels=channels,
        height=height,
        width=width,
        mean=_floats(mean),
        std=_floats(std),
        levels="" if levels is None else _LEVELS.format(*map(float, levels)),
        deep=_REFUSE_DEEP if levels is None else _READ_DEEP,
        network=(_BASIC_BLOCK if any(map(_has_blocks, plans)) else "") + _networks(members),
        reading=reading.replace("ImageOps.fit", "ImageOps.pad") if padded else reading,
    )


def _networks(members: Sequence[tuple[Plan, bool]]) -> str:
    """Write the class of the only network, or one for each and one for all."""
    if len(members) == 1:
        return _network("Network", *members[0])
    names = [f"Member{number}" for number in range(1, len(members) + 1)]
    plans = [plan for plan, _ in members]
    together = _COMMITTEE.format(
        n=len(members),
        n_parameters=sum(plan.n_parameters for plan in plans),
        n_classes=plans[0].n_classes,
        members=", ".join(f"{name}()" for name in names),
    )
    each = (_network(name, *one) for name, one in zip(names, members, strict=True))
    return "\n\n".join([*each, together])


def _network(name: str, plan: Plan, mirrored: bool) -> str:
    return _NETWORK.format(
        name=name,
        depth=plan.depth,
        n_parameters=plan.n_parameters,
        n_classes=plan.n_classes,
        layers=_indented(line for part in parts_of(plan) for line in part.lines()),
        more=_MIRRORED if mirrored else "",
        forward=_indented([*(_BOTH if mirrored else ()), *forward_of(plan)]),
        mean=_MEAN.format(n_classes=plan.n_classes) if mirrored else "",
    )


def _has_blocks(plan: Plan) -> bool:
    return isinstance(plan, ModelPlan) and isinstance(MODELS[plan.model], Residual)


def _escaped(text: str, quote: str) -> str:
    """Give text as it stands in a string of these quotes; what is not printable as its escape."""
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in escaped
    )


def _quoted(text: str) -> str:
    quote = "'" if '"' in text and "'" not in text else '"'
    return f"{quote}{_escaped(text, quote)}{quote}"


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)


def _floats(values: Sequence[float]) -> str:
    """Give float32 values as a tuple, with as many digits as they have."""
    numbers = [repr(float(f"{value:.9g}")) for value in values]
    return f"({', '.join(numbers)}{',' if len(numbers) == 1 else ''})"


def _tuple_of(name: str, strings: Sequence[str]) -> str:
    """Give an assignment of strings, on as few lines as they need."""
    line = f"{name} = ({', '.join(strings)})"
    if len(line) <= _WIDTH:
        return line
    lines = [f"{name} = (", "   "]
    for one in strings:
        if lines[-1].strip() and len(lines[-1]) + len(one) + 2 > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {one},"
    return "\n".join([*lines, ")  # fmt: skip"])
