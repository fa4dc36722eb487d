from dataclasses import replace

import pytest

from tests.support.records import evaluation
from vlga.config.load import load_config
from vlga.execution.budget import Budget
from vlga.ports.evaluation import FailureReason


def budget(*settings, n_trained=0, elapsed=0.0):
    limits = [f"budget.{setting}" for setting in settings]
    every = [f"budget.{name}={value}" for name, value in (("seconds", 1e9), ("phases", 99))]
    config = load_config(
        settings=["training.epochs=3", "population.rungs=1", "final.epochs=0", *every, *limits]
    )
    return Budget(config, lambda: elapsed, n_trained, 3 * n_trained)


@pytest.mark.parametrize(
    ("settings", "n_trained", "left"),
    [
        ((), 10**6, None),
        (("evaluations=7",), 0, 7),
        (("evaluations=7",), 7, 0),
        (("evaluations=7",), 9, 0),
        (("epochs=10",), 0, 3),
        (("epochs=10",), 2, 1),
        (("epochs=10", "evaluations=7"), 1, 2),
        (("epochs=30", "evaluations=7"), 1, 6),
    ],
)
def test_trainings_left(settings, n_trained, left):
    """The tighter of both counts, whole trainings only, never below 0."""
    assert budget(*settings, n_trained=n_trained).trainings_left == left


@pytest.mark.parametrize(
    ("elapsed", "left", "spent"), [(0.0, 9.0, False), (8.5, 0.5, False), (9.0, 0, True), (99, 0, 1)]
)
def test_seconds_left(elapsed, left, spent):
    """Wall time counts down to 0 and stays there; then the budget is spent."""
    one = budget("seconds=9", elapsed=elapsed)

    assert one.seconds_left == left
    assert one.spent == spent


@pytest.mark.parametrize(("epochs", "fraction", "left"), [(30, 0.4, 6), (30, 0, 10), (0, 0.4, 10)])
def test_a_share_of_the_time_is_kept_for_the_winner_s_longer_training(epochs, fraction, left):
    """If there is to be one: what is allowed covers both."""
    settings = [f"final.epochs={epochs}", f"final.time_fraction={fraction}", "budget.seconds=10"]

    assert Budget(load_config(settings=settings), lambda: 0.0).seconds_left == left


class TestAffordableEpochs:
    """What may start is what is likely to end in time."""

    def told(self, *settings, elapsed, paces):
        one = budget(*settings, elapsed=elapsed)
        for seconds in paces:
            one.learn(replace(evaluation(0), train_seconds=2 * seconds))
        return one

    @pytest.mark.parametrize(("elapsed", "affordable"), [(0, 10), (60, 4), (80, 2), (100, 0)])
    def test_by_the_pace_of_the_slower_ones(self, elapsed, affordable):
        """Three in four are as fast as 10 s an epoch."""
        paces = (1, 2, 10, 10, 30)
        one = self.told("seconds=100", elapsed=elapsed, paces=paces)

        assert one.affordable_epochs == affordable
        assert one.spent == (affordable < 3)  # a training has three epochs

    def test_or_by_what_is_left_of_the_epochs(self):
        """Whichever is less."""
        one = self.told("seconds=100", "epochs=30", elapsed=0, paces=(1, 1, 1))

        assert one.affordable_epochs == 30

    @pytest.mark.parametrize(("settings", "paces"), [(("seconds=100",), (1, 1)), ((), (1, 1, 1))])
    def test_unknown_without_a_pace_or_a_limit(self, settings, paces):
        """Two trainings say little; the time of 1e9 s is for more than anybody trains."""
        affordable = self.told(*settings, elapsed=0, paces=paces).affordable_epochs

        assert affordable is None or affordable > 10**8

    def test_what_failed_or_took_no_time_has_no_pace(self):
        """A failure may have come at once, and what is taken over from elsewhere has no time."""
        one = budget("seconds=100")
        failed = evaluation(0, reason=FailureReason.DIVERGED)
        for _ in range(9):
            one.learn(failed)
            one.learn(replace(evaluation(0), train_seconds=0.0))

        assert one.affordable_epochs is None


def test_no_more_is_kept_than_the_longer_training_can_need():
    """Eight hours would leave three for a training of a minute."""
    settings = ["final.epochs=30", "final.time_fraction=0.4", "budget.seconds=1000"]
    one = Budget(load_config(settings=settings), lambda: 0.0)
    for seconds in (1, 2, 1):
        assert one.seconds_left == 600
        one.learn(replace(evaluation(0), train_seconds=2.0 * seconds))

    assert one.seconds_left == 1000 - 1.5 * 30 * 2
    assert one.done_fraction(0) == 0


def test_each_member_of_a_committee_may_need_as_much():
    """Two that are trained one after the other need twice the time of one, if there is so much."""
    for n_rounds, kept in ((1, 90), (2, 180), (8, 400)):
        settings = ["final.epochs=30", "final.time_fraction=0.4", "budget.seconds=1000"]
        one = Budget(load_config(settings=settings), lambda: 0.0, n_final_rounds=n_rounds)
        for _ in range(3):
            one.learn(replace(evaluation(0), train_seconds=4.0))

        assert one.seconds_left == 1000 - kept


def test_without_limits_it_is_never_spent():
    """A strategy may end by itself."""
    config = load_config(settings=["budget.phases=1"])
    unlimited = config.budget.model_copy(update={"seconds": None})
    one = Budget(config.model_copy(update={"budget": unlimited}), lambda: 1e9, 10**9)

    assert not one.spent
    assert one.seconds_left is None
    assert one.done_fraction(n_ended=5) is None


@pytest.mark.parametrize(
    ("settings", "n_ended", "elapsed", "share"),
    [
        (("evaluations=8",), 0, 0.0, 0.0),
        (("evaluations=8",), 2, 0.0, 0.25),
        (("evaluations=8",), 8, 0.0, 1.0),
        (("evaluations=8", "seconds=10"), 2, 9.0, 0.9),
        (("evaluations=8", "seconds=10"), 6, 1.0, 0.75),
        (("seconds=10",), 0, 12.0, 1.0),
        (("epochs=6",), 1, 0.0, 0.5),
    ],
)
def test_the_tightest_limit_tells_how_much_is_done(settings, n_ended, elapsed, share):
    """In [0, 1]; what is running counts as not done."""
    one = budget(*settings, n_trained=n_ended, elapsed=elapsed)

    assert one.done_fraction(n_ended) == pytest.approx(share)


@pytest.mark.parametrize(
    ("settings", "per_minute", "left"),
    [
        (("seconds=900",), None, 800.0),
        (("seconds=900", "evaluations=30"), 3.0, 500.0),
        (("seconds=900", "evaluations=30"), 1.0, 800.0),
        (("seconds=900", "epochs=36"), 3.0, 140.0),
        (("evaluations=30",), 3.0, 500.0),
        (("evaluations=7",), 3.0, 40.0),
        (("evaluations=7", "seconds=100"), 3.0, 0.0),
    ],
)
def test_expected_seconds_left(settings, per_minute, left):
    """After 100 s, 7 trainings started and 5 ended: by the clock, or by the pace if that is less.

    What has started counts until it has ended.
    """
    one = budget(*settings, n_trained=7, elapsed=100.0)

    assert one.expected_seconds_left(5, per_minute) == left


def test_expected_seconds_left_of_what_nobody_knows():
    """Without a limit of time, and without a limit of trainings or a pace, there is none."""
    one = budget("evaluations=7")
    unlimited = one.config.budget.model_copy(update={"seconds": None})
    one.config = one.config.model_copy(update={"budget": unlimited})

    assert one.expected_seconds_left(0, None) is None
    assert one.expected_seconds_left(0, 1.0) == 420.0


def test_trainings_of_several_lengths_are_counted_by_their_epochs():
    """What is left is as many as there may be of the shortest; shares go by the mean so far."""
    config = load_config(
        settings=["training.epochs=9", "budget.epochs=30", "budget.seconds=1e9", "budget.phases=99"]
    )
    one = Budget(config.model_copy(update={"strategy": "ladder"}), lambda: 0.0)
    for epochs in (1, 1, 2, 1, 6, 1):
        one.start(epochs)

    assert (one.n_trained, one.n_epochs, one.epochs_left, one.trainings_left) == (6, 12, 18, 18)
    assert one.done_fraction(n_ended=6) == pytest.approx(6 / (6 + 9))
    one.start(18)
    assert one.spent
