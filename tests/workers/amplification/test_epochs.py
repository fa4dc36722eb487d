"""Amplification over the epochs of a training: windows, draws, measures, and hooks that leave."""

import copy
import io
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.support.amplified_chain import (
    ALWAYS,
    INTELLIGENT,
    assert_no_hooks,
    backward,
    batch,
    chain,
    gradients,
)
from vlga.errors import ConfigError
from vlga.networks.training import AmplificationPlan
from workers.amplification import Amplifier
from workers.amplification.choice import draw

EVERY_WAY = [
    replace(plan, kind=kind, side=side, redraw=redraw)
    for plan in (ALWAYS, INTELLIGENT)
    for kind in ("any", "activation")
    for side in ("output", "input", "parameters")
    for redraw in ("epoch", "step")
]


@pytest.mark.parametrize("plan", EVERY_WAY, ids=str)
def test_no_hook_is_left_behind(plan):
    """After the block the model is as it was, also when an exception left it."""
    model = chain("cbnrtp")
    amplifier = Amplifier(model, plan, n_epochs=3, seed=0)
    with amplifier.epoch(0):
        gradients(model)
    assert_no_hooks(model)
    measures = dict(amplifier.measures)
    with pytest.raises(ZeroDivisionError), amplifier.epoch(1):
        gradients(model, seed=1)
        raise ZeroDivisionError
    assert_no_hooks(model)
    assert amplifier.measures == measures


@pytest.mark.parametrize("plan", EVERY_WAY, ids=str)
def test_a_copy_made_inside_the_block_is_not_amplified(plan):
    """An average of weights or a checkpoint of the whole model carries no amplification."""
    model = chain("cbnrtp")
    plain = gradients(model)
    amplifier = Amplifier(model, plan, n_epochs=2, seed=0)
    amplifier.measures = {"1": 1.0}
    file = io.BytesIO()
    with amplifier.epoch(0) as names:
        twin = copy.deepcopy(model)
        torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    assert names
    for other in (twin, loaded):
        assert all(torch.equal(plain[name], each) for name, each in gradients(other).items())


def test_layers_change_from_epoch_to_epoch_inside_the_window_only():
    """One amplifier serves the whole training; what an epoch names is what it amplifies."""
    model = chain("cb" * 6)
    plan = AmplificationPlan(mode="random", ratio=0.5, window=(0.2, 0.8), factor=3.0)
    amplifier = Amplifier(model, plan, n_epochs=10, seed=4)
    plain = gradients(model)["0.weight"]
    seen = []
    for epoch in range(10):
        with amplifier.epoch(epoch) as names:
            power = (gradients(model)["0.weight"].norm() / plain.norm()).log() / torch.tensor(
                3.0
            ).log()
        assert power.item() == pytest.approx(len(names), abs=1e-4)
        assert bool(names) == amplifier.is_on(epoch) == (2 <= epoch < 8)
        seen.append(names)
    assert len(set(seen)) > 3
    assert seen[2:8] == [
        draw([str(2 * index + 1) for index in range(6)], 0.5, seed=4, epoch=epoch)
        for epoch in range(2, 8)
    ]


def test_layers_drawn_once_stay():
    """redraw='once' amplifies the same layers in every epoch of the window."""
    amplifier = Amplifier(
        chain("cb" * 6), replace(ALWAYS, ratio=0.5, redraw="once"), n_epochs=9, seed=0
    )
    names = set()
    for epoch in range(9):
        with amplifier.epoch(epoch) as amplified:
            names.add(amplified)
    assert len(names) == 1


def test_layers_drawn_each_step_change_with_each_training_pass():
    """A validation pass, with or without gradients, is no step."""
    model = chain("cb" * 4)
    plan = replace(ALWAYS, ratio=0.25, redraw="step", side="parameters", factor=3.0)
    plain = gradients(model)
    seen = []
    with Amplifier(model, plan, n_epochs=2, seed=0).epoch(1) as first:
        for _ in range(8):
            now = gradients(model)
            seen.append(
                tuple(
                    name.split(".")[0]
                    for name in plain
                    if name.endswith("weight") and not torch.allclose(now[name], plain[name])
                )
            )
            with torch.no_grad():
                model(batch()[0])
            model.eval()
            model(batch()[0])
            model.train()
    names = ["1", "3", "5", "7"]
    assert seen == [draw(names, 0.25, seed=0, epoch=1, step=step) for step in range(8)]
    assert seen[0] == first
    assert len(set(seen)) > 1


@pytest.mark.parametrize(("kinds", "kind"), [("cb" * 4, "batch_norm"), ("ct" * 4, "activation")])
def test_two_forward_passes_before_a_backward_pass_keep_their_own_layers(kinds, kind):
    """With redraw='step' each loss is amplified as drawn for its forward pass."""
    model = chain(kinds)
    names = ["1", "3", "5", "7"]
    draws = [draw(names, 0.25, seed=0, epoch=0, step=step) for step in (0, 1)]
    assert draws[0] != draws[1]
    for side in ("output", "input"):
        plan = replace(ALWAYS, kind=kind, ratio=0.25, redraw="step", side=side)
        with Amplifier(model, plan, n_epochs=1, seed=0).epoch(0):
            apart = [gradients(model, seed) for seed in (0, 1)]
        with Amplifier(model, plan, n_epochs=1, seed=0).epoch(0):
            model.zero_grad()
            losses = [
                nn.functional.cross_entropy(model(images), labels)
                for images, labels in (batch(0), batch(1))
            ]
            sum(losses).backward()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.grad, apart[0][name] + apart[1][name])


@pytest.mark.parametrize("measure", ["G1", "G2"])
def test_measures_are_those_of_the_parameters_gradients(measure):
    """A slow float64 reference over all steps' gradients gives the same numbers."""
    model = chain("cbrcb")
    plan = replace(INTELLIGENT, measure=measure)
    amplifier = Amplifier(model, plan, n_epochs=2, seed=0)
    with amplifier.epoch(0):
        history = [gradients(model, seed) for seed in range(5)]
    for layer in ("1", "4"):
        steps = [torch.cat([g[f"{layer}.weight"], g[f"{layer}.bias"]]) for g in history]
        kept = [abs(sum(step[e].item() for step in steps)) for e in range(4)]
        moved = [sum(abs(step[e].item()) for step in steps) for e in range(4)]
        expected = {
            "G1": sum(kept) / sum(moved),
            "G2": sum(k / m for k, m in zip(kept, moved, strict=True)) / 4,
        }
        assert amplifier.measures[layer] == pytest.approx(expected[measure], rel=1e-12)


def test_layers_without_parameters_are_measured_at_their_output():
    """The gradient at the output of tanh, averaged over the batch, by autograd's own account."""
    model = chain("ctct")
    amplifier = Amplifier(model, replace(INTELLIGENT, kind="activation"), n_epochs=2, seed=0)
    with amplifier.epoch(0):
        for seed in range(4):
            gradients(model, seed)
    steps = []
    for seed in range(4):
        images, labels = batch(seed)
        output = model[:2](images).detach().requires_grad_()
        nn.functional.cross_entropy(model[2:](output), labels).backward()
        steps.append(output.grad.mean(0))
    stacked = torch.stack(steps)
    expected = stacked.sum(0).abs().sum() / stacked.abs().sum()
    assert amplifier.measures["1"] == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("side", ["output", "input", "parameters"])
def test_in_a_chain_amplification_leaves_the_measures_as_they_are(side):
    """The same steps measure the same, amplified or not, as the factors cancel."""
    model = chain("cbrcbtcb")
    amplifier = Amplifier(
        model, replace(INTELLIGENT, kind="any", side=side, factor=3.0), n_epochs=3, seed=0
    )
    measures = []
    for epoch in range(2):
        with amplifier.epoch(epoch) as names:
            for seed in range(3):
                gradients(model, seed)
        assert bool(names) == (epoch == 1)
        measures.append(amplifier.measures)
    assert measures[1] == pytest.approx(measures[0], rel=1e-12)


def test_frozen_layers_are_measured_at_their_output():
    """Fine-tuning with frozen batch norm still measures where gradients pass."""
    model = chain("cbcb")
    for layer in (model[1], model[3]):
        layer.requires_grad_(False)
    amplifier = Amplifier(model, INTELLIGENT, n_epochs=2, seed=0)
    with amplifier.epoch(0):
        backward(model, *batch())
    assert set(amplifier.measures) == {"1", "3"}


def test_the_first_epoch_is_not_amplified_by_measure():
    """There is no measure yet; the second epoch has the first one's."""
    model = chain("cbrcb")
    amplifier = Amplifier(model, INTELLIGENT, n_epochs=3, seed=0)
    plain = gradients(model)
    with amplifier.epoch(0) as first:
        for seed in range(3):
            measured = gradients(model, seed)
    assert first == ()
    assert torch.equal(measured["0.weight"], gradients(model, 2)["0.weight"])
    high = max(amplifier.measures, key=amplifier.measures.get)
    with amplifier.epoch(1) as second:
        amplified = gradients(model)
    assert second == (high,)
    assert torch.equal(amplified[f"{high}.weight"], 2 * plain[f"{high}.weight"])


def test_where_no_layer_qualifies_none_is_amplified():
    """The mean plus five standard deviations is above every measure."""
    model = chain("cbrcb")
    plan = replace(INTELLIGENT, threshold="mean_std", threshold_k=5.0)
    amplifier = Amplifier(model, plan, n_epochs=2, seed=0)
    plain = gradients(model)
    with amplifier.epoch(0):
        gradients(model)
        gradients(model, 1)
    with amplifier.epoch(1) as names:
        now = gradients(model)
    assert names == ()
    assert all(torch.equal(plain[name], now[name]) for name in plain)


def test_measuring_happens_only_in_epochs_whose_next_is_in_the_window():
    """Window [5, 8) of 10 epochs: hooks on parameters in epochs 4, 5 and 6."""
    model = chain("cb")
    amplifier = Amplifier(model, replace(INTELLIGENT, window=(0.5, 0.8)), n_epochs=10, seed=0)
    measured, amplified = [], []
    for epoch in range(10):
        with amplifier.epoch(epoch) as names:
            gradients(model)
            measured += [epoch] * bool(model[1].weight._backward_hooks)
            amplified += [epoch] * bool(names)
    assert measured == [4, 5, 6]
    assert amplified == [5, 6, 7]


def test_measures_can_be_kept_with_a_checkpoint():
    """Put back into a new amplifier they lead to the choice that the old one would have made."""
    model = chain("cbrcbrcb")
    old, new = (Amplifier(model, INTELLIGENT, n_epochs=5, seed=0) for _ in range(2))
    with old.epoch(0):
        gradients(model)
        gradients(model, 1)
    new.measures = old.measures
    with old.epoch(1) as expected:
        pass
    with new.epoch(1) as names:
        pass
    assert names == expected != ()


def test_epochs_outside_the_training_are_refused():
    """The window is a share of n_epochs, so an epoch beyond has no meaning."""
    with pytest.raises(ConfigError, match="n_epochs must be at least 1, but got n_epochs=0"):
        Amplifier(chain(), ALWAYS, n_epochs=0, seed=0)
    amplifier = Amplifier(chain(), ALWAYS, n_epochs=3, seed=0)
    for epoch in (-1, 3):
        with (
            pytest.raises(ConfigError, match=f"from 0 to n_epochs - 1 = 2, but got epoch={epoch}"),
            amplifier.epoch(epoch),
        ):
            pass


def test_without_a_plan_nothing_happens():
    """A training loop needs no special case for a network that is not amplified."""
    model = chain()
    amplifier = Amplifier(model, None, n_epochs=2, seed=0)
    with amplifier.epoch(0) as names:
        assert_no_hooks(model)
    assert names == ()
    assert not amplifier.is_on(0)
