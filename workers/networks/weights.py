"""Trained weights as bytes, and their inheritance by another network."""

from __future__ import annotations

import io
import warnings

import torch
from torch import nn

from vlga.ports.evaluator import ALL_BLOCKS, Layers

__all__ = [
    "UnreadableWeightsError",
    "inherit_weights",
    "pack_weights",
    "unpack_trained",
    "unpack_weights",
]

#: The entries beside a network's own: what its images are normalized by.
_STATISTICS = ("input.mean", "input.std")


class UnreadableWeightsError(ValueError):
    """Bytes that are no weights, or more than weights: nothing of them was run."""


def pack_weights(
    network: nn.Module, statistics: tuple[torch.Tensor, torch.Tensor] | None = None
) -> bytes:
    """Give a network's state as the contents of a file that ``torch.load`` reads.

    Args:
        network: on any device.
        statistics: mean and standard deviation of the images that it was trained on, (channels,)
            each in units of [0, 1]: all else that is needed to use it.
    """
    state = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    if statistics is not None:
        state |= {name: one.cpu() for name, one in zip(_STATISTICS, statistics, strict=True)}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def unpack_weights(data: bytes) -> dict[str, torch.Tensor]:
    """Read a network's state of what `pack_weights` gave.

    Raises:
        UnreadableWeightsError: it is anything but named tensors; no code in it is ever run.
    """
    state = _unpack(data)
    return {name: value for name, value in state.items() if name not in _STATISTICS}


def unpack_trained(
    data: bytes,
) -> tuple[dict[str, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Read a network's state with the mean and standard deviation of its images.

    Raises:
        UnreadableWeightsError: as `unpack_weights`, or the statistics are missing.
    """
    state = _unpack(data)
    mean, std = (state.pop(name, None) for name in _STATISTICS)
    if mean is None or std is None:
        raise UnreadableWeightsError("they do not say by what images are normalized")
    return state, (mean, std)


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
