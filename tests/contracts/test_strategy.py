"""The contract of a strategy, kept by every one that is registered.

How each is resumed is in test_strategy_resume.py.
"""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.synthetic import (
    any_fitness,
    ask_round,
    completed,
    deeper_is_better,
    failed,
    ids,
    play,
)
from vlga.config.load import load_config
from vlga.config.strategies import KNOWN_NETWORKS, PHASED
from vlga.errors import ProtocolError, TooManyFailures
from vlga.networks.phenotype import decode
from vlga.ports.evaluation import FailureReason
from vlga.strategies import STRATEGIES, SteadyState, make_strategy

INPUT_SHAPE, N_CLASSES = (3, 16, 16), 10
SIZE = 6
#: Enough for two phases of three generations, or as many batches.
N_ROUNDS = 6
#: Optuna takes a twentieth of a second for a network: founders and one batch more are enough.
SLOW = {"optuna_tpe", "optuna_tpe_asha"}


def n_rounds(name):
    """Give the rounds that a strategy is played for."""
    return 2 if name in SLOW else N_ROUNDS


#: All that search; known networks have no genomes: test_grid.py and test_hand_made.py.
SEARCHING = {name: strategy for name, strategy in STRATEGIES.items() if name not in KNOWN_NETWORKS}
NEVER_WAITING = {"ladder", "one_epoch_then_best", "random_search", "steady_state", *SLOW}
every_strategy = pytest.mark.parametrize("name", SEARCHING)
with_generations = pytest.mark.parametrize(
    "name", [name for name, strategy in SEARCHING.items() if strategy.has_generations]
)


def make(name, *more, seed=0):
    """Give a small strategy of its own budget."""
    config = load_config(
        settings=["population.generations=3", "budget.evaluations=1000", "budget.phases=99", *more],
        overrides={"strategy": name, "seed": seed, "population.size": SIZE},
    )
    return make_strategy(config, INPUT_SHAPE, N_CLASSES)


def proposed(rounds):
    """Give all candidates of some rounds, in the order in which they were asked for."""
    return [candidate for candidates in rounds for candidate in candidates]


@pytest.mark.parametrize(
    "name", [name for name, kind in SEARCHING.items() if issubclass(kind, SteadyState)]
)
def test_children_that_fail_cost_no_life(name):
    """Who is alive in a steady state stays so, unless it fails itself when it is trained on."""
    strategy = make(name)
    play(strategy, n_rounds=1)
    before = ids(strategy)
    for candidate in strategy.ask(SIZE - 1):
        if candidate.operator != "promote":
            strategy.tell(failed(candidate))

    assert ids(strategy) == before


@every_strategy
class TestAsk:
    def test_the_configuration_s_strategy_is_made(self, name):
        """By its registered name."""
        assert type(make(name)) is STRATEGIES[name]

    @pytest.mark.parametrize("n", [0, 1, 4, SIZE, 3 * SIZE])
    def test_gives_at_most_what_was_asked_for(self, name, n):
        """Fewer only where the rest must wait for what is out."""
        given_ = make(name).ask(n)
        waits = name not in NEVER_WAITING

        assert len(given_) == (min(n, SIZE) if waits else n)

    def test_asked_one_by_one_gives_the_same_as_asked_at_once(self, name):
        """How many workers wait for work changes nothing."""
        one_by_one = make(name)
        single = [one_by_one.ask(1)[0] for _ in range(SIZE)]

        assert single == [*make(name).ask(SIZE)]

    def test_numbers_candidates_from_zero_in_the_order_in_which_it_gives_them(self, name):
        """Ids have no gaps; phases and generations never go back."""
        candidates = proposed(play(make(name), deeper_is_better, n_rounds(name)))
        places = [(candidate.phase, candidate.generation) for candidate in candidates]

        assert [candidate.id for candidate in candidates] == [*range(len(candidates))]
        assert places == sorted(places)
        assert places[0] == (0, 0)

    def test_gives_candidates_of_the_space_with_their_network_s_fingerprint(self, name):
        """And parents that were made before them."""
        strategy = make(name)

        for candidate in proposed(play(strategy, deeper_is_better, n_rounds(name))):
            strategy.space.check(candidate.genome)
            plan = decode(candidate.genome, INPUT_SHAPE, N_CLASSES)
            assert candidate.fingerprint == plan.fingerprint
            ancestors = {*candidate.parents, candidate.weights_from} - {None}
            assert all(0 <= ancestor < candidate.id for ancestor in ancestors)

    def test_shows_the_phase_and_generation_of_what_it_gave_last(self, name):
        """For the progress display."""
        strategy = make(name)
        for _ in range(n_rounds(name)):
            candidates = ask_round(strategy)
            assert (strategy.phase, strategy.generation) == (
                candidates[-1].phase,
                candidates[-1].generation,
            )
            for candidate in candidates:
                strategy.tell(completed(candidate, deeper_is_better(candidate)))

    def test_keeps_networks_within_the_limit_where_they_can_be_shrunk(self, name):
        """Only one whose searched blocks are at their smallest may exceed the MACs allowed."""
        strategy = make(name, "limits.max_macs=1_000_000", "population.max_blocks=2")
        candidates = proposed(play(strategy, deeper_is_better, n_rounds(name)))
        macs = {c.id: decode(c.genome, INPUT_SHAPE, N_CLASSES).n_macs for c in candidates}
        too_large = [c for c in candidates if macs[c.id] > 1_000_000]

        assert len(too_large) < len(candidates)
        for candidate in too_large:
            first = len(candidate.genome.blocks) - 1 if name in PHASED else 0
            rng = random.Random(0)

            def is_cheaper(genome, limit=macs[candidate.id]):
                return decode(genome, INPUT_SHAPE, N_CLASSES).n_macs < limit

            shrink = strategy.toolbox.shrink
            smaller = shrink(candidate.genome, rng=rng, first_block=first, helps=is_cheaper)
            assert smaller is None


@every_strategy
class TestTell:
    def test_refuses_what_was_never_asked_for(self, name):
        """Before anything was given, and after."""
        strategy = make(name)
        stranger = replace(make(name).ask(1)[0], id=99)

        with pytest.raises(ProtocolError, match=r"candidate that ask gave .* got candidate_id=99"):
            strategy.tell(completed(stranger, 0.5))
        strategy.ask(2)
        with pytest.raises(ProtocolError, match="got candidate_id=99"):
            strategy.tell(completed(stranger, 0.5))

    def test_refuses_a_candidate_made_but_not_given_yet(self, name):
        """A generation is made whole but asked for in parts."""
        strategy, twin = make(name), make(name)
        strategy.ask(1)
        second = twin.ask(2)[1]

        with pytest.raises(ProtocolError, match="got candidate_id=1"):
            strategy.tell(completed(second, 0.5))

    @pytest.mark.parametrize("outcome", [lambda c: completed(c, 0.5), failed])
    def test_refuses_what_was_told_before(self, name, outcome):
        """Completed or failed, once is enough; the first word stands."""
        strategy = make(name)
        candidate = strategy.ask(2)[0]
        strategy.tell(outcome(candidate))
        best = strategy.best

        with pytest.raises(ProtocolError, match="was not told yet, but got candidate_id=0"):
            strategy.tell(completed(candidate, 1.0))
        assert strategy.best == best

    def test_the_best_never_falls_and_is_the_fittest_told(self, name):
        """Of equals, the one made first."""
        strategy, told = make(name), []
        assert strategy.best is None
        for _ in range(n_rounds(name)):
            for candidate in reversed(ask_round(strategy)):
                fitness = round(any_fitness(candidate), 1)
                strategy.tell(completed(candidate, fitness))
                told.append((-fitness, candidate.id))
                assert (-strategy.best.accuracy, strategy.best.id) == min(told)

    def test_contenders_are_the_best_networks_each_once_with_its_longest_training(self, name):
        """Among them those that may win; without rungs they are in the order of their fitness."""
        strategy, rungs, told = make(name), {}, {}
        for _ in range(n_rounds(name)):
            for candidate in ask_round(strategy):
                rungs[candidate.fingerprint] = candidate.rung
                told[candidate.fingerprint] = any_fitness(candidate)
                strategy.tell(completed(candidate, any_fitness(candidate)))
        found = [one.candidate for one in strategy.contenders]
        names = [one.fingerprint for one in found]
        fittest = sorted(told, key=lambda one: -told[one])[: len(names)]

        assert len(set(names)) == len(names) >= 5
        assert {one.candidate.fingerprint for one in strategy.finalists} <= {*names}
        assert [one.rung for one in found] == [rungs[one] for one in names]
        if not any(rungs.values()):
            assert names == fittest

    def test_the_logbook_has_a_record_of_every_round_that_is_over(self, name):
        """With what was new in it and its best, median and worst."""
        strategy = make(name)
        rounds = play(strategy, deeper_is_better, n_rounds(name))
        ask_round(strategy)

        assert strategy.logbook.select("n_new") == [len(candidates) for candidates in rounds]
        for record in strategy.logbook:
            assert record["worst"] <= record["median"] <= record["best"]


@every_strategy
class TestFailures:
    def test_are_never_selected(self, name):
        """A failed candidate is no parent, gives no weights and is not best."""
        strategy, lost = make(name), set()
        while len(lost) < 2 * SIZE:
            for candidate in ask_round(strategy):
                assert not lost & {*candidate.parents, candidate.weights_from}
                if candidate.id % 3 == 0:
                    lost.add(candidate.id)
                    strategy.tell(failed(candidate))
                else:
                    strategy.tell(completed(candidate, deeper_is_better(candidate)))

        assert strategy.best.id not in lost


@with_generations
class TestGenerations:
    def test_wait_for_the_last_of_a_generation(self, name):
        """While one is out, nothing new is given."""
        strategy = make(name)
        *others, last = ask_round(strategy)
        for candidate in others:
            strategy.tell(completed(candidate, 0.5))

        assert strategy.ask(1) == ()
        assert not strategy.finished
        strategy.tell(completed(last, 0.5))
        assert strategy.ask(1)

    @settings(max_examples=20)
    @given(data=st.data())
    def test_do_not_depend_on_the_order_of_completion(self, name, data):
        """Any number of workers, any luck: the same candidates. Ties and failures included."""
        ordered, shuffled = make(name), make(name)
        for _ in range(N_ROUNDS):
            candidates = ask_round(ordered)
            assert ask_round(shuffled) == candidates
            outcomes = [
                failed(candidate)
                if any_fitness(candidate) < 0.2
                else completed(candidate, round(any_fitness(candidate), 1))
                for candidate in candidates
            ]
            for outcome in outcomes:
                ordered.tell(outcome)
            for outcome in data.draw(st.permutations(outcomes)):
                shuffled.tell(outcome)
            assert shuffled.best == ordered.best

    @pytest.mark.parametrize("n_completed", [0, 1])
    def test_of_failures_alone_end_the_search_with_their_reasons(self, name, n_completed):
        """Fewer than two individuals cannot go on; every reason is named with its number.

        With one individual that is the strategy's end, without any it is an error.
        """
        strategy = make(name)
        for candidate in ask_round(strategy):
            if candidate.id < n_completed:
                strategy.tell(completed(candidate, 0.5))
            elif candidate.id < 3:
                strategy.tell(failed(candidate, FailureReason.OUT_OF_MEMORY))
            else:
                strategy.tell(failed(candidate))

        reasons = (
            f"left {n_completed}; failures so far: {3 - n_completed} out_of_memory, 3 diverged"
        )
        if not n_completed:
            with pytest.raises(TooManyFailures, match=f"phase 0 generation 0 {reasons}"):
                strategy.ask(1)
        else:  # its winner is known
            assert strategy.ask(1) == ()
        assert strategy.ended_by.endswith(f"phase 0 generation 0 {reasons}")


@every_strategy
class TestRandomness:
    def test_another_seed_gives_another_search(self, name):
        """From the first candidates on."""
        searches = [make(name, seed=seed).ask(SIZE) for seed in range(5)]

        assert len({tuple(c.fingerprint for c in candidates) for candidates in searches}) == 5

    def test_the_same_seed_gives_the_same_search_whatever_the_global_random(self, name):
        """It is neither read nor moved; DEAP's own operators would do both."""
        random.seed(1)
        first = play(make(name), n_rounds=n_rounds(name))
        random.seed(2)
        state = random.getstate()
        second = play(make(name), n_rounds=n_rounds(name))

        assert first == second
        assert random.getstate() == state
