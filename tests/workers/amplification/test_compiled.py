"""Amplification of compiled models: the same gradients as eager code, compiled twice only."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vlga.networks.training import AmplificationPlan
from workers.amplification import Amplifier

PLAN = AmplificationPlan(mode="random", factor=3.0, window=(0.2, 0.8))
N_EPOCHS = 10


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def small_net():
    torch.manual_seed(0)
    blocks = [
        layer
        for _ in range(3)
        for layer in (nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(inplace=True))
    ]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(32, 2)).double()


def train(model, callable_model, root, plan):
    """Give the gradients of every step and the layers of every epoch."""
    images = torch.randn(4, 2, 4, 4, generator=torch.Generator().manual_seed(0)).double()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    amplifier = Amplifier(root, plan, n_epochs=N_EPOCHS, seed=0)
    history, names = [], []
    for epoch in range(N_EPOCHS):
        with amplifier.epoch(epoch) as amplified:
            for _ in range(2):
                optimizer.zero_grad()
                callable_model(images).logsumexp(1).sum().backward()
                history += [parameter.grad.clone() for parameter in model.parameters()]
                optimizer.step()
        names.append(amplified)
    return history, names


INTELLIGENT = replace(PLAN, mode="intelligent", measure="G1", threshold="mean")


@pytest.mark.parametrize(
    ("plan", "root", "n_graphs"),
    [
        pytest.param(PLAN, "compiled", 2, id="batch_norm"),
        pytest.param(PLAN, "plain", 2, id="amplifier given the plain model"),
        pytest.param(PLAN, "in place", 2, id="model.compile"),
        pytest.param(replace(PLAN, side="input"), "compiled", 2, id="input"),
        pytest.param(replace(PLAN, side="parameters"), "compiled", 1, id="parameters"),
        pytest.param(replace(PLAN, redraw="step"), "compiled", 2, id="step"),
        pytest.param(replace(PLAN, redraw="step"), "plain", 2, id="step, plain model"),
        pytest.param(INTELLIGENT, "compiled", 2, id="intelligent"),
        # measuring at outputs breaks the code in two at every activation
        pytest.param(
            replace(INTELLIGENT, kind="activation"),
            "compiled",
            None,
            id="at outputs",
            marks=pytest.mark.filterwarnings("ignore:The .grad attribute"),  # torch's own
        ),
    ],
)
def test_compiled_models_train_like_eager_ones(plan, root, n_graphs):
    """Compiled before the hooks came, yet amplified; a new choice of layers compiles nothing."""
    eager, model, graphs = small_net(), small_net(), []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    expected, expected_names = train(eager, eager, eager, plan)
    if root == "in place":
        model.compile(backend=backend)
        history, names = train(model, model, model, plan)
    else:
        compiled = torch.compile(model, backend=backend)
        history, names = train(model, compiled, model if root == "plain" else compiled, plan)
    assert names == expected_names
    assert len(set(names)) > 2
    for before, after in zip(expected, history, strict=True):
        torch.testing.assert_close(after, before, rtol=1e-7, atol=1e-9)
    assert n_graphs in {None, len(graphs)}


def test_code_with_a_compiled_backward_pass_is_amplified():
    """Ahead-of-time autograd, which inductor builds on, gives eager code's gradients."""
    eager, model = small_net(), small_net()
    plan = replace(PLAN, kind="any")
    compiled = torch.compile(model, backend="aot_eager")
    expected, _ = train(eager, eager, eager, plan)
    history, _ = train(model, compiled, compiled, plan)
    for before, after in zip(expected, history, strict=True):
        torch.testing.assert_close(after, before, rtol=1e-7, atol=1e-9)


def test_a_model_compiled_while_amplified_is_plain_afterwards():
    """The code compiled inside the block is not run outside of it."""
    model = small_net()
    images = torch.randn(4, 2, 4, 4).double()

    def gradient(callable_model):
        model.zero_grad()
        callable_model(images).logsumexp(1).sum().backward()
        return model[0].weight.grad.clone()

    plain = gradient(model)
    compiled = torch.compile(model, backend="eager")
    with Amplifier(model, replace(PLAN, ratio=1.0), n_epochs=N_EPOCHS, seed=0).epoch(5):
        amplified = gradient(compiled)
    torch.testing.assert_close(amplified, 27 * plain)
    torch.testing.assert_close(gradient(compiled), plain)
