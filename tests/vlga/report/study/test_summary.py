"""A study's figures, worked out by hand."""

from __future__ import annotations

import pytest

from vlga.report.study.summary import (
    PLAIN,
    Run,
    arm_results,
    layer_histories,
    learning_curves,
)


def run(number, arm, seed, test, *, rate=0.1, network="net", **rest):
    """Give a training that ended; without a test accuracy it diverged."""
    reason = None if test is not None else "diverged"
    return Run(number, network, arm, rate, seed, test, test, reason, **rest)


TWO_ARMS = [
    run(0, PLAIN, 0, 0.80),
    run(1, "random", 0, 0.84),
    run(2, PLAIN, 1, 0.90),
    run(3, "random", 1, 0.96),
]


class TestArmResults:
    def test_compares_with_plain_seed_by_seed(self):
        """Mean +5 points; the standard error is that of the differences 4 and 6, not the arms'."""
        plain, amplified = arm_results(TWO_ARMS)

        assert (plain.test_accuracy, plain.minus_plain) == (pytest.approx(0.85), None)
        assert amplified.test_accuracy == pytest.approx(0.90)
        assert amplified.test_sd == pytest.approx(0.0849, abs=1e-4)
        assert amplified.minus_plain == pytest.approx(0.05)
        assert amplified.minus_plain_se == pytest.approx(0.01)
        assert amplified.verdict == "no clear difference"  # of two pairs five errors are not much

    def test_compares_within_a_network_and_a_learning_rate_only(self):
        """Each has a plain arm of its own."""
        others = [
            run(4, PLAIN, 0, 0.1, rate=0.2),
            run(5, "random", 0, 0.5, rate=0.2),
            run(6, "random", 0, 0.7, network="other"),
        ]
        rows = {
            (one.network, one.learning_rate, one.arm): one for one in arm_results(TWO_ARMS + others)
        }

        assert rows["net", 0.2, "random"].minus_plain == pytest.approx(0.4)
        assert rows["net", 0.2, "random"].minus_plain_se is None
        assert rows["other", 0.1, "random"].minus_plain is None

    def test_a_failed_training_is_counted_and_its_pair_left_out(self):
        """The other seeds still compare."""
        _, amplified = arm_results([*TWO_ARMS[:3], run(3, "random", 1, None)])

        assert (amplified.n_completed, amplified.n_failed) == (1, 1)
        assert amplified.minus_plain == pytest.approx(0.04)
        assert amplified.minus_plain_se is None

    @pytest.mark.parametrize(
        ("tests", "verdict"),
        [((0.84, 0.94), "better"), ((0.7, 0.8), "worse"), ((0.78, 0.93), "no clear difference"),
         ((0.8, 0.9), "no clear difference")],
    )  # fmt: skip
    def test_says_better_or_worse_where_it_is_clear(self, tests, verdict):
        """By Student's t; of two pairs hardly anything is."""
        runs = [*TWO_ARMS[::2], run(1, "random", 0, tests[0]), run(3, "random", 1, tests[1])]

        assert arm_results(runs)[1].verdict == verdict

    def test_rows_come_by_network_then_learning_rate(self):
        """Networks and arms as the study lists them."""
        trained = [("z", 0.2, PLAIN), ("z", 0.2, "random"), ("z", 0.1, PLAIN), ("a", 0.1, PLAIN)]
        runs = [
            run(number, arm, 0, 0.5, rate=rate, network=network)
            for number, (network, rate, arm) in enumerate(trained)
        ]
        rows = [(one.network, one.learning_rate, one.arm) for one in arm_results(runs)]

        assert rows == [trained[2], trained[0], trained[1], trained[3]]


def test_layers_are_averaged_over_seeds():
    """Measures where they were taken, and the share of seeds that amplified the layer."""
    first = [{"x": 0.5, "y": 0.1}, {}]
    second = [{"x": 0.7, "y": 0.3}, {}]
    runs = [
        run(0, "intelligent", 0, 0.8, amplified=[(), ("x",)], measures=first),
        run(1, "intelligent", 1, 0.8, amplified=[(), ("x", "y")], measures=second),
        run(2, PLAIN, 0, 0.8, amplified=[(), ()], measures=[{}, {}]),
    ]
    ((key, (x, y)),) = layer_histories(runs).items()

    assert key == ("net", 0.1, "intelligent")
    assert (x.layer, x.chosen, x.measures) == ("x", (0.0, 1.0), (pytest.approx(0.6), None))
    assert (y.layer, y.chosen, y.measures) == ("y", (0.0, 0.5), (pytest.approx(0.2), None))


def test_layers_come_as_they_are_numbered():
    """Whichever was drawn first."""
    layers = ("features.11", "features.4", "classifier", "features.4.conv")
    runs = [run(0, "random", 0, 0.8, amplified=[layers], measures=[{}])]
    (histories,) = layer_histories(runs).values()

    assert [one.layer for one in histories] == [
        "classifier", "features.4", "features.4.conv", "features.11",
    ]  # fmt: skip


def test_a_learning_curve_is_the_mean_over_the_seeds_that_completed():
    """By network and rate, then by arm; what failed or was not scored each epoch has none."""
    runs = [
        run(0, PLAIN, 0, 0.5, accuracies=(0.25, 0.5)),
        run(1, PLAIN, 1, 0.5, accuracies=(0.75, 1.0)),
        run(2, PLAIN, 2, None, accuracies=(0.0,)),
        run(3, "random", 0, 0.5, accuracies=(None, 0.5)),
        run(4, PLAIN, 0, 0.5, rate=0.2, accuracies=(0.5,)),
    ]

    assert learning_curves(runs) == {
        ("net", 0.1): {PLAIN: [0.5, 0.75]},
        ("net", 0.2): {PLAIN: [0.5]},
    }
