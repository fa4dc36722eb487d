"""The steady-state genetic algorithm on a ladder."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.records import genome_of_default
from tests.support.synthetic import any_fitness, completed, failed, step
from vlga.config.load import load_config
from vlga.config.settings import PopulationConfig
from vlga.genetics.space import SearchSpace
from vlga.networks.phenotype import decode
from vlga.ports.evaluation import FailureReason
from vlga.strategies import Ladder, make_strategy
from vlga.strategies.base import training_seed
from vlga.strategies.space_base import StrategySettings

SIZE = 4


def make(*more, seed=0, founders=()):
    config = load_config(
        settings=["strategy=ladder", "training.epochs=9", "budget.evaluations=1000", *more],
        overrides={
            "seed": seed,
            "population.size": SIZE,
            "population.founders": [one.to_dict() for one in founders],
        },
    )
    return make_strategy(config, (1, 16, 16), 10)


def walk(strategy, n, fitness=any_fitness, epochs=None):
    """Ask and tell so many candidates one by one, or so many epochs; give them."""
    costs, walked = strategy.settings.rung_epochs, []
    while len(walked) < n:
        candidates = strategy.ask(1, epochs)
        if not candidates:
            break
        walked += candidates
        strategy.tell(completed(candidates[0], fitness(candidates[0])))
        if epochs is not None:
            epochs -= costs[candidates[0].rung]
    return walked


class TestPromotions:
    def test_are_the_same_network_trained_on(self):
        """From its parent's weights, a rung higher, with another seed; all others train anew."""
        strategy = make()
        walked = walk(strategy, 100)
        by_id = {one.id: one for one in walked}

        for one in walked:
            if one.operator == "promote":
                parent = by_id[one.parents[0]]
                assert (one.genome, one.fingerprint) == (parent.genome, parent.fingerprint)
                assert (one.rung, one.weights_from) == (parent.rung + 1, parent.id)
                assert strategy.training_seed(one) != strategy.training_seed(parent)
            else:
                assert (one.rung, one.weights_from) == (0, None)
                seed = training_seed(0, one.fingerprint)
                assert strategy.training_seed(one) == seed

    def test_are_a_third_of_each_rung_and_some_that_were_among_it_once(self):
        """Who has gone up is not called back when better ones come."""
        count = Counter(one.rung for one in walk(make(), 200))

        assert count[0] // 3 <= count[1] < count[0] // 2
        assert count[1] // 3 <= count[2] < count[1] // 2

    def test_begin_anew_where_nothing_is_inherited(self):
        """They are then as long as all their rungs together."""
        strategy = make("training.inherit_weights=false")

        assert strategy.settings.rung_epochs == (1, 3, 9)
        assert {one.weights_from for one in walk(strategy, 60)} == {None}

    def test_there_are_none_on_a_single_rung(self):
        """It is then a steady state of whole trainings."""
        assert {one.rung for one in walk(make("population.rungs=1"), 60)} == {0}

    def test_no_network_goes_up_twice(self):
        """Nor does any in an asynchronous search whose outcomes are late."""
        strategy, out, seen = make(), [], Counter()
        for _ in range(150):
            out += strategy.ask(7 - len(out))
            one = out.pop(0)
            seen[one.fingerprint, one.rung] += 1
            strategy.tell(completed(one, any_fitness(one)))

        assert max(seen.values()) == 1


class TestBudget:
    @settings(max_examples=20)
    @given(st.integers(9, 80), st.integers(0, 5))
    def test_of_epochs_is_used_to_the_last_and_never_exceeded(self, epochs, seed):
        """Promotions count what they train."""
        strategy = make(seed=seed)
        walked = walk(strategy, 1000, epochs=epochs)

        assert sum(strategy.settings.rung_epochs[one.rung] for one in walked) == epochs
        assert not strategy.finished

    def test_at_its_end_goes_to_who_is_on_the_way_up(self):
        """The last nine epochs train nobody new while somebody can go up."""
        walked = walk(make(), 1000, epochs=36)
        ended, costs = 36, (1, 2, 6)
        for one in walked:
            if ended < 9 and one.rung == 0:
                assert ended < 2
            ended -= costs[one.rung]

        assert max(one.rung for one in walked) == 2

    def test_asked_for_several_shares_what_is_left(self):
        """Eight workers get no more together than there is."""
        strategy = make()

        assert len(strategy.ask(8, 3)) == 3
        assert not strategy.finished


class TestFounders:
    def test_that_are_given_come_first(self):
        """In their order, then as many drawn ones as a population has."""
        given_ = [genome_of_default(1), genome_of_default(2)]
        walked = [one for one in walk(make(founders=given_), 12) if one.operator != "promote"]

        assert [one.operator for one in walked[: SIZE + 2]] == ["given"] * 2 + ["sample"] * SIZE
        assert [one.genome for one in walked[:2]] == given_
        assert walked[SIZE + 2].operator != "sample"

    def test_that_fail_are_replaced(self):
        """By drawn ones."""
        strategy = make()
        for _ in range(3):
            strategy.tell(failed(strategy.ask(1)[0]))
        walked = [one for one in walk(strategy, 12) if one.operator != "promote"]

        assert [one.operator for one in walked[:SIZE]] == ["sample"] * SIZE
        assert walked[SIZE].parents

    def test_that_are_given_go_before_the_others_in_every_strategy_without_generations(self):
        """Also in random search."""
        for name in (
            "random_search",
            "steady_state",
            "regularized_evolution",
            "one_epoch_then_best",
            "optuna_tpe",
            "optuna_tpe_asha",
        ):
            strategy = make(f"strategy={name}", founders=[genome_of_default(1)])

            assert [one.operator for one in strategy.ask(2)] == ["given", "sample"]


class TestAlive:
    def test_are_the_most_valuable_each_once(self):
        """Whichever rung they have reached; the longer training stands for the network."""
        strategy = make()
        walk(strategy, 120)
        names = [one.candidate.fingerprint for one in strategy.alive]

        assert len(names) == len(set(names)) == SIZE
        assert {one.candidate.rung for one in strategy.alive} - {0}

    @pytest.mark.parametrize("reason", FailureReason)
    def test_who_fails_when_it_is_trained_on_lives_on_only_if_it_was_the_machine_s_fault(
        self, reason
    ):
        """A network that diverges or takes too long is no parent."""
        strategy = make()
        while True:
            (one,) = strategy.ask(1)
            if one.operator == "promote" and one.parents[0] in {a.id for a in strategy.alive}:
                break
            strategy.tell(completed(one, any_fitness(one)))
        strategy.tell(failed(one, reason))

        lives = one.parents[0] in {individual.id for individual in strategy.alive}
        assert lives == (reason in (FailureReason.WORKER_LOST, FailureReason.ERROR))

    def test_parents_are_those_alive_and_those_on_their_way_up(self):
        """Their weights are kept."""
        strategy = make()
        walk(strategy, 60)
        before = set(strategy.parents)

        assert {one.id for one in strategy.alive} <= before
        while (one := step(strategy)).operator != "promote":
            before = set(strategy.parents)
        assert one.parents[0] in before


class Places:
    """Genomes of any genes, described by the number in each of them."""

    def fingerprint(self, genome):
        return f"{int(''.join(map(str, self.features(genome)[1]))):016d}"

    def costs(self, _genome):
        return ()

    def parameters_per_mac(self, _genome):
        return 0.0

    def silent_genes(self, _genome):
        return ()

    def features(self, genome):
        return (), tuple(genome.genes().values())


class Sized(Places):
    """Those with more in their first place have more parameters, those with 7 or more enough."""

    def parameters_per_mac(self, genome):
        return genome.genes()["x"] / 7 / 32


@pytest.mark.parametrize(
    ("objectives", "n_drawn"), [(("fitness",), 3), (("fitness", "parameters"), 1)]
)
def test_of_three_drawn_the_largest_is_tried_unless_small_ones_are_wanted(objectives, n_drawn):
    """By its place: the largest of n of ten is below k in (k / 10) ** n of all cases.

    Of those that are large enough each is as likely as the others.
    """
    space = SearchSpace.from_alleles({"x": [*range(10)]}, {"u": [*range(3000)]})
    population = PopulationConfig(size=400, max_blocks=1)
    settings_ = StrategySettings(0, population, objectives=objectives)
    drawn = Ladder(space, settings_, Sized()).ask(400)

    places = [one.genome.genes()["x"] for one in drawn]
    for k in (3, 5, 7):
        share = sum(place < k for place in places) / len(places)
        assert share == pytest.approx((k / 10) ** n_drawn, abs=0.08)
    large = [place for place in places if place >= 7]
    assert sum(large) / len(large) == pytest.approx(8, abs=0.15)


class TestScreen:
    SCREENED = "population.screen=16"

    def test_finds_better_ones_where_they_can_be_foreseen(self):
        """In the mean over eight searches for one of 4,096 places, after 40."""
        digits = [*range(8)]
        space = SearchSpace.from_alleles({"x": digits, "y": digits, "z": digits}, {"u": digits})

        def mean_best(screen):
            found = []
            for seed in range(8):
                population = PopulationConfig(size=SIZE, max_blocks=1, screen=screen)
                strategy = Ladder(space, StrategySettings(seed, population), Places())
                walk(strategy, 40, lambda one: 1 - sum(one.genome.genes().values()) / 28)
                found.append(strategy.best.accuracy)
            return sum(found) / len(found)

        assert mean_best(16) > mean_best(1) + 0.03

    def test_decides_again_as_it_did(self):
        """The same seed and outcomes give the same candidates, failures and promotions included."""

        def outcomes():
            strategy, walked = make(self.SCREENED), []
            for _ in range(30):
                walked += strategy.ask(1)
                is_failure = walked[-1].id % 7 == 3
                strategy.tell(
                    failed(walked[-1])
                    if is_failure
                    else completed(walked[-1], any_fitness(walked[-1]))
                )
            return walked

        first = outcomes()
        assert first == outcomes()
        assert {one.rung for one in first} == {0, 1, 2}

    def test_is_off_if_one_child_is_made(self):
        """Nothing is learned of networks then."""
        strategy = make("population.screen=1")
        walk(strategy, 30)

        assert strategy._known == {}


def test_with_several_objectives_small_networks_are_trained_on_too():
    """Where fitness goes with size: the ends of the front go up, and a recall goes on likewise."""

    def size_of(candidate):
        return decode(candidate.genome, (1, 16, 16), 10).n_parameters

    def told(strategy, candidate):
        n = size_of(candidate)
        strategy.tell(completed(candidate, min(0.99, 0.1 + n / 1e6), n_parameters=n))

    def climb(*settings):
        strategy, walked = make(*settings), []
        for _ in range(120):
            walked += strategy.ask(1)
            told(strategy, walked[-1])
        return strategy, walked

    strategy, walked = climb("objectives=[fitness,parameters]")
    again = make("objectives=[fitness,parameters]")
    again.recall(walked)
    for one in walked:
        told(again, one)
    fittest_alone = [size_of(one) for one in climb()[1] if one.rung == 2]
    sizes = [size_of(one) for one in walked if one.rung == 2]

    assert min(sizes) < min(fittest_alone) / 4
    assert max(sizes) > 4 * min(sizes)
    assert again.ask(1) == strategy.ask(1)
