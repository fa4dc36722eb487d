"""How long a network takes for one image.

On a CPU that is the time for which its thread computes: a search keeps every core busy, and what a
pass waits for others is no property of a network. On a GPU it is wall time, and longer where
several trainings share it. All that disturbs a pass makes it longer, hence the shortest of many is
taken. Others still slow all of them down, by using the same caches and the same power: on two busy
virtual cores the shortest of 50 passes was between 0.66 and 0.90 ms for the same network (the
median of 50 between 0.72 and 1.10).
"""

from __future__ import annotations

import time

import torch
from torch import nn

from vlga.networks.layers import Shape

__all__ = ["measured_latency"]

#: Passes before the first that counts, in which memory is taken and kernels are chosen.
_N_WARM_UP = 5
#: Passes that count: as many as there is time for, in these bounds.
_LEAST_PASSES, _MOST_PASSES, _SECONDS = 5, 50, 0.25


def measured_latency(network: nn.Module, input_shape: Shape) -> float:
    """Measure how long a forward pass of one image takes, in seconds: the shortest of up to 50.

    In float32 where the network is, ready to answer as after training; on a CPU by one thread. To
    read the image and to bring it to the device comes on top.

    Args:
        network: with parameters on one device; it is left in the mode in which it was.
        input_shape: (channels, height, width) of an image.
    """
    device = next(network.parameters()).device
    image = torch.zeros(1, *input_shape, device=device)
    n_threads, was_training = torch.get_num_threads(), network.training
    torch.set_num_threads(1)
    network.eval()
    try:
        with torch.inference_mode():
            for _ in range(_N_WARM_UP):
                network(image)
            taken: list[float] = []
            while len(taken) < _LEAST_PASSES or (
                len(taken) < _MOST_PASSES and sum(taken) < _SECONDS
            ):
                taken.append(_seconds_of_pass(network, image))
    finally:
        network.train(was_training)
        torch.set_num_threads(n_threads)
    return min(taken)


def _seconds_of_pass(network: nn.Module, image: torch.Tensor) -> float:
    if image.device.type == "cpu":
        started = time.thread_time()
        network(image)
        return time.thread_time() - started
    torch.cuda.synchronize()
    started = time.perf_counter()
    network(image)
    torch.cuda.synchronize()
    return time.perf_counter() - started
