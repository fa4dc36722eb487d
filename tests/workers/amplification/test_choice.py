"""Which layers are amplified when: facts that need no network."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from vlga.errors import ConfigError
from vlga.networks.training import AmplificationPlan
from workers.amplification.choice import (
    check_plan,
    choose_by_measure,
    draw,
    threshold,
    window_epochs,
)
from workers.amplification.layers import eligible_layers

RANDOM = AmplificationPlan(mode="random")
INTELLIGENT = AmplificationPlan(mode="intelligent", measure="G1", threshold="mean", ratio=None)
NAMES = tuple(f"layer{index}" for index in range(10))

MODEL = nn.Sequential(
    nn.Conv2d(1, 2, 3),
    nn.BatchNorm2d(2),
    nn.ReLU(),
    nn.Sequential(nn.ConvTranspose1d(1, 1, 1), nn.BatchNorm1d(1), nn.SELU(), nn.MaxPool1d(2)),
    nn.Linear(1, 1),
    nn.Dropout(),
    nn.LayerNorm(1),
)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("batch_norm", ["1", "3.1"]),
        ("activation", ["2", "3.2"]),
        ("conv", ["0", "3.0"]),
        ("any", ["0", "1", "2", "3.0", "3.1", "3.2"]),
    ],
)
def test_layers_are_eligible_by_their_type(kind, names):
    """Each kind has its module types; linear, pooling, dropout and layer norm are in none."""
    assert list(eligible_layers(MODEL, kind)) == names


@pytest.mark.parametrize(
    "activation",
    [
        *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU),
        *(nn.Mish, nn.Tanh, nn.Sigmoid, nn.Hardswish, nn.Softplus),
    ],
)
def test_the_usual_activations_are_eligible(activation):
    """No usual activation is forgotten."""
    assert list(eligible_layers(nn.Sequential(activation()), "any")) == ["0"]


def test_a_module_used_at_two_places_is_one_layer():
    """A shared module has its first name."""
    shared = nn.ReLU()
    assert list(eligible_layers(nn.Sequential(shared, shared), "activation")) == ["0"]


@pytest.mark.parametrize(
    ("window", "n_epochs", "epochs"),
    [
        ((0.25, 0.85), 100, range(25, 85)),
        ((0.25, 0.85), 6, range(2, 5)),
        ((0.1, 0.7), 30, range(3, 21)),
        ((0.0, 1.0), 1, range(1)),
        ((0.5, 0.5), 10, range(0)),
    ],
)
def test_a_window_is_a_half_open_share_of_the_training(window, n_epochs, epochs):
    """The first epoch is in, the last one out; ends are rounded to whole epochs."""
    assert list(window_epochs(window, n_epochs)) == list(epochs)


@pytest.mark.parametrize(
    ("ratio", "n_layers", "size"),
    [(0.5, 10, 5), (0.1, 10, 1), (0.01, 10, 1), (0.26, 10, 3), (1.0, 10, 10), (0.5, 1, 1)],
)
def test_a_draw_has_the_ratios_size_but_at_least_one(ratio, n_layers, size):
    """The size is max(1, round(ratio * n))."""
    assert len(draw(NAMES[:n_layers], ratio, seed=0, epoch=0)) == size


@given(seed=st.integers(0, 2**32), epoch=st.integers(0, 1000), ratio=st.floats(0.01, 1))
def test_a_draw_is_an_ordered_subset_and_repeatable(seed, epoch, ratio):
    """Equal arguments give equal layers, each once, in the model's order."""
    drawn = draw(NAMES, ratio, seed=seed, epoch=epoch)
    assert list(drawn) == [name for name in NAMES if name in drawn]
    assert drawn == draw(NAMES, ratio, seed=seed, epoch=epoch)


def test_a_draw_depends_on_seed_epoch_and_step():
    """Each of the three alone changes the draw, and every layer's turn comes."""
    by_seed = {draw(NAMES, 0.3, seed=seed, epoch=0) for seed in range(20)}
    by_epoch = {draw(NAMES, 0.3, seed=0, epoch=epoch) for epoch in range(20)}
    by_step = {draw(NAMES, 0.3, seed=0, epoch=0, step=step) for step in range(20)}
    assert min(len(by_seed), len(by_epoch), len(by_step)) > 10
    assert {name for drawn in by_epoch for name in drawn} == set(NAMES)


def test_a_draw_leaves_the_global_random_state_alone():
    """Amplification neither depends on nor disturbs anyone's random numbers."""
    random.seed(1)
    state = random.getstate()
    first = draw(NAMES, 0.5, seed=0, epoch=0)
    assert random.getstate() == state
    random.seed(2)
    assert draw(NAMES, 0.5, seed=0, epoch=0) == first


def test_thresholds_are_the_mean_and_the_mean_plus_deviations():
    """Worked by hand: mean 0.5, population standard deviation 0.3."""
    measures = [0.2, 0.8, 0.2, 0.8]
    assert threshold(measures, "mean", 0.5) == pytest.approx(0.5)
    assert threshold(measures, "mean_std", 0.5) == pytest.approx(0.65)
    assert threshold(measures, "mean_std", 1.0) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("name", "k", "select", "chosen"),
    [
        ("mean", 0.5, "consistent", ("b", "c", "d")),
        ("mean", 0.5, "fluctuating", ("a",)),
        ("mean_std", 0.5, "consistent", ("c", "d")),
        ("mean_std", 0.5, "fluctuating", ("a", "b")),
        ("mean_std", 1.0, "consistent", ("d",)),
        ("mean_std", 5.0, "consistent", ()),
    ],
)
def test_layers_are_chosen_by_threshold_and_side(name, k, select, chosen):
    """Worked by hand: mean 0.5, standard deviation 0.234; a layer at the mean is in."""
    plan = replace(INTELLIGENT, threshold=name, threshold_k=k, select=select)
    measures = {"a": 0.125, "b": 0.5, "c": 0.625, "d": 0.75}
    assert choose_by_measure(measures, plan) == chosen


def test_equal_layers_are_all_consistent():
    """A layer exactly at the threshold qualifies, also where 0.1 + 0.1 + 0.1 is not 0.3."""
    measures = {"a": 0.1, "b": 0.1, "c": 0.1}
    assert choose_by_measure(measures, INTELLIGENT) == ("a", "b", "c")
    assert choose_by_measure(measures, replace(INTELLIGENT, select="fluctuating")) == ()


def test_overflowed_measures_neither_count_nor_qualify():
    """A layer whose gradients overflowed does not spoil the choice of the others."""
    measures = {"a": float("nan"), "b": 0.2, "c": 0.6, "d": float("inf")}
    assert choose_by_measure(measures, INTELLIGENT) == ("c",)
    assert choose_by_measure({"a": float("nan")}, INTELLIGENT) == ()


def test_without_measures_no_layer_is_chosen():
    """The first epoch has no measure yet."""
    assert choose_by_measure({}, replace(INTELLIGENT, select="fluctuating")) == ()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (replace(RANDOM, mode="clever"), r"mode must be one of random, intelligent, .*'clever'"),
        (replace(RANDOM, kind="bn"), r"kind must be one of batch_norm, .* got kind='bn'"),
        (replace(RANDOM, side="both"), r"side must be one of output, input, .*'both'"),
        (replace(RANDOM, factor=0.5), r"factor must be finite and at least 1, .*0\.5"),
        (replace(RANDOM, factor=float("inf")), r"factor must be finite .*inf"),
        (replace(RANDOM, window=(0.8, 0.2)), r"window must be two fractions .*\(0\.8, 0\.2\)"),
        (replace(RANDOM, window=(0.5, 1.5)), r"window must be two fractions .*\(0\.5, 1\.5\)"),
        (replace(RANDOM, redraw="never"), r"redraw must be one of once, epoch, step, .*'never'"),
        (replace(RANDOM, ratio=None), r"ratio must be above 0 .* got ratio=None"),
        (replace(RANDOM, ratio=0.0), r"ratio must be above 0 .* got ratio=0\.0"),
        (replace(INTELLIGENT, measure=None), r"measure must be one of G1, G2, but .*None"),
        (replace(INTELLIGENT, threshold="max"), r"threshold must be one of mean, .*'max'"),
        (replace(INTELLIGENT, select="all"), r"select must be one of consistent, .*'all'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_rule(plan, message):
    """Each setting has one line: the rule and the value."""
    with pytest.raises(ConfigError, match=message):
        check_plan(plan)


def test_the_usual_plans_pass():
    """Settings that the mode does not use may be None."""
    check_plan(RANDOM)
    check_plan(INTELLIGENT)
