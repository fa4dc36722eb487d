"""A network of any length as two lists of numbers, for a model that compares networks.

Of the plan, not of the genome, so that silent genes have no say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from vlga.networks.layers import ConvPlan
from vlga.networks.plan import NetworkPlan

__all__ = ["Features", "features_of"]

#: Numbers of a network's training and of its shape, as many for every network.
Features = tuple[tuple[float, ...], tuple[float, ...]]

_ACTIVATIONS = ("relu", "elu", "selu", "tanh", "gelu", "silu")
_MODES = ("random", "intelligent")
#: Maps are told apart by how often they have been halved; the last of these by at least so often.
_N_HALVINGS = 4


def features_of(plan: NetworkPlan) -> Features:
    """Give what decides how well a network learns, and what it can learn."""
    return _of_training(plan), _of_shape(plan)


def _of_training(plan: NetworkPlan) -> tuple[float, ...]:
    optimizer, amplification = plan.optimizer, plan.amplification
    return (
        *(float(plan.activation == name) for name in _ACTIVATIONS),
        float(plan.head_pool == "max"),
        math.log(optimizer.learning_rate),
        -math.log(1 - optimizer.momentum),
        math.log(optimizer.weight_decay + 1e-6),
        *(float(amplification is not None and amplification.mode == mode) for mode in _MODES),
        amplification.factor - 1 if amplification is not None else 0.0,
    )


def _of_shape(plan: NetworkPlan) -> tuple[float, ...]:
    convs = plan.convs
    channels = [math.log(conv.channels) for conv in convs]
    kernels = [float(conv.kernel) for conv in convs]
    normed = [float(conv.batch_norm) for conv in convs]
    return (
        len(convs),
        len(plan.blocks),
        math.log(plan.n_macs),
        math.log(plan.n_parameters),
        math.log(plan.activation_bytes),
        sum(block.pools for block in plan.blocks),
        math.log(min(convs[-1].output_shape[1:])),
        fmean(normed),
        normed[0],
        normed[-1],
        fmean(float(block.skip) for block in plan.blocks),
        channels[0],
        channels[-1],
        fmean(channels),
        max(channels),
        min(channels),
        kernels[0],
        kernels[-1],
        fmean(kernels),
        fmean(float(kernel == 1) for kernel in kernels),
        *_by_map(convs),
    )


def _by_map(convs: Sequence[ConvPlan]) -> tuple[float, ...]:
    """Give, for each size of maps, the number of convolutions and their mean log channels."""
    groups: list[list[float]] = [[] for _ in range(_N_HALVINGS)]
    side = convs[0].input_shape[1]
    for conv in convs:
        halvings = round(math.log2(side / conv.input_shape[1]))
        groups[min(halvings, _N_HALVINGS - 1)].append(math.log(conv.channels))
    return tuple(
        number for group in groups for number in (len(group), fmean(group) if group else 0.0)
    )
