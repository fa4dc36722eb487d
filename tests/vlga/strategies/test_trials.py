"""A study: its trials, their names, and the arms that make no sense."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import genome
from vlga.config.load import load_config
from vlga.config.study import ArmConfig, StudyConfig
from vlga.errors import ConfigError, GenomeError
from vlga.genetics.genome import Genome
from vlga.networks.named import ModelPlan
from vlga.networks.phenotype import decode, heritage_from_dict, plan_of, trial_fingerprint
from vlga.networks.plan import NetworkPlan
from vlga.networks.trial import Trial, arm_label
from vlga.strategies.grid import trials

SHAPE, N_CLASSES = (3, 16, 16), 10


def study(**settings: Any) -> StudyConfig:
    """Read a study as from a file."""
    return load_config(overrides={f"study.{key}": one for key, one in settings.items()}).study


def made(**settings: Any) -> list[Trial]:
    return [*trials(study(**settings), SHAPE, N_CLASSES)]


def amplifying_genome() -> Genome:
    """A genome with amplification on."""
    return genome(2, learning_rate=0.05).with_genes({"amplify": "random", "amplify_factor": 1.5})


def arms() -> st.SearchStrategy[ArmConfig]:
    """Any arm but ``own``."""
    shared = {
        "kind": st.sampled_from([None, "batch_norm", "activation", "conv", "any"]),
        "factor": st.sampled_from([None, 1.5, 2.0]),
        "side": st.sampled_from([None, "output", "input", "parameters"]),
        "window": st.sampled_from([None, [0.25, 0.85], [0.0, 0.5]]),
    }
    return st.one_of(
        st.builds(ArmConfig, amplify=st.just("off")),
        st.builds(
            ArmConfig, amplify=st.just("random"), **shared,
            ratio=st.sampled_from([None, 0.5, 1.0]),
            redraw=st.sampled_from([None, "once", "epoch", "step"]),
        ),
        st.builds(
            ArmConfig, amplify=st.just("intelligent"), **shared,
            measure=st.sampled_from([None, "G1", "G2"]),
            threshold=st.sampled_from([None, "mean", "mean_std"]),
            select=st.sampled_from([None, "consistent", "fluctuating"]),
        ),
    )  # fmt: skip


class TestTrials:
    def test_are_every_network_rate_arm_and_seed(self):
        """Once each, with the seeds outermost."""
        found = made(
            networks=["small_vgg", "simple_cnn"],
            learning_rates=[0.05, 0.2],
            arms=[{"amplify": "off"}, {"amplify": "random"}],
            seeds=3,
        )

        assert len(found) == len({*found}) == 2 * 2 * 2 * 3
        assert [one.seed for one in found] == sorted(one.seed for one in found)
        assert {one.optimizer.learning_rate for one in found} == {0.05, 0.2}
        assert {one.arm for one in found} == {"plain", "random batch_norm x2 ratio=0.5"}

    def test_a_searched_network_keeps_its_own_training(self):
        """Learning rate, momentum, weight decay and, in the arm ``own``, amplification."""
        own = amplifying_genome()
        plain, amplified = made(
            networks=["mine:3"],
            genomes={"mine:3": own.to_dict()},
            arms=[{"amplify": "off"}, {"amplify": "own"}],
        )
        plan = decode(own, SHAPE, N_CLASSES)

        assert plan_of(amplified, SHAPE, N_CLASSES) == plan
        assert plain.optimizer == plan.optimizer
        assert plain.amplification is None

    def test_a_learning_rate_that_is_given_counts(self):
        """Also for a searched network, whose other settings stay."""
        own = amplifying_genome()
        (trial,) = made(
            networks=["mine:3"], genomes={"mine:3": own.to_dict()}, learning_rates=[0.4]
        )

        assert trial.optimizer.learning_rate == 0.4
        assert trial.optimizer.momentum == own.network.momentum

    def test_own_needs_a_searched_network(self):
        """A named model has no genes."""
        with pytest.raises(ConfigError, match="amplify='own' needs a searched network"):
            made(networks=["simple_cnn"], arms=[{"amplify": "own"}])

    def test_what_does_not_suit_the_images_is_refused_before_anything_is_trained(self):
        """VGG-19 pools five times."""
        with pytest.raises(ConfigError, match="vgg19 must have images of at least 32x32"):
            made(networks=["simple_cnn", "vgg19"])


class TestTrial:
    @pytest.mark.parametrize("network", ["simple_cnn", "mine:3"])
    def test_comes_back_from_json(self, network):
        """A trial of either kind, with amplification."""
        (trial,) = made(
            networks=[network],
            genomes={"mine:3": genome(2).to_dict()},
            arms=[{"amplify": "intelligent", "window": [0.1, 0.9]}],
        )

        assert heritage_from_dict(json.loads(json.dumps(trial.to_dict()))) == trial

    def test_a_genome_is_still_one(self):
        """What the ledger holds of a search reads as genomes."""
        assert heritage_from_dict(genome(2).to_dict()) == genome(2)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"trial_version": 9}, "must have trial_version=1, but got 9"),
            ({"optimizer": {"speed": 1}}, "must have exactly the known fields"),
        ],
    )
    def test_another_version_s_is_refused(self, change, message):
        """With its value."""
        (trial,) = made(networks=["simple_cnn"])
        with pytest.raises(GenomeError, match=message):
            Trial.from_dict({**trial.to_dict(), **change})

    def test_its_fingerprint_is_that_of_plan_and_seed(self):
        """Repetitions are trained each."""
        found = made(networks=["simple_cnn"], seeds=2, arms=[{"amplify": "off"}] * 2)
        prints = [trial_fingerprint(one, SHAPE, N_CLASSES) for one in found]

        assert prints[0] == prints[1] != prints[2] == prints[3]

    def test_its_plan_is_of_its_kind(self):
        """A named model's or a genome's network, of the depth that the ledger has."""
        model, searched = made(
            networks=["small_vgg", "mine:3"], genomes={"mine:3": genome(2).to_dict()}
        )

        assert isinstance(plan_of(model, SHAPE, N_CLASSES), ModelPlan)
        assert isinstance(plan_of(searched, SHAPE, N_CLASSES), NetworkPlan)
        for trial in (model, searched):
            assert plan_of(trial, SHAPE, N_CLASSES).depth == trial.depth


@given(arms(), arms())
def test_labels_are_equal_exactly_if_amplification_is(one: ArmConfig, other: ArmConfig):
    """An arm's label names every setting that differs."""
    same = arm_label(one.plan()) == arm_label(other.plan())

    assert same == (one.plan() == other.plan())


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ({"amplify": "intelligent", "ratio": 0.5}, "ratio belongs to amplify='random'"),
        ({"amplify": "random", "measure": "G1"}, "measure belongs to amplify='intelligent'"),
        ({"amplify": "off", "factor": 2.0}, "factor needs amplify 'random' or 'intelligent'"),
        ({"amplify": "own", "kind": "conv"}, "kind needs amplify 'random' or 'intelligent'"),
        ({"amplify": "intelligent", "threshold_k": 1.0}, "belongs to threshold='mean_std'"),
        ({"amplify": "random", "window": [0.9, 0.1]}, r"window must be \[first, last\]"),
        ({"amplify": "random", "factor": 0.5}, "factor must be greater than or equal to 1"),
        ({"amplify": "rand"}, "amplify must be 'off', 'random', 'intelligent' or 'own'"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(arm, message):
    """With the setting, the rule and the value."""
    with pytest.raises(ConfigError, match=message):
        study(networks=["simple_cnn"], arms=[arm])
