"""A training's optimizer beside torch's own."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.support.trainings import fit, network
from vlga.networks.training import OptimizerPlan
from workers.training.sgd import SGD

PLAN = OptimizerPlan(learning_rate=0.1, momentum=0.9, weight_decay=5e-3)


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)
    )


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_are_torch_s(momentum):
    """To the bit: decay for matrices alone, and the shifts of batch norm four times as fast."""
    ours, theirs = small(), small()
    shift = theirs[1].bias
    matrices = [one for one in theirs.parameters() if one.ndim > 1]
    others = [one for one in theirs.parameters() if one.ndim == 1 and one is not shift]
    torchs = torch.optim.SGD(
        [
            {"params": matrices, "weight_decay": PLAN.weight_decay},
            {"params": others},
            {"params": [shift], "lr": 4 * 0.1},
        ],
        lr=0.1,
        momentum=momentum,
        nesterov=momentum > 0,
        fused=True,
    )
    mine = SGD(ours, OptimizerPlan(0.1, momentum, PLAN.weight_decay), norm_bias_rate=4.0)
    images, labels = torch.randn(8, 1, 8, 8), torch.arange(8) % 3
    for _ in range(4):
        for one in (ours, theirs):
            functional.cross_entropy(one(images), labels).backward()
        mine.step(0.1)
        torchs.step()
        torchs.zero_grad()

    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.grad is None


def test_a_frozen_parameter_stays():
    one = small()
    one[0].weight.requires_grad_(requires_grad=False)
    before = one[0].weight.clone()
    one(torch.randn(8, 1, 8, 8)).sum().backward()
    SGD(one, PLAN, norm_bias_rate=1.0).step(0.1)

    assert torch.equal(one[0].weight, before)


def train_and_tell(loaded) -> None:
    """Train for an epoch; tell whether that has loaded torch's compiler."""
    fit(network())
    loaded.value = "torch._dynamo" in sys.modules


def test_no_compiler_is_loaded(processes):
    """It would take two seconds in each process that trains."""
    loaded = processes.Value("b", 2)
    process = processes.Process(target=train_and_tell, args=(loaded,))
    process.start()
    process.join()

    assert loaded.value == 0
