"""Trained weights as bytes, and their inheritance by another network."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import torch
from torch import nn

from vlga.ports.evaluator import ALL_BLOCKS, Layers

__all__ = [
    "Normalization",
    "UnreadableWeightsError",
    "inherit_weights",
    "pack_weights",
    "unpack_trained",
    "unpack_weights",
]

#: Begins the names of the entries beside a network's own: what its images are normalized by.
_INPUT = "input."


@dataclass(frozen=True, slots=True)
class Normalization:
    """How images become what a network takes: all that is needed to use it, beside its weights.

    Attributes:
        mean: (channels,) of the images that it was trained on, in units of [0, 1].
        std: likewise the standard deviation, above 0.
        levels: which became 0 and 255 in images of more than 8 bits a pixel; None if there were
            none.
        mirrored: whether the network looks at each image and at its mirror image (`Mirrored`).
        padded: whether images of another shape lie within, with black around, instead of cut.
    """

    mean: torch.Tensor
    std: torch.Tensor
    levels: tuple[float, float] | None = None
    mirrored: bool = False
    padded: bool = False

    def entries(self) -> dict[str, torch.Tensor]:
        """Give it as entries of a file of weights."""
        found = {"mean": self.mean.cpu(), "std": self.std.cpu()}
        if self.levels is not None:
            found["levels"] = torch.tensor(self.levels, dtype=torch.float64)
        if self.mirrored:
            found["mirrored"] = torch.tensor(True)
        if self.padded:
            found["padded"] = torch.tensor(True)
        return {f"{_INPUT}{name}": value for name, value in found.items()}


class UnreadableWeightsError(ValueError):
    """Bytes that are no weights, or more than weights: nothing of them was run."""


def pack_weights(network: nn.Module, normalization: Normalization | None = None) -> bytes:
    """Give a network's state as the contents of a file that ``torch.load`` reads.

    Args:
        network: on any device.
        normalization: of its images.
    """
    state = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    if normalization is not None:
        state |= normalization.entries()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def unpack_weights(data: bytes) -> dict[str, torch.Tensor]:
    """Read a network's state of what `pack_weights` gave.

    Raises:
        UnreadableWeightsError: it is anything but named tensors; no code in it is ever run.
    """
    state = _unpack(data)
    return {name: value for name, value in state.items() if not name.startswith(_INPUT)}


def unpack_trained(data: bytes) -> tuple[dict[str, torch.Tensor], Normalization]:
    """Read a network's state, and how its images are normalized.

    Raises:
        UnreadableWeightsError: as `unpack_weights`, or they do not say how.
    """
    state = _unpack(data)
    mean, std, levels, mirrored, padded = (
        state.pop(f"{_INPUT}{name}", None)
        for name in ("mean", "std", "levels", "mirrored", "padded")
    )
    if mean is None or std is None:
        raise UnreadableWeightsError("they do not say by what images are normalized")
    low, high = (0.0, 0.0) if levels is None else levels.tolist()
    return state, Normalization(
        mean,
        std,
        None if levels is None else (low, high),
        mirrored is not None,
        padded is not None,
    )


def _unpack(data: bytes) -> dict[str, torch.Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of what it then refuses
            state: dict[str, torch.Tensor] = torch.load(io.BytesIO(data), weights_only=True)
    except Exception as error:  # whoever wrote the bytes chooses where torch fails
        raise UnreadableWeightsError(
            "they are not tensors alone, and nothing of them was run"
        ) from error
    tensors = state.values() if isinstance(state, dict) else [None]
    if not all(isinstance(one, torch.Tensor) for one in tensors):
        raise UnreadableWeightsError("they are not tensors by their names")
    return state


def inherit_weights(
    network: nn.Module, data: bytes, layers: Layers = ALL_BLOCKS
) -> tuple[str, ...]:
    """Copy trained parameters and batch statistics into the layers that a network shares.

    Copied are the entries of the layers named that have the same shape in both; nothing is frozen.

    Args:
        network: changed in place.
        data: what `pack_weights` gave for the network to inherit from.
        layers: pairs of (own name, the other network's name) of layers or groups of them.

    Returns:
        The names, in the network, of what was copied.
    """
    own, others = network.state_dict(), unpack_weights(data)
    copied: dict[str, torch.Tensor] = {}
    for mine, theirs in layers:
        for name, value in others.items():
            own_name = mine + name.removeprefix(theirs)
            if (
                name.startswith(f"{theirs}.")
                and own_name in own
                and own[own_name].shape == value.shape
            ):
                copied[own_name] = value
    network.load_state_dict(copied, strict=False)
    return tuple(copied)
