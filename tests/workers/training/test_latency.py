"""How long a network takes for one image."""

import time

import pytest
import torch
from torch import nn

from workers.training.latency import measured_latency


class Waiting(nn.Module):
    """Notes what it is given, and takes as long for it as it is told."""

    def __init__(self, seconds):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seconds = [*seconds]
        self.seen = []

    def forward(self, images):
        """Take the next of the times, or the last."""
        self.seen.append((tuple(images.shape), self.training, torch.get_num_threads()))
        until = time.thread_time() + (self.seconds.pop(0) if self.seconds[1:] else self.seconds[0])
        while time.thread_time() < until:
            pass
        return images * self.scale


def test_is_the_shortest_of_passes_after_the_first_ones():
    """Neither the first passes count nor interruptions."""
    network = Waiting([0.0] * 5 + [0.02] * 3 + [0.004])

    assert measured_latency(network, (3, 4, 5)) == pytest.approx(0.004, rel=0.5)
    assert {shape for shape, *_ in network.seen} == {(1, 3, 4, 5)}
    assert 10 < len(network.seen) <= 55


def test_a_network_that_is_slow_is_not_run_often():
    """A search has better things to do."""
    network = Waiting([0.0] * 5 + [0.06])

    assert measured_latency(network, (1, 1, 1)) >= 0.06
    assert len(network.seen) == 10


def test_it_is_measured_ready_to_answer_on_one_thread_and_left_as_it_was():
    """Training mode and threads are what they were before, also after an error."""
    network, n_threads = Waiting([0.0]).train(), torch.get_num_threads()
    measured_latency(network, (1, 2, 2))

    assert {tuple(rest) for _, *rest in network.seen} == {(False, 1)}
    network.seconds = []
    with pytest.raises(IndexError):
        measured_latency(network, (1, 2, 2))
    assert network.training
    assert torch.get_num_threads() == n_threads
