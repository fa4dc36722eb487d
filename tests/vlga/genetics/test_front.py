"""The Pareto front, and the order of NSGA-II."""

import math
from types import SimpleNamespace

from deap import base, tools
from hypothesis import given
from hypothesis import strategies as st

from vlga.genetics.front import pareto_front
from vlga.genetics.nsga2 import selection_ranks

#: Few different numbers, so that many are equal.
_NUMBERS = st.one_of(st.integers(0, 4).map(float), st.floats(-9, 9))


def points(n_objectives):
    """Give lists of values of so many objectives."""
    return st.lists(st.tuples(*[_NUMBERS] * n_objectives), max_size=20)


populations = st.integers(2, 3).flatmap(points)


def exceeds(first, second):
    """Say from the definition whether one is nowhere worse and somewhere better."""
    pairs = [*zip(first, second, strict=True)]
    return all(one >= other for one, other in pairs) and first != second


class TestParetoFront:
    @given(populations)
    def test_has_whom_nobody_exceeds_each_once_the_best_first(self, values):
        """By the definition, from the highest first value to the lowest."""
        expected = {one for one in values if not any(exceeds(other, one) for other in values)}

        front = pareto_front(values, lambda one: one)

        assert front == sorted(expected, reverse=True)

    def test_of_equals_it_has_the_first(self):
        """Whoever comes before the other."""
        members = [("late", (1.0, 1.0)), ("early", (1.0, 1.0)), ("poor", (0.0, 1.0))]

        assert pareto_front(members, lambda one: one[1]) == [members[0]]


class TestSelectionRanks:
    @given(populations)
    def test_the_first_front_has_whom_nobody_exceeds_and_so_on_without_it(self, values):
        """Each front by the definition, from those that the fronts before it leave."""
        rest = [*zip(values, selection_ranks(values), strict=True)]
        number = 0
        while rest:
            front = [one for one in rest if not any(exceeds(two[0], one[0]) for two in rest)]
            assert {rank[0] for _, rank in front} == {-number}
            rest = [one for one in rest if one not in front]
            number += 1

    def test_on_a_front_the_lonelier_ranks_higher_and_the_ends_highest(self):
        """Worked by hand: half of the sum of the gaps between both neighbours, in shares."""
        ranks = selection_ranks([(0.0, 4.0), (1.0, 3.0), (3.0, 1.0), (4.0, 0.0), (0.0, 0.0)])

        assert ranks == [(0, math.inf), (0, 0.75), (0, 0.75), (0, math.inf), (-1, math.inf)]

    @given(populations, st.data())
    def test_they_select_as_deap_s_selection_does(self, values, data):
        """Who is far from others may be one of several equals, but is as far."""
        n = data.draw(st.integers(0, len(values)))
        mine = sorted(selection_ranks(values), reverse=True)[:n]

        class Fitness(base.Fitness):
            weights = (1.0,) * (len(values[0]) if values else 1)

        members = [
            SimpleNamespace(fitness=Fitness(own), place=place) for place, own in enumerate(values)
        ]
        chosen = tools.selNSGA2(members, n, nd="log")

        assert sorted(rank for _, rank in mine) == sorted(
            one.fitness.crowding_dist for one in chosen
        )
