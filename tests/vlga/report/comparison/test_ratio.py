"""Which share of a budget one strategy needs for what another reaches, on made-up curves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlga.report.best_so_far import best_of_those_that_may_win
from vlga.report.comparison.ratio import BudgetRatio, budget_ratio


def ratio(first, other):
    """Compare curves given by seed."""
    return budget_ratio("a", "b", {"a": dict(enumerate(first)), "b": dict(enumerate(other))})


def late(end, level):
    """Give a search that has its accuracy only in the end."""
    return [(end, level)]


class TestShare:
    def test_is_where_the_mean_first_reaches_the_mean_of_the_other_s_end(self):
        """The means are 0.5, 0.6 and 0.8 after 10, 30 and 40 epochs; the other has 0.6 at 120."""
        first = [[(10, 0.5), (30, 0.7), (40, 0.9)], [(10, 0.5), (40, 0.7)]]
        found = ratio(first, [late(100, 0.5), late(140, 0.7)])

        assert found == BudgetRatio("a", "b", 30 / 120, None, None, 2)

    def test_may_be_above_1(self):
        """The first one had more epochs, and needed them."""
        assert ratio([[(10, 0.1), (200, 0.9)]], [late(100, 0.5)]).share == 2.0

    def test_is_none_if_the_level_is_never_reached(self):
        """Which the sentence says."""
        found = ratio([[(10, 0.1), (100, 0.4)]], [late(100, 0.5)])

        assert found.share is None
        assert str(found) == "the fitness of b is not reached by a"

    def test_counts_only_seeds_that_both_have(self):
        """A seed of one alone would compare other splits of chance."""
        curves = {"a": {0: late(10, 0.9), 1: late(10, 0.0)}, "b": {0: late(20, 0.5), 2: []}}

        assert budget_ratio("a", "b", curves) == BudgetRatio("a", "b", 0.5, None, None, 1)

    @pytest.mark.parametrize("curves", [{}, {"a": {0: late(1, 0.5)}, "b": {1: late(1, 0.5)}}])
    def test_of_nothing_in_common_there_is_none(self, curves):
        """Nothing to speak of."""
        assert budget_ratio("a", "b", curves) is None


class TestInterval:
    def test_is_a_point_where_all_seeds_are_alike(self):
        """Any resample is the same."""
        first, other = [[(10, 0.2), (50, 0.8)]] * 5, [late(100, 0.7)] * 5

        assert ratio(first, other) == BudgetRatio("a", "b", 0.5, 0.5, 0.5, 5)

    def test_goes_from_the_luckiest_resamples_to_the_unluckiest(self):
        """One seed of four is slow: in a third of the resamples it is missing, or there twice."""
        quick, slow = [(10, 0.0), (20, 1.0)], [(10, 0.0), (80, 1.0)]
        found = ratio([quick, quick, quick, slow], [late(100, 0.7)] * 4)

        assert (found.share, found.low, found.high) == (0.2, 0.2, 0.8)
        assert str(found) == (
            "for the fitness of b, a needs 0.20 of its epochs (95 % interval 0.20 to 0.80, 4 seeds)"
        )

    def test_ends_with_never_where_some_resamples_do_not_get_there(self):
        """A seed that stays behind is drawn twice."""
        found = ratio([[(10, 0.9)], [(10, 0.9)], [(10, 0.3)]], [late(20, 0.6)] * 3)

        assert (found.share, found.low, found.high) == (0.5, 0.5, None)
        assert "95 % interval 0.50 to never, 3 seeds" in str(found)

    @given(
        st.lists(
            st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1, max_size=6),
            min_size=3,
            max_size=6,
        )
    )
    def test_is_the_same_each_time_and_around_itself(self, searches):
        """Beside itself a strategy never needs more than its own end."""
        curves = [
            best_of_those_that_may_win([(epochs, fitness, 0) for epochs, fitness in trainings])
            for trainings in searches
        ]
        found = ratio(curves, curves)

        assert found == ratio(curves, curves)
        assert found.share is not None
        assert found.low is not None


class TestBestOfThoseThatMayWin:
    def test_begins_anew_where_a_rung_is_reached(self):
        """Whoever is on a rung below can no longer win; who fails there changes nothing."""
        trainings = [(1, 0.5, 0), (1, 0.8, 0), (2, None, 1), (2, 0.7, 1), (1, 0.9, 0), (2, 0.75, 1)]

        assert best_of_those_that_may_win(trainings) == [(1, 0.5), (2, 0.8), (6, 0.7), (9, 0.75)]

    def test_goes_on_to_the_end(self):
        """A point where the search ends, whatever came of it."""
        assert best_of_those_that_may_win([(3, 0.5, 0), (3, None, 0)]) == [(3, 0.5), (6, 0.5)]
        assert best_of_those_that_may_win([(3, None, 0)]) == []
