"""The operators that choose: who survives and who becomes a parent."""

import random
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, populations
from tests.support.synthetic import Coins, individual
from vlga.genetics.sampling import sample
from vlga.genetics.selection import choose_parents, survivors, tournament
from vlga.ports.candidate import Candidate, best_of


def people(*accuracies):
    """Give individuals with these accuracies and ids 0, 1, 2..."""
    genome = sample(PRESETS["default"], Random(0))
    return [
        individual(Candidate(number, genome, "f", 0, 0, (), "sample"), accuracy)
        for number, accuracy in enumerate(accuracies)
    ]


class TestSurvivors:
    @given(st.data(), populations(), st.floats(0.01, 1), st.floats(0, 1), st.integers())
    def test_are_some_of_the_population_in_any_order_of_it(
        self, data, population, fraction, probability, seed
    ):
        """A subset without repeats; who survives depends on fitness and dice, not on places."""
        elite, lucky = survivors(population, fraction, probability, Random(seed))
        shuffled = data.draw(st.permutations(population))

        assert {one.id for one in (*elite, *lucky)} <= {one.id for one in population}
        assert len({one.id for one in (*elite, *lucky)}) == len(elite) + len(lucky)
        assert survivors(shuffled, fraction, probability, Random(seed)) == (elite, lucky)

    @given(populations(), st.floats(0.01, 1), st.floats(0, 1), st.randoms())
    def test_the_elite_are_the_fittest(self, population, fraction, probability, rng):
        """The right number of them, the best first, and nobody left out who is fitter."""
        elite, lucky = survivors(population, fraction, probability, rng)
        others = [one for one in population if one not in elite]

        assert len(elite) == max(1, round(fraction * len(population)))
        assert elite[0] == best_of(population)
        for ranked in (elite, lucky):
            assert [*ranked] == sorted(ranked, key=lambda one: (-one.accuracy, one.id))
        assert min(one.accuracy for one in elite) >= max(
            (one.accuracy for one in others), default=0
        )

    @given(populations(), st.floats(0.01, 1), st.randoms())
    def test_chance_zero_spares_none_of_the_others_and_chance_one_all(
        self, population, fraction, rng
    ):
        """The two ends of the probability."""
        assert survivors(population, fraction, 0, rng)[1] == ()
        assert sum(map(len, survivors(population, fraction, 1, rng))) == len(population)

    @given(populations(), st.integers())
    def test_leave_the_population_and_the_global_random_alone(self, population, seed):
        """As every operator."""
        before, state = [*population], random.getstate()
        survivors(population, 0.5, 0.5, Random(seed))

        assert population == before
        assert random.getstate() == state

    def test_of_equals_the_one_made_first_counts_as_fitter(self):
        """Worked by hand: half of four, by accuracy, then by id."""
        elite, lucky = survivors(people(0.5, 0.9, 0.5, 0.5), 0.5, 1.0, Random(0))

        assert [one.id for one in elite] == [1, 0]
        assert [one.id for one in lucky] == [2, 3]

    def test_each_of_the_others_has_its_own_chance(self):
        """Dice by rank: the first and the third of the less fit fall below 0.2."""
        _, lucky = survivors(people(*[0.9] * 3, 0.1, 0.2, 0.3), 0.5, 0.2, Coins(0.1, 0.2, 0.19))

        assert [one.accuracy for one in lucky] == [0.3, 0.1]

    @pytest.mark.parametrize(("fraction", "n_elite"), [(0.01, 1), (0.5, 5), (0.55, 6), (1.0, 10)])
    def test_the_elite_s_number_is_rounded_and_at_least_one(self, fraction, n_elite):
        """A share of ten individuals."""
        assert len(survivors(people(*[0.5] * 10), fraction, 0, Random(0))[0]) == n_elite


class TestChooseParents:
    @given(st.integers(2, 50), st.randoms())
    def test_are_two_different_ones(self, n, rng):
        """Nobody is crossed with itself where there is another."""
        first, second = choose_parents(n, rng)

        assert first != second
        assert {first, second} <= set(range(n))

    def test_are_the_same_one_where_there_is_no_other(self):
        """A lone survivor goes on by itself."""
        assert choose_parents(1, Random(0)) == (0, 0)

    def test_every_pair_is_chosen_equally_often(self):
        """Fitness plays no part: the paper draws parents uniformly."""
        rng, n = Random(0), 6000
        counts = Counter(choose_parents(4, rng) for _ in range(n))

        assert len(counts) == 12
        for pair, count in counts.items():
            assert count / n == pytest.approx(1 / 12, abs=0.02), pair


@given(populations(), st.integers(0, 9))
def test_an_individual_s_other_fields_play_no_part_in_selection(population, seed):
    """Only accuracy and id count."""
    renamed = [
        replace(one, candidate=replace(one.candidate, operator="grow", generation=9))
        for one in population
    ]
    elite, lucky = survivors(population, 0.5, 0.5, Random(seed))

    assert [[one.id for one in group] for group in survivors(renamed, 0.5, 0.5, Random(seed))] == [
        [one.id for one in elite],
        [one.id for one in lucky],
    ]


class TestTournament:
    @given(st.data(), populations(), st.integers(1, 5), st.integers())
    def test_gives_one_of_the_population_in_any_order_of_it(self, data, population, n_drawn, seed):
        """Who wins depends on fitness and dice, not on places."""
        winner = tournament(population, n_drawn, Random(seed))
        shuffled = data.draw(st.permutations(population))

        assert winner in population
        assert tournament(shuffled, n_drawn, Random(seed)) == winner

    def test_is_won_by_the_fittest_drawn(self):
        """Of three drawn from four, each from all: the k-th fittest wins as often as it should."""
        rng, n = Random(0), 6000
        four = people(0.4, 0.3, 0.2, 0.1)
        wins = Counter(tournament(four, 3, rng).id for _ in range(n))

        for place in range(4):
            expected = ((4 - place) ** 3 - (3 - place) ** 3) / 4**3
            assert wins[place] / n == pytest.approx(expected, abs=0.02)

    def test_of_equals_the_one_made_first_wins(self):
        """With two of two drawn often, the second wins only when drawn alone."""
        rng, n = Random(0), 2000
        wins = Counter(tournament(people(0.5, 0.5), 2, rng).id for _ in range(n))

        assert wins[1] / n == pytest.approx(1 / 4, abs=0.03)

    def test_leaves_the_global_random_alone(self):
        """DEAP's own draws from it."""
        random.seed(1)
        state = random.getstate()
        tournament(people(0.1, 0.2), 3, Random(0))

        assert random.getstate() == state
