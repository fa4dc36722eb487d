"""Tune's search algorithm, without Tune: what it suggests, and what it makes of results.

What it saves is in test_tune_state.py, how it does on a real Tune in test_tune.py.
"""

from __future__ import annotations

import json
import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ray.tune.search import ConcurrencyLimiter, Searcher

from vlga.config.load import load_config
from vlga.errors import ConfigError, GenomeError
from vlga.genetics.genes import GENES_VERSION
from vlga.genetics.genome import Genome
from vlga.networks.phenotype import decode
from workers.networks.build import build_network
from workers.tune_search import VLGASearch

BLOCK = {"width": [8, 16, 32], "activation": ["relu", "tanh"]}
NETWORK = {"rate": [0.1, 0.01]}
SIZE = 4


def search(block=BLOCK, network=NETWORK, **settings):
    settings = {"metric": "score", "mode": "max", "population_size": SIZE, **settings}
    return VLGASearch(block, network, **settings)


def score(config):
    """Give the sum of a configuration's widths: up to 160, for five blocks of 32."""
    return sum(block["width"] for block in config["blocks"])


def run(searcher, n_trials, outcome=lambda config: {"score": score(config)}):
    """Run trials one after another; give their configurations."""
    configs = []
    for number in range(n_trials):
        configs.append(searcher.suggest(f"trial-{number}"))
        searcher.on_trial_complete(f"trial-{number}", outcome(configs[-1]))
    return configs


def alive(searcher):
    """Give the configurations of the population, in the order in which they were told."""
    return [individual.genome.to_dict()["blocks"] for individual in searcher._strategy.alive]


def keys(configs):
    return {json.dumps(config, sort_keys=True) for config in configs}


class TestSuggest:
    def test_gives_a_dictionary_and_a_list_of_dictionaries(self):
        """With every gene of the space, and nothing else."""
        for config in run(search(max_blocks=3), 20):
            assert {*config} == {"network", "blocks"}
            assert config["network"]["rate"] in NETWORK["rate"]
            assert 1 <= len(config["blocks"]) <= 3
            for block in config["blocks"]:
                assert block["width"] in BLOCK["width"]
                assert block["activation"] in BLOCK["activation"]
                assert {*block} == {*BLOCK}

    def test_improves_on_what_it_is_told(self):
        """Whatever the metric's range: the best of 18,662 configurations in 150 trials."""
        assert max(map(score, run(search(), 150))) == 5 * 32

    def test_minimizes_as_it_maximizes(self):
        """A loss is as good as its negative is as a gain."""
        losses = run(search(mode="min"), 40, lambda config: {"score": -score(config)})

        assert losses == run(search(), 40)

    @given(scale=st.sampled_from([1e-9, 1e-3, 1.0, 1e6, 1e300]))
    @settings(max_examples=5)
    def test_only_the_order_of_scores_counts(self, scale):
        """In any unit, from billionths to the largest floats, the search is the same."""
        scaled = run(search(), 30, lambda config: {"score": scale * score(config)})

        assert scaled == run(search(), 30)

    def test_never_waits_for_a_trial(self):
        """More may run at once than a population has; the first that end are the first parents."""
        searcher = search()
        running = [searcher.suggest(str(number)) for number in range(3 * SIZE)]

        assert len(keys(running)) == 3 * SIZE
        for number in (5, 2):
            searcher.on_trial_complete(str(number), {"score": score(running[number])})
        assert searcher.suggest("child")
        assert {*searcher._candidates[-1].parents} <= {5, 2}

    def test_suggests_nothing_twice_and_ends_when_all_is_known(self):
        """What evolution makes again takes over the outcome of the trial that had it."""
        searcher = search({"width": [1, 2]}, {}, max_blocks=3)
        configs = []
        while isinstance(config := searcher.suggest(f"trial-{len(configs)}"), dict):
            searcher.on_trial_complete(f"trial-{len(configs)}", {"score": score(config)})
            configs.append(config)

        assert config == Searcher.FINISHED
        assert len(configs) == len(keys(configs)) == 2 + 4 + 8
        assert alive(searcher) == [[{"width": 2}] * 3] * SIZE

    def test_what_is_made_again_while_its_trial_runs_waits_for_it(self):
        """All of its candidates are told when it ends."""
        searcher = search({"width": [1, 2]}, {}, max_blocks=1)
        assert searcher.suggest("one") != searcher.suggest("two")
        assert searcher.suggest("three") == Searcher.FINISHED
        assert len(searcher._ids["one"]) > SIZE
        searcher.on_trial_complete("one", {"score": 1})

        assert searcher._told == searcher._ids["one"]
        assert alive(searcher) == [searcher._candidates[0].genome.to_dict()["blocks"]] * SIZE

    def test_tries_the_points_to_evaluate_first(self):
        """Then goes on from them."""
        points = [
            {"network": {"rate": 0.1}, "blocks": [{"width": 32, "activation": "tanh"}] * 5},
            {"network": {"rate": 0.01}, "blocks": [{"width": 8, "activation": "relu"}] * 2},
        ]
        configs = run(search(points_to_evaluate=points), 30)

        assert configs[:2] == points
        assert any(len(config["blocks"]) > 2 for config in configs[2:])

    def test_searches_networks_of_this_project(self):
        """A preset's space gives configurations that decode to torch modules."""
        space = load_config().space.build()
        genes = {name: [*alleles] for name, alleles in space.block_alleles(1).items()}
        network = {name: [*alleles] for name, alleles in space.network_alleles().items()}
        for config in run(search(genes, network), 5, lambda _: {"score": 1}):
            plan = decode(Genome.from_dict({"version": GENES_VERSION, **config}), (1, 8, 8), 10)
            module = build_network(plan, torch.Generator())

            assert sum(one.numel() for one in module.parameters()) == plan.n_parameters

    def test_works_under_a_concurrency_limiter(self):
        """Which gives no more than its limit, and passes outcomes on."""
        searcher = search()
        limited = ConcurrencyLimiter(searcher, max_concurrent=1)
        config = limited.suggest("one")

        assert limited.suggest("two") is None
        limited.on_trial_complete("one", {"score": score(config)})
        assert limited.suggest("two")
        assert alive(searcher) == [config["blocks"]]


class TestResults:
    def test_the_last_score_counts(self):
        """Also of a trial that is stopped without a result; the best before it does not."""
        searcher = search()
        for trial_id, last in (("went on", {"score": 2.0}), ("stopped", None), ("other", {"x": 1})):
            searcher.suggest(trial_id)
            searcher.on_trial_result(trial_id, {"score": 9.0})
            searcher.on_trial_result(trial_id, {"score": 1.0})
            searcher.on_trial_complete(trial_id, last)

        assert searcher._outcomes == {"went on": 2.0, "stopped": 1.0, "other": 1.0}

    @pytest.mark.parametrize(
        ("result", "error"),
        [
            (None, True),
            ({"score": 1.0}, True),
            ({"score": math.nan}, False),
            ({"score": -math.inf}, False),
            ({"score": None}, False),
            ({"other": 1.0}, False),
            (None, False),
        ],
    )
    def test_a_trial_without_a_finite_score_has_failed(self, result, error):
        """It is never a parent, and a founder is suggested in its stead."""
        searcher = search()
        for number in range(SIZE):
            config = searcher.suggest(str(number))
            if number:
                searcher.on_trial_complete(str(number), {"score": 1.0})
        searcher.on_trial_complete("0", result, error=error)

        assert len(searcher._strategy.alive) == SIZE - 1
        assert config
        searcher.suggest("another")
        assert searcher._candidates[-1].parents == ()

    def test_a_score_that_blew_up_last_counts_as_none(self):
        """A trial that diverged has failed, however well it did before."""
        searcher = search()
        searcher.suggest("one")
        searcher.on_trial_result("one", {"score": 1.0})
        searcher.on_trial_result("one", {"score": math.nan})
        searcher.on_trial_complete("one")

        assert searcher._outcomes == {"one": None}

    def test_a_failed_trial_that_succeeds_when_run_again_counts(self):
        """As `Tuner.restore(..., restart_errored=True)` does; it is told as if it just ended."""
        searcher = search()
        first, second = searcher.suggest("first"), searcher.suggest("second")
        searcher.on_trial_complete("first", error=True)
        searcher.on_trial_complete("second", {"score": 1.0})
        searcher.on_trial_complete("first", {"score": 2.0})

        assert alive(searcher) == [second["blocks"], first["blocks"]]
        assert searcher._told == [1, 0]

    def test_what_is_over_stays_as_it_was(self):
        """A second outcome, and that of a trial that was never suggested, change nothing."""
        searcher = search()
        config = searcher.suggest("one")
        searcher.on_trial_complete("one", {"score": 1.0})
        searcher.on_trial_complete("one", {"score": 2.0})
        searcher.on_trial_complete("one", error=True)
        searcher.on_trial_result("stranger", {"score": 3.0})
        searcher.on_trial_complete("stranger", {"score": 3.0})

        assert searcher._outcomes == {"one": 1.0}
        assert alive(searcher) == [config["blocks"]]


class TestArguments:
    def test_metric_and_mode_may_come_from_tune(self):
        """As they do where `param_space` holds constants; what is there to search stays ours."""
        searcher = search(metric=None, mode=None)

        assert not searcher.set_search_properties("loss", "min", {"epochs": 3})
        assert (searcher.metric, searcher.mode) == ("loss", "min")
        assert searcher.suggest("one")

    def test_without_a_metric_nothing_is_suggested(self):
        """The message says how to give it."""
        message = "metric=None mode='max'; say VLGASearch(..., metric=, mode=)"
        with pytest.raises(ConfigError, match=re.escape(message)):
            search(metric=None).suggest("one")

    @pytest.mark.parametrize("mode", ["best", ["max"]])
    def test_an_unknown_mode_is_refused(self, mode):
        """At once."""
        with pytest.raises(ConfigError, match="needs mode='min' or mode='max', but got mode="):
            search(mode=mode)

    def test_a_point_outside_the_space_is_refused(self):
        """At once too."""
        with pytest.raises(GenomeError, match="must have exactly the genes of its space"):
            search(points_to_evaluate=[{"blocks": [{"width": 8}]}])
