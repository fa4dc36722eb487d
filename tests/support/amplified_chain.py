"""A small chain of layers in float64, and its gradients: what the amplification tests train."""

import torch
from torch import nn

from vlga.networks.training import AmplificationPlan
from workers.amplification import Amplifier

ALWAYS = AmplificationPlan(mode="random", ratio=1.0, window=(0.0, 1.0))
INTELLIGENT = AmplificationPlan(
    mode="intelligent", ratio=None, measure="G1", threshold="mean", window=(0.0, 1.0)
)


def chain(kinds="cbrcbt", *, inplace=False, dtype=torch.float64):
    """Give a chain of layers, one letter each, ending in a linear layer to 3 classes."""
    torch.manual_seed(0)
    make = {
        "c": lambda: nn.Conv2d(2, 2, 3, padding=1),
        "b": lambda: nn.BatchNorm2d(2),
        "n": lambda: nn.BatchNorm2d(2, affine=False),
        "r": lambda: nn.ReLU(inplace=inplace),
        "t": nn.Tanh,
        "p": nn.PReLU,
    }
    layers = [make[kind]() for kind in kinds]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 3)).to(dtype)


def batch(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(5, 2, 4, 4, generator=generator, dtype=torch.float64).to(dtype)
    return images, torch.randint(0, 3, (5,), generator=generator)


def backward(model, images, labels):
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    return loss.detach()


def gradients(model, seed=0):
    backward(model, *batch(seed))
    return {name: each.grad.clone() for name, each in model.named_parameters()}


def amplified_gradients(model, plan, seed=0):
    with Amplifier(model, plan, n_epochs=1, seed=seed).epoch(0) as names:
        return names, gradients(model)


def assert_no_hooks(model):
    for module in model.modules():
        hooks = {name: value for name, value in vars(module).items() if "hooks" in name}
        assert not any(value for value in hooks.values()), (module, hooks)
        assert "forward" not in vars(module)
    for parameter in model.parameters():
        assert not parameter._backward_hooks
        assert not parameter._post_accumulate_grad_hooks
