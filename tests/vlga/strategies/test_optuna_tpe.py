"""Optuna's TPE as a strategy, alone and with successive halving; see also contracts/."""

import sys
from collections import Counter

import pytest

from tests.support.mortal_store import Killed
from tests.support.searching import Bench, ScriptedEvaluator, small_config
from tests.support.synthetic import completed, failed
from tests.vlga.strategies.test_ladder import make as make_ladder
from tests.vlga.strategies.test_ladder import walk
from vlga.errors import ConfigError
from vlga.strategies import require_installed

NAMES = ("optuna_tpe", "optuna_tpe_asha")
#: Networks of one block, of which Optuna thinks for a hundredth of a second.
SHORT = ("population.max_blocks=1",)


def make(name, *settings):
    return make_ladder(f"strategy={name}", *SHORT, *settings)


def wide_is_good(candidate):
    """Give a fitness that only the channels of convolution a decide."""
    return candidate.genome.blocks[0].channels_a / 1000


def test_it_learns_what_is_good():
    """Of the last networks most are among the widest; drawn ones are so in one of three cases."""
    walked = walk(make("optuna_tpe"), 40, wide_is_good)
    widths = [one.genome.blocks[0].channels_a for one in walked]

    assert [one.operator for one in walked] == ["sample"] * 4 + ["tpe"] * 36
    assert sum(width >= 256 for width in widths[-12:]) >= 8


def test_it_knows_a_network_as_it_was_trained_not_as_it_was_proposed():
    """One that is too large is shrunk first."""
    strategy = make("optuna_tpe", "limits.max_macs=200_000")
    walk(strategy, 8, wide_is_good)
    strategy.ask(1)
    trials = strategy._tpe._study.get_trials(deepcopy=False)
    told = [one.params for one in trials if one.state.name == "COMPLETE"]
    channels = strategy.space.block_alleles(0)["channels_a"]
    trained = [one.genome.blocks[0].channels_a for one in strategy.alive]

    assert [channels[params["blocks.0.channels_a"]] for params in told] == trained


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_teaches_nothing(name):
    """What is proposed next is what would be had the network never been."""
    first, second = make(name), make(name)
    for strategy, fails in ((first, True), (second, False)):
        for one in strategy.ask(5):
            if one.id < 4:
                strategy.tell(completed(one, 0.5))
            elif fails:
                strategy.tell(failed(one))
            else:
                del strategy._waiting[one.id]

    assert first.ask(3) == second.ask(3)


def test_what_is_in_training_is_not_proposed_again():
    """Many workers get different networks."""
    strategy = make("optuna_tpe")
    walk(strategy, 10)

    assert len({one.fingerprint for one in strategy.ask(6)}) == 6


def test_halving_takes_a_third_of_each_rung_up():
    """As `ladder` does: a promotion goes on from its parent's weights."""
    walked = walk(make("optuna_tpe_asha"), 60)
    by_id, n_of = {one.id: one for one in walked}, Counter(one.rung for one in walked)

    assert n_of[0] // 4 <= n_of[1] <= n_of[0] // 2
    assert n_of[2]
    for one in walked:
        if one.rung:
            parent = by_id[one.parents[0]]
            assert (one.genome, one.weights_from) == (parent.genome, parent.id)


def test_halving_tells_tpe_of_a_network_once_by_the_highest_rung_that_it_reached():
    """As of a pruned trial, or at the top of a complete one."""
    strategy = make("optuna_tpe_asha")
    walk(strategy, 60)
    while strategy.ask(1)[0].rung:  # until a proposal makes it look
        pass
    trials = strategy._tpe._study.get_trials(deepcopy=False)
    states = Counter(one.state.name for one in trials)
    rungs = Counter(one.candidate.rung for one in strategy.alive)

    assert states["COMPLETE"] == rungs[2] > 0
    assert states["PRUNED"] == rungs[0] + rungs[1]


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_any_moment_it_goes_on_as_if_it_had_not_been(tmp_path, name):
    """One at a time the end is the same, to the byte."""
    settings = (f"strategy={name}", "budget.evaluations=12", "population.size=3", *SHORT)
    whole = Bench(tmp_path, small_config(*settings))
    winner = whole.run(ScriptedEvaluator())
    n_writes = len(whole.store.writes)

    for n_left in range(4, n_writes, n_writes // 4):
        bench = Bench(tmp_path, whole.config)
        bench.store.n_left = n_left
        with pytest.raises(Killed):
            bench.run(ScriptedEvaluator())
        bench.store.n_left = None

        assert bench.run(ScriptedEvaluator()) == winner
        assert bench.ledger == whole.ledger


@pytest.mark.parametrize("name", NAMES)
def test_without_optuna_it_is_refused_in_one_line(monkeypatch, name):
    """With what to install."""
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(ConfigError, match=r"^optuna_tpe .* not installed; pip install 'vlga\[b"):
        require_installed(name)
    require_installed("ladder")
