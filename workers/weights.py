"""Trained weights as bytes, and their inheritance by a deeper network."""

from __future__ import annotations

import io

import torch
from torch import nn

__all__ = ["inherit_weights", "pack_weights", "unpack_weights"]


def pack_weights(network: nn.Module) -> bytes:
    """Give a network's state as the contents of a file that ``torch.load`` reads."""
    state = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def unpack_weights(data: bytes) -> dict[str, torch.Tensor]:
    """Read what `pack_weights` gave; nothing but tensors is ever unpickled."""
    state: dict[str, torch.Tensor] = torch.load(io.BytesIO(data), weights_only=True)
    return state


def inherit_weights(network: nn.Module, data: bytes, prefix: str = "blocks.") -> tuple[str, ...]:
    """Copy trained parameters and batch statistics into the layers that a network shares.

    Xiao et al. 2020, figure 7: the layers of the previous phase's best are copied, its classifier
    is not. Copied are the entries under `prefix` that have the same name and shape in both; nothing
    is frozen.

    Args:
        network: changed in place.
        data: what `pack_weights` gave for the network to inherit from.
        prefix: of the names that may be copied.

    Returns:
        The names of what was copied.
    """
    own = network.state_dict()
    copied = {
        name: value
        for name, value in unpack_weights(data).items()
        if name.startswith(prefix) and name in own and own[name].shape == value.shape
    }
    network.load_state_dict(copied, strict=False)
    return tuple(copied)
