"""The grid: every trial of a study, once, with seeds that make arms comparable."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.synthetic import completed
from vlga.config.load import load_config
from vlga.errors import ConfigError
from vlga.networks.phenotype import trial_fingerprint
from vlga.strategies import Grid, make_strategy

SHAPE, N_CLASSES = (1, 8, 8), 3


def grid(**settings: Any) -> Grid:
    """Give the grid of a study of two networks, two arms and two seeds, or as told."""
    chosen = {
        "networks": ["small_vgg", "simple_cnn"],
        "arms": [{"amplify": "off"}, {"amplify": "random"}],
        "seeds": 2,
        **settings,
    }
    overrides = {"strategy": "grid", **{f"study.{key}": one for key, one in chosen.items()}}
    strategy = make_strategy(load_config(overrides=overrides), SHAPE, N_CLASSES)
    assert isinstance(strategy, Grid)
    return strategy


def test_gives_every_trial_once_and_ends():
    """In the study's order, numbered from 0, however many are asked for at a time."""
    strategy = grid()
    given = [one for n in (3, 1, 100) for one in strategy.ask(n)]

    assert [one.id for one in given] == [*range(8)]
    assert [one.genome for one in given] == [*strategy.trials]
    assert strategy.ask(1) == ()
    assert strategy.finished


def test_does_not_wait_for_outcomes():
    """All trials may be out at once."""
    assert len(grid().ask(100)) == 8


def test_tells_two_trainings_apart_by_their_fingerprint():
    """Which is that of plan and seed."""
    candidates = grid().ask(100)

    assert len({one.fingerprint for one in candidates}) == 8
    for one in candidates:
        assert one.fingerprint == trial_fingerprint(one.genome, SHAPE, N_CLASSES)


def test_all_trainings_of_a_repetition_share_their_seed():
    """Arms differ in nothing else: the same initial weights, order and augmentation."""
    strategy = grid()
    seeds = {}
    for one in strategy.ask(100):
        seeds.setdefault(one.genome.seed, set()).add(strategy.training_seed(one))

    assert [len(found) for found in seeds.values()] == [1, 1]
    assert seeds[0] != seeds[1]


def test_the_best_is_the_fittest_on_validation_images():
    """As in a search, so that `vlga show` and `vlga top` read the same."""
    strategy = grid()
    for one in strategy.ask(100):
        strategy.tell(completed(one, 0.5 + one.id / 100))

    assert strategy.best.id == 7


def test_an_unknown_network_is_refused():
    """When the study begins, with the nearest known one."""
    with pytest.raises(ConfigError, match="got 'small_vgh'; did you mean 'small_vgg'"):
        grid(networks=["small_vgh"])
