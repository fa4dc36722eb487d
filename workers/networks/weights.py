"""Trained weights as bytes, and their inheritance by another network."""

from __future__ import annotations

import io

import torch
from torch import nn

from vlga.ports.evaluator import ALL_BLOCKS, Layers

__all__ = ["inherit_weights", "pack_weights", "unpack_statistics", "unpack_weights"]

#: The entries beside a network's own: what its images are normalized by.
_STATISTICS = ("input.mean", "input.std")


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
    """Read a network's state of what `pack_weights` gave; nothing but tensors is ever unpickled."""
    state = _unpack(data)
    return {name: value for name, value in state.items() if name not in _STATISTICS}


def unpack_statistics(data: bytes) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Read the images' mean and standard deviation, if they are there."""
    state = _unpack(data)
    mean, std = (state.get(name) for name in _STATISTICS)
    return None if mean is None or std is None else (mean, std)


def _unpack(data: bytes) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(io.BytesIO(data), weights_only=True)
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
