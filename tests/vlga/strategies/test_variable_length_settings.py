"""What the settings of the variable-length search do, and how it bears failures."""

import statistics
from collections import Counter

import pytest

from tests.support.generators import PRESETS
from tests.support.synthetic import (
    any_fitness,
    ask_round,
    completed,
    deeper_is_better,
    failed,
    play,
)
from tests.vlga.strategies.test_variable_length import INPUT_SHAPE, N_CLASSES, columns, make
from vlga.config.load import load_config
from vlga.networks.phenotype import decode
from vlga.strategies import make_strategy


class TestMutation:
    def test_of_survivors_at_probability_zero_never_happens(self):
        """Then a generation is selection and crossover."""
        rounds = play(make("population.mutation_probability=0", "budget.phases=1"))

        assert {c.operator for candidates in rounds[1:] for c in candidates} == {
            "uniform_crossover"
        }

    def test_of_survivors_at_probability_one_happens_to_each_but_the_elite(self):
        """Nobody of the lower half lives on unchanged."""
        strategy = make(
            "population.mutation_probability=1",
            "population.less_fit_survival_probability=1",
            "budget.phases=1",
        )
        for kept, new in columns(strategy)[1:]:
            assert len(kept) == len(new) == 10
        assert {one.candidate.operator for one in strategy.population} <= {
            "sample",
            "mutate_one_gene",
        }

    @pytest.mark.parametrize(
        ("probability", "operators"),
        [
            (0, {"uniform_crossover"}),
            (1, {"uniform_crossover+mutate_one_gene"}),
            (0.5, {"uniform_crossover", "uniform_crossover+mutate_one_gene"}),
        ],
    )
    def test_of_offspring_follows_crossover(self, probability, operators):
        """`mutate = "offspring"`: survivors keep their genes and their fitness."""
        rounds = play(
            make(
                'population.mutate="offspring"',
                f"population.mutation_probability={probability}",
                "budget.phases=1",
            )
        )

        assert {c.operator for candidates in rounds[1:] for c in candidates} == operators

    def test_of_offspring_happens_as_often_as_set(self):
        """A fifth of the children, over many seeds."""
        operators = Counter(
            candidate.operator
            for seed in range(20)
            for candidates in play(
                make(f"seed={seed}", 'population.mutate="offspring"', "budget.phases=1")
            )[1:]
            for candidate in candidates
        )

        assert operators["uniform_crossover+mutate_one_gene"] / operators.total() == pytest.approx(
            0.2, abs=0.03
        )


class TestDuplicates:
    SETTINGS = ("population.avoid_duplicates=true", "budget.phases=3")

    @pytest.mark.parametrize("mutate", ["survivors", "offspring"])
    def test_are_avoided_in_a_large_space(self, mutate):
        """No network is proposed twice, in any of eight searches."""
        for seed in range(8):
            strategy = make(f"seed={seed}", f"population.mutate={mutate}", *self.SETTINGS)
            rounds = play(strategy, deeper_is_better)
            fingerprints = [c.fingerprint for candidates in rounds for c in candidates]
            assert len({*fingerprints}) == len(fingerprints)

    def test_are_let_through_as_in_the_paper_if_so_set(self):
        """The preset trains an equal network again, or rather reuses its outcome."""
        rounds = play(make("budget.phases=1"))
        fingerprints = [c.fingerprint for candidates in rounds for c in candidates]

        assert len({*fingerprints}) < len(fingerprints)

    def test_are_let_through_where_the_space_is_used_up(self):
        """Two networks exist: the search goes on instead of looking for a third for ever."""
        first = {name: alleles[0] for name, alleles in PRESETS["xiao2020"].block_alleles(0).items()}
        config = load_config(
            preset="xiao2020",
            settings=["population.avoid_duplicates=true", "budget.phases=1"],
            overrides={"space.block": first, "space.network.activation": ["relu", "elu"]},
        )
        strategy = make_strategy(config, INPUT_SHAPE, N_CLASSES)
        rounds = play(strategy)

        assert len(rounds) == 5
        assert len({c.fingerprint for candidates in rounds for c in candidates}) == 2

    def test_mutated_out_of_the_way_say_so_in_their_operator(self):
        """A child that equalled another carries the mutation in its name, once."""
        operators = {
            candidate.operator
            for seed in range(4)
            for candidates in play(make(f"seed={seed}", *self.SETTINGS), deeper_is_better)
            for candidate in candidates
        }

        assert "uniform_crossover+mutate_one_gene" in operators
        assert operators <= {
            "sample",
            "sample+mutate_one_gene",
            "grow",
            "grow+mutate_one_gene",
            "mutate_one_gene",
            "mutate_one_gene+mutate_one_gene",
            "uniform_crossover",
            "uniform_crossover+mutate_one_gene",
        }


class TestLimits:
    def test_every_network_of_the_first_phase_fits(self):
        """8 channels and 1x1 kernels always do: shrinking reaches them."""
        limit = 500_000
        strategy = make(f"limits.max_macs={limit}", "budget.phases=1")
        macs = [
            decode(candidate.genome, INPUT_SHAPE, N_CLASSES).n_macs
            for candidates in play(strategy)
            for candidate in candidates
        ]

        assert max(macs) <= limit
        assert statistics.median(macs) > limit / 4

    def test_a_limit_above_every_network_changes_nothing(self):
        """The same search as without one."""
        free = play(make("budget.phases=2"), deeper_is_better)

        assert play(make("budget.phases=2", f"limits.max_macs={10**15}"), deeper_is_better) == free


class TestFailures:
    def test_leave_the_population_smaller_for_a_generation_only(self):
        """Half of the first are lost: the next is filled up to twenty again."""
        strategy = make("budget.phases=1")
        for candidate in ask_round(strategy):
            outcome = completed(candidate, 0.5) if candidate.id % 2 else failed(candidate)
            strategy.tell(outcome)
        n_new = len(ask_round(strategy))

        assert strategy.logbook[0]["n_individuals"] == 10
        assert len(strategy.population) + n_new == 20
        assert {one.id % 2 for one in strategy.population} == {1}

    def test_of_a_whole_generation_of_offspring_do_not_end_the_search(self):
        """The survivors go on."""
        strategy = make("budget.phases=1")
        for candidate in ask_round(strategy):
            strategy.tell(completed(candidate, any_fitness(candidate)))
        best = strategy.best
        for candidate in ask_round(strategy):
            strategy.tell(failed(candidate))

        assert ask_round(strategy)
        assert strategy.best == best
        assert best in strategy.population


def test_the_default_preset_runs_on_it_too():
    """Training and amplification genes are searched in every phase; the activation is not."""
    strategy = make(
        "strategy=variable_length", "budget.phases=3", "population.size=8", preset="default"
    )
    rounds = play(strategy, deeper_is_better)
    last = [c.genome.network for candidates in rounds for c in candidates if c.phase == 2]

    assert len({network.activation for network in last}) == 1
    assert len({network.learning_rate for network in last}) > 1
