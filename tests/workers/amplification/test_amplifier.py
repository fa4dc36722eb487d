"""What amplification does to the gradients of real networks, in eager code."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint

from tests.support.amplified_chain import (
    ALWAYS,
    INTELLIGENT,
    amplified_gradients,
    backward,
    batch,
    chain,
    gradients,
)
from vlga.errors import ConfigError
from workers.amplification import Amplifier


@settings(deadline=None, max_examples=60)
@given(
    kinds=st.text("cbnrtp", min_size=1, max_size=7),
    kind=st.sampled_from(["any", "batch_norm", "activation", "conv"]),
    side=st.sampled_from(["output", "input", "parameters"]),
    factor=st.floats(1, 10),
    ratio=st.floats(0.1, 1),
    seed=st.integers(0, 9),
    inplace=st.booleans(),
)
def test_in_a_chain_factors_accumulate_downstream(
    *, kinds, kind, side, factor, ratio, seed, inplace
):
    """A gradient is multiplied once for each amplified layer between it and the loss.

    The layer's own parameters count it with side output and parameters, not with input; layers
    upstream with output and input, not with parameters.
    """
    inplace = inplace and "t" not in kinds  # tanh's backward pass needs its output
    model = chain(kinds, inplace=inplace)
    plan = replace(ALWAYS, kind=kind, side=side, factor=factor, ratio=ratio)
    plain = gradients(model)
    try:
        names, amplified = amplified_gradients(model, plan, seed)
    except ConfigError:
        return  # no layer of the kind
    assert names
    for name, gradient in plain.items():
        layer = name.split(".")[0]
        own = layer in names and side in ("output", "parameters")
        upstream = sum(int(other) > int(layer) for other in names) * (side != "parameters")
        multiplier = factor ** (own + upstream)
        # what cancels to 0, as before batch norm, leaves rounding errors behind
        torch.testing.assert_close(
            amplified[name], multiplier * gradient, rtol=1e-12, atol=1e-14 * multiplier
        )


@pytest.mark.parametrize("kind", ["conv", "activation"])
@pytest.mark.parametrize(
    ("side", "at_a", "at_b"), [("output", -5, -6), ("input", -5, -2), ("parameters", -3, -6)]
)
def test_the_identity_path_of_a_residual_block_is_not_amplified(kind, side, at_a, at_b):
    """Worked by hand: y = u + b u with u = a x, at a = 1, b = 1/2, x = -2, factor 3.

    dy/da = x (1 + 3 b) = -5, not 3 x (1 + b): the sum hands one gradient tensor to both branches.
    """

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(1, 1, bias=False)
            self.b = nn.Conv1d(1, 1, 1, bias=False) if kind == "conv" else nn.PReLU()
            nn.init.constant_(self.a.weight, 1.0)
            nn.init.constant_(self.b.weight, 0.5)

        def forward(self, x):
            u = self.a(x)
            return u + self.b(u)

    model = Residual()
    plan = replace(ALWAYS, kind=kind, factor=3.0, side=side)
    with Amplifier(model, plan, n_epochs=1, seed=0).epoch(0):
        model(torch.full((1, 1, 1), -2.0)).sum().backward()
    assert model.a.weight.grad.item() == at_a
    assert model.b.weight.grad.item() == at_b


def test_each_use_of_a_shared_layer_is_amplified():
    """Worked by hand: y = w (w x) at w = 2, x = 3, factor 5: dy/dw = 5 w x + 25 w x = 180."""
    conv = nn.Conv1d(1, 1, 1, bias=False)
    nn.init.constant_(conv.weight, 2.0)
    model = nn.Sequential(conv, conv)
    with Amplifier(model, replace(ALWAYS, kind="conv", factor=5.0), n_epochs=1, seed=0).epoch(0):
        model(torch.full((1, 1, 1), 3.0)).sum().backward()
    assert conv.weight.grad.item() == 180


def test_an_inplace_activation_may_follow_an_amplified_layer():
    """ReLU(inplace=True) after batch norm gives the gradients of the ordinary one."""
    for kind in ("batch_norm", "activation", "any"):
        for side in ("output", "input"):
            plan = replace(ALWAYS, kind=kind, side=side)
            _, expected = amplified_gradients(chain("cbrcbr"), plan)
            _, inplace = amplified_gradients(chain("cbrcbr", inplace=True), plan)
            assert all(torch.equal(inplace[name], expected[name]) for name in expected)


def test_checkpointed_layers_are_amplified():
    """Where checkpointing holds what the backward pass needs, the gradients are the same."""
    model = chain("cbrcb")
    plan = replace(ALWAYS, kind="any")
    _, expected = amplified_gradients(model, plan)
    images, labels = batch()
    model.zero_grad()
    with Amplifier(model, plan, n_epochs=1, seed=0).epoch(0):
        outputs = checkpoint(model, images, use_reentrant=False)
        nn.functional.cross_entropy(outputs, labels).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])


def test_layers_in_eval_mode_are_amplified_and_passes_without_gradient_left_alone():
    """Frozen batch norm lets gradients through; validation inside the block is unaffected."""
    model = chain("cb").eval()
    plain = gradients(model)
    with Amplifier(model, ALWAYS, n_epochs=1, seed=0).epoch(0), torch.no_grad():
        outputs = model(batch()[0])
    assert torch.equal(outputs, model(batch()[0]))
    _, amplified = amplified_gradients(model, ALWAYS)
    assert torch.equal(amplified["0.weight"], 2 * plain["0.weight"])


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_autocast_and_channels_last_are_amplified_exactly(memory_format):
    """A factor of 2 is exact in bfloat16 too, and the maps keep their memory format."""
    model = chain("cbrcb", dtype=torch.float32).to(memory_format=memory_format)
    images, labels = batch(dtype=torch.float32)
    images = images.to(memory_format=memory_format)

    def grads():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            backward(model, images, labels)
        return [parameter.grad.clone() for parameter in model.parameters()]

    plain = grads()
    with Amplifier(model, ALWAYS, n_epochs=1, seed=0).epoch(0):
        amplified = grads()
    powers = [4, 4, 4, 4, 2, 2, 2, 2, 1, 1]  # conv, batch norm, conv, batch norm, linear
    for before, after, power in zip(plain, amplified, powers, strict=True):
        assert torch.equal(after, before * power)


@pytest.mark.parametrize("plan", [ALWAYS, replace(ALWAYS, side="input"), INTELLIGENT])
def test_factor_1_trains_the_same_bits_as_no_amplification(plan):
    """Losses and weights after 12 steps of SGD are equal, not just close."""

    def train(amplifier_of):
        model = chain("cbrcbt", dtype=torch.float32)
        amplifier = amplifier_of(model)
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
        losses = []
        for epoch in range(4):
            with amplifier.epoch(epoch):
                for step in range(3):
                    losses.append(backward(model, *batch(step, torch.float32)))
                    optimizer.step()
        return [*losses, *model.state_dict().values()]

    plain = train(lambda model: Amplifier(model, None, n_epochs=4, seed=0))
    ones = train(lambda model: Amplifier(model, replace(plan, factor=1.0), n_epochs=4, seed=0))
    assert all(torch.equal(a, b) for a, b in zip(plain, ones, strict=True))


def test_weight_decay_is_not_amplified():
    """A step of SGD is w - lr (2 g + decay w), with g the plain gradient."""
    model = chain("cb")
    plain, before = gradients(model)["0.weight"], model[0].weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, weight_decay=0.1)
    with Amplifier(model, ALWAYS, n_epochs=1, seed=0).epoch(0):
        gradients(model)
        optimizer.step()
    torch.testing.assert_close(model[0].weight, before - 0.5 * (2 * plain + 0.1 * before))


def test_a_model_without_the_kind_of_layer_is_refused():
    """The message names the kind and the others."""
    with pytest.raises(ConfigError, match=r"has none of kind='batch_norm'; kinds: batch_norm, act"):
        Amplifier(chain("ct"), ALWAYS, n_epochs=1, seed=0)
