"""The arithmetic of a comparison, against figures worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlga.report.best_so_far import Band, band, best_so_far
from vlga.report.comparison.summary import Difference, difference, summaries


def outcome(strategy, seed, test_accuracy=0.5, **others):
    """Give a completed search."""
    return {
        "strategy": strategy,
        "seed": seed,
        "status": "completed",
        "fitness": 0.75,
        "test_accuracy": test_accuracy,
        "evaluations": 40,
        "epochs": 120,
        "seconds": 30.0,
        "failures": 0,
        "ended_early": False,
        "taken_over": 2,
        "depth": 4,
        "parameters": 1000,
        **others,
    }


class TestSummaries:
    def test_are_means_of_searches_and_medians_of_winners(self):
        """With the sample standard deviation: that of 0.25 and 0.75 is the root of 1/8."""
        first = outcome("a", 0, 0.25, epochs=60, failures=3, depth=2, parameters=10)
        second = outcome("a", 1, 0.75, ended_early=True, depth=5, parameters=50)

        assert summaries([first, second], ["a"]) == [
            {
                "strategy": "a",
                "finished": 2,
                "unfinished": 0,
                "fitness": 0.75,
                "fitness_sd": 0.0,
                "test_accuracy": 0.5,
                "test_accuracy_sd": pytest.approx(0.125**0.5),
                "tested": 2,
                "evaluations": 40,
                "epochs": 90,
                "seconds": 30.0,
                "failures": 1.5,
                "ended_early": 1,
                "taken_over": 4,
                "depth": 3.5,
                "parameters": 30,
            }
        ]

    def test_of_one_seed_have_no_deviation(self):
        """One value has no spread, which is not a spread of 0."""
        (row,) = summaries([outcome("a", 0)], ["a"])

        assert (row["test_accuracy"], row["test_accuracy_sd"]) == (0.5, None)

    def test_leave_out_what_is_not_complete(self):
        """It is counted, but a search that was cut short has not shown what it can do."""
        cut = outcome("a", 1, 1.0, status="interrupted")
        (row,) = summaries([outcome("a", 0), cut], ["a"])

        assert (row["finished"], row["unfinished"], row["test_accuracy"]) == (1, 1, 0.5)

    def test_are_in_the_order_asked_for_also_of_nothing(self):
        """A strategy without a completed search has a row without figures."""
        rows = summaries([outcome("a", 0), outcome("b", 0, status="failed")], ["b", "a"])

        assert [row["strategy"] for row in rows] == ["b", "a"]
        assert (rows[0]["finished"], rows[0]["epochs"], rows[0]["depth"]) == (0, None, None)

    def test_say_how_many_winners_were_tested(self):
        """A winner whose longer training failed has no test accuracy."""
        (row,) = summaries([outcome("a", 0), outcome("a", 1, None)], ["a"])

        assert (row["finished"], row["tested"], row["test_accuracy"]) == (2, 1, 0.5)


class TestDifference:
    def test_is_paired_over_the_seeds(self):
        """Gaps 0.25, 0.5 and 0 have the mean 0.25 and the standard error 0.25 / root of 3."""
        pairs = [(0.5, 0.25), (1.0, 0.5), (0.25, 0.25)]
        searches = [outcome("worst", seed, 0.0) for seed in range(3)]
        for seed, (good, less) in enumerate(pairs):
            searches += [outcome("less", seed, less), outcome("good", seed, good)]

        found = difference(searches)

        assert (found.first, found.second, found.pairs) == ("good", "less", 3)
        assert found.mean == pytest.approx(0.25)
        assert found.standard_error == pytest.approx(0.25 / 3**0.5)
        assert not found.is_clear
        assert str(found) == (
            "no clear difference between the best two: good is ahead of less by 0.2500 ± 0.1443 "
            "on the test images (mean and standard error of 3 seeds)"
        )

    @pytest.mark.parametrize(
        ("mean", "error", "pairs", "is_clear"),
        [
            (0.28, 0.1, 5, True),
            (0.27, 0.1, 5, False),
            (-0.28, 0.1, 5, True),
            (0.1, 0.0, 3, True),
            (0.0, 0.0, 3, False),
            (0.2, 0.01, 2, False),
            (0.2, None, 1, False),
        ],
    )
    def test_is_clear_by_student_s_t(self, mean, error, pairs, is_clear):
        """Of three pairs at least; no difference at all is not clear either."""
        assert Difference("a", "b", mean, error, pairs).is_clear == is_clear

    def test_says_who_is_better(self):
        """Also where the pairs say the opposite of the means over all seeds."""
        better, worse = Difference("a", "b", 0.3, 0.1, 5), Difference("a", "b", -0.3, 0.1, 5)
        end = "by 0.3000 ± 0.1000 on the test images (mean and standard error of 5 seeds)"

        assert str(better) == f"a is better than b {end}"
        assert str(worse) == f"b is better than a {end}"

    def test_of_too_few_seeds_says_so(self):
        """One seed has no standard error, and that of two means nothing."""
        one = difference([outcome("a", 0, 0.5), outcome("b", 0, 0.25)])
        two = Difference("a", "b", 0.25, 0.01, 2)

        assert str(one) == (
            "1 seed cannot tell the best two apart: a is ahead of b by 0.2500 on the test images"
        )
        assert str(two).startswith("2 seeds cannot tell the best two apart: a is ahead of b by")

    @pytest.mark.parametrize(
        "searches",
        [
            [],
            [outcome("a", 0)],
            [outcome("a", 0), outcome("b", 1)],
            [outcome("a", 0), outcome("b", 0, None)],
            [outcome("a", 0), outcome("b", 0, status="failed")],
        ],
        ids=["nothing", "one", "other seeds", "not tested", "not complete"],
    )
    def test_needs_two_with_the_same_seed(self, searches):
        """Otherwise there is none to speak of."""
        assert difference(searches) is None


class TestBestSoFar:
    def test_rises_where_a_training_is_better(self):
        """Epochs are counted on by failures and by worse networks; the end is a point too."""
        trainings = [(3, None), (3, 0.5), (2, 0.5), (3, 0.75), (1, 0.25)]

        assert best_so_far(trainings) == [(6, 0.5), (11, 0.75), (12, 0.75)]

    @pytest.mark.parametrize("trainings", [[], [(3, None)]])
    def test_of_nothing_is_nothing(self, trainings):
        """Where nothing completed there is no accuracy to draw."""
        assert best_so_far(trainings) == []

    @given(st.lists(st.tuples(st.integers(1, 9), st.none() | st.floats(0, 1)), max_size=30))
    def test_never_falls_and_ends_with_the_best(self, trainings):
        """Whatever the order of outcomes."""
        steps = best_so_far(trainings)
        completed = [fitness for _, fitness in trainings if fitness is not None]

        assert steps == sorted(steps)
        assert [fitness for _, fitness in steps] == sorted(fitness for _, fitness in steps)
        if completed:
            assert steps[-1] == (sum(epochs for epochs, _ in trainings), max(completed))


class TestBand:
    def test_is_the_mean_from_where_all_have_begun(self):
        """At every step of any; a search that has ended keeps its best."""
        found = band([[(2, 0.25), (6, 0.75), (8, 0.75)], [(3, 0.5), (4, 1.0)]])

        assert found == Band(
            epochs=(3, 4, 6, 8),
            mean=(0.375, 0.625, 0.875, 0.875),
            low=(0.25, 0.25, 0.75, 0.75),
            high=(0.5, 1.0, 1.0, 1.0),
        )

    def test_leaves_out_searches_without_an_accuracy(self):
        """And is nothing without any."""
        assert band([[], [(2, 0.5)]]) == Band((2,), (0.5,), (0.5,), (0.5,))
        assert band([[]]) is None
        assert band([]) is None
