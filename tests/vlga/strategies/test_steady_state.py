from collections import Counter

import pytest

from tests.support.searching import TINY
from tests.support.synthetic import any_fitness, completed, failed, ids, play, step
from vlga.config.load import load_config
from vlga.genetics.front import pareto_front
from vlga.networks.phenotype import decode
from vlga.strategies import make_strategy

SHAPE = (1, 8, 8)


def make(*settings):
    """Give a steady-state evolution on small images."""
    settings = ["strategy=steady_state", "budget.evaluations=1000", *settings]
    return make_strategy(load_config(settings=settings), SHAPE, 10)


def longer_is_better(candidate):
    """Give longer networks a higher fitness."""
    return len(candidate.genome.blocks) / 10 + any_fitness(candidate) / 100


def test_it_begins_with_different_networks_of_one_block():
    """As many as a population has individuals, without parents."""
    founders = make("population.size=50", "seed=1").ask(50)

    assert len(founders) == 50
    assert {len(one.genome.blocks) for one in founders} == {1}
    assert len({one.fingerprint for one in founders}) == 50
    assert {(one.parents, one.weights_from) for one in founders} == {((), None)}


def test_a_child_is_made_as_soon_as_one_training_ends():
    """One worker's wait is over when any training is, whichever is out beside it."""
    strategy = make("population.size=4")
    founders = strategy.ask(4)
    for candidate in founders[:2]:
        strategy.tell(completed(candidate, 0.5))
    assert len(strategy.ask(2)) == 2
    strategy.tell(completed(founders[3], 0.5))

    assert len(strategy.ask(1)) == 1


def test_more_workers_than_a_population_has_individuals_all_have_work():
    """From the first moment: founders are made until two have ended, and the fittest remain."""
    strategy = make("population.size=4")
    founders = strategy.ask(20)
    strategy.tell(completed(founders[0], 0.0))
    more = strategy.ask(1)
    strategy.tell(completed(founders[1], 0.1))
    children = strategy.ask(1)
    for one in (*founders[2:], *more):
        strategy.tell(completed(one, 0.1 + one.id / 100))

    assert len(founders) == 20
    assert not more[0].parents
    assert children[0].parents
    assert ids(strategy) == {17, 18, 19, 20}


def test_the_worst_dies_were_it_the_child_itself():
    """Alive are the fittest of all told, whatever their age."""
    strategy, told = make("population.size=6"), []
    for _ in range(100):
        child = step(strategy)
        told.append((any_fitness(child), child.id))
        assert ids(strategy) == {number for _, number in sorted(told)[-6:]}


def test_of_equally_bad_ones_the_oldest_dies():
    """Networks of equal worth take turns, so that silent genes may drift."""
    strategy = make("population.size=3")
    for _ in range(10):
        step(strategy, lambda _: 0.5)

    assert ids(strategy) == {7, 8, 9}


def test_a_failed_founder_is_replaced():
    """By another without parents."""
    strategy = make("population.size=4")
    for candidate in strategy.ask(4):
        strategy.tell(failed(candidate) if candidate.id < 2 else completed(candidate, 0.5))

    assert [one.parents for one in strategy.ask(2)] == [(), ()]


def test_a_mutated_child_s_parent_is_the_fitter_of_two_drawn():
    """With replacement: the k-th of eight is chosen as often as it should be."""
    counts = Counter()
    for seed in range(100):
        strategy = make("population.size=8", f"seed={seed}")
        for candidate in strategy.ask(8):
            strategy.tell(completed(candidate, candidate.id / 10))
        children = strategy.ask(40)
        counts.update(one.parents[0] for one in children if len(one.parents) == 1)

    for rank in range(8):
        expected = ((8 - rank) ** 2 - (7 - rank) ** 2) / 8**2
        assert counts[7 - rank] / counts.total() == pytest.approx(expected, abs=0.03)


def test_half_of_the_children_have_two_parents_the_fitter_first():
    """Two different ones; weights are the fitter's."""
    strategy, accuracies, n_crossed = make("population.size=8"), {}, 0
    for _ in range(400):
        child = step(strategy)
        accuracies[child.id] = any_fitness(child)
        assert child.weights_from == (child.parents[0] if child.parents else None)
        if len(child.parents) == 2:
            first, second = child.parents
            n_crossed += 1
            assert accuracies[first] > accuracies[second]
            assert child.operator.startswith("aligned_crossover")

    assert n_crossed / 392 == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("probability", [0, 0.5, 1])
def test_a_crossed_child_is_mutated_by_the_chance_that_is_set(probability):
    """The others always are; where equal networks are let through, by nothing else."""
    settings = (f"population.mutation_probability={probability}", "population.size=8")
    strategy = make(*settings, "population.avoid_duplicates=false")
    operators = Counter(step(strategy).operator for _ in range(600))
    crossed = {name: n for name, n in operators.items() if name.startswith("aligned")}
    mutated = sum(n for name, n in crossed.items() if "+" in name) / sum(crossed.values())

    assert mutated == pytest.approx(probability, abs=0.08)
    assert "identity" not in operators


def test_networks_grow_where_it_pays_up_to_the_cap():
    """By every operator that changes a length."""
    strategy = make("population.size=6", "population.max_blocks=4")
    made = [step(strategy, longer_is_better) for _ in range(300)]
    operators = {name for one in made for name in one.operator.split("+")}

    assert max(len(one.genome.blocks) for one in made) == 4
    assert {len(one.genome.blocks) for one in strategy.alive} == {4}
    assert operators == {
        "sample", "aligned_crossover", "mutate_any_gene", "insert_block", "duplicate_block",
        "remove_block",
    }  # fmt: skip


def test_networks_grow_also_where_it_does_not_matter():
    """Twice as many mutations lengthen as shorten."""
    lengths = []
    for seed in range(10):
        strategy = make("population.size=10", f"seed={seed}")
        for _ in range(100):
            step(strategy)
        lengths += [len(one.genome.blocks) for one in strategy.alive]

    assert sum(lengths) / len(lengths) > 1.7


def test_an_equal_network_is_made_only_where_it_is_let_through():
    """With `avoid_duplicates` it is mutated until it is another, also after a recall."""
    strategy = make("population.size=6")
    made = [step(strategy) for _ in range(150)]
    again = make("population.size=6")
    again.recall(made)
    for one in made:
        again.tell(completed(one, any_fitness(one)))
    more = [step(again) for _ in range(100)]
    careless = make("population.size=6", "population.avoid_duplicates=false")

    assert len({one.fingerprint for one in made + more}) == 250
    assert len({step(careless).fingerprint for _ in range(250)}) < 250


def test_without_inheritance_every_network_is_trained_from_scratch():
    """As the setting says."""
    strategy = make("population.size=6", "training.inherit_weights=false")

    assert {step(strategy).weights_from for _ in range(100)} == {None}


def test_networks_keep_within_the_limits():
    """Children of any operator are shrunk where they can be."""
    strategy = make("limits.max_macs=100_000", "population.size=6")
    made = [step(strategy, longer_is_better) for _ in range(150)]
    large = [one for one in made if decode(one.genome, SHAPE, 10).n_macs > 100_000]

    assert len(large) < len(made) / 5


def test_a_space_searched_through_ends_the_search():
    """A space of four networks has nothing more to give, whatever the budget."""
    settings = (*TINY, "population.max_blocks=1", "training.inherit_weights=false")
    strategy = make(*settings, "population.size=4")
    rounds = play(strategy, any_fitness, 10_000)

    assert strategy.finished
    assert sum(map(len, rounds)) < 1000


def test_with_several_objectives_the_front_survives():
    """Whom nobody exceeds is alive as long as there is room; without room only such ones are."""
    strategy, told = make("population.size=12", "objectives=[fitness,parameters]"), {}
    for number in range(150):
        [child] = strategy.ask(1)
        size = decode(child.genome, SHAPE, 10).n_parameters
        outcome = completed(child, any_fitness(child), n_parameters=size)
        strategy.tell(outcome)
        told[number] = (outcome.fitness, -outcome.n_parameters)
        front = {one for one, _ in pareto_front(told.items(), lambda item: item[1])}
        alive = ids(strategy)
        assert len(alive) == min(number + 1, 12)
        assert front <= alive or alive <= front
        assert strategy.best.id == max(told, key=lambda one: told[one][0])
    sizes = [one.evaluation.n_parameters for one in strategy.alive]

    assert front <= alive
    assert max(sizes) > 4 * min(sizes)


def test_with_several_objectives_small_networks_have_offspring():
    """Where fitness and size go together, it is not the largest alone that breed."""

    def grow(*settings):
        strategy = make("population.size=8", *settings)
        for _ in range(200):
            [child] = strategy.ask(1)
            size = decode(child.genome, SHAPE, 10).n_parameters
            strategy.tell(completed(child, min(0.99, size / 1e7), n_parameters=size))
        return min(one.evaluation.n_parameters for one in strategy.alive)

    assert grow("objectives=[fitness,parameters]") < grow() / 4
