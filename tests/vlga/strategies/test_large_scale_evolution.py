from collections import Counter
from random import Random

import pytest

from tests.support.searching import TINY, Bench, ScriptedEvaluator, small_config, weights_of
from tests.support.synthetic import any_fitness, completed, failed, ids, play, step
from vlga.config.load import load_config
from vlga.execution.inheritance import shared_layers
from vlga.networks.phenotype import decode
from vlga.ports.evaluator import ALL_BLOCKS
from vlga.strategies import make_strategy

SHAPE = (1, 8, 8)


def make(*settings, preset="default"):
    """Give a large-scale evolution on small images."""
    settings = ["strategy=large_scale_evolution", "budget.evaluations=1000", *settings]
    return make_strategy(load_config(preset=preset, settings=settings), SHAPE, 10)


@pytest.mark.parametrize(("preset", "depth"), [("default", 1), ("xiao2020", 2)])
def test_it_begins_with_the_smallest_networks(preset, depth):
    """One block; one convolution where the space has such, otherwise two."""
    founders = make("population.size=50", preset=preset).ask(100)

    assert len(founders) == 50
    assert {decode(one.genome, SHAPE, 10).depth for one in founders} == {depth}
    assert len({one.fingerprint for one in founders}) > 40
    assert {(one.parents, one.weights_from) for one in founders} == {((), None)}


def test_of_two_the_worse_dies_and_the_better_has_the_child():
    """Asked and told one by one: the parent is fitter than who dies, and lives on."""
    strategy = make("population.size=6")
    play(strategy, n_rounds=1)
    accuracies = {one.id: one.accuracy for one in strategy.alive}
    for _ in range(60):
        before = ids(strategy)
        child = step(strategy)
        accuracies[child.id] = any_fitness(child)
        [dead] = before - ids(strategy)
        [parent] = child.parents

        assert ids(strategy) == before - {dead} | {child.id}
        assert parent in before
        assert parent != dead
        assert (accuracies[parent], -parent) > (accuracies[dead], -dead)


def test_the_two_are_drawn_uniformly():
    """The k-th of six is the parent as often as it is the fitter of two."""
    counts = Counter()
    for seed in range(100):
        strategy = make("population.size=6", f"seed={seed}")
        for candidate in strategy.ask(6):
            strategy.tell(completed(candidate, candidate.id / 10))
        counts.update(parent for one in strategy.ask(20) for parent in one.parents)

    for rank in range(6):
        assert counts[5 - rank] / 2000 == pytest.approx((5 - rank) / 15, abs=0.035)


def test_of_equals_the_one_made_first_lives():
    """The younger of two equally fit dies."""
    strategy = make("population.size=2")
    for candidate in strategy.ask(2):
        strategy.tell(completed(candidate, 0.5))
    child = step(strategy, lambda _: 0.5)

    assert child.parents == (0,)
    assert ids(strategy) == {0, child.id}


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_what_it_alters_always_is_another_network(size):
    """On small images too, where pools are silent: no child is trained for the same plan again."""
    config = load_config(
        settings=["strategy=large_scale_evolution", "budget.evaluations=1", "population.size=6"],
        overrides={"limits.max_macs": None, "limits.max_activation_bytes": None},
    )
    strategy = make_strategy(config, (1, size, size), 10)
    made = [step(strategy) for _ in range(400)]
    altered = [one for one in made if one.operator.startswith("alter")]

    assert len(altered) > 100
    for one in altered:
        assert one.fingerprint != made[one.parents[0]].fingerprint, one.operator


def test_the_population_keeps_its_size():
    """Whatever is out meanwhile, and whatever fails: a failed child costs no life."""
    strategy = make("population.size=5")
    dice, out = Random(0), []
    for number in range(200):
        out.extend(strategy.ask(4 - len(out)))
        candidate = out.pop(dice.randrange(len(out)))
        before = ids(strategy)
        if number > 20 and number % 3 == 0:
            strategy.tell(failed(candidate))
            assert ids(strategy) == before
        else:
            strategy.tell(completed(candidate, any_fitness(candidate)))
        assert len(ids(strategy)) <= 5
        assert number < 20 or len(ids(strategy)) == 5


def test_a_child_costs_a_life_also_while_founders_are_out():
    """And a founder that comes late costs none."""
    strategy = make("population.size=5")
    founders = strategy.ask(5)
    for candidate in founders[:3]:
        strategy.tell(completed(candidate, any_fitness(candidate)))
    child = step(strategy)
    assert len(ids(strategy)) == 3
    for candidate in founders[3:]:
        strategy.tell(completed(candidate, 0.0))

    assert len(ids(strategy)) == 5
    assert {3, 4, child.id} <= ids(strategy)


def test_children_inherit_their_parent_s_weights_unless_these_are_reset():
    """And say by which mutation they were made."""
    strategy, operators = make("population.size=6"), Counter()
    for _ in range(300):
        child = step(strategy, lambda one: one.id / 1000)
        operators[child.operator] += 1
        if child.operator in {"sample", "reset_weights"}:
            assert child.weights_from is None
        else:
            assert (child.weights_from,) == child.parents

    assert len(operators) == 12


def test_without_inheritance_every_network_is_trained_from_scratch():
    """And none is made that is its parent."""
    strategy = make("population.size=6", "training.inherit_weights=false")
    children = [step(strategy) for _ in range(200)]

    assert {one.weights_from for one in children} == {None}
    assert not {"identity", "reset_weights"} & {one.operator for one in children}


def test_networks_grow_as_far_as_they_may():
    """From one convolution to `max_blocks` of two where growing pays."""
    strategy = make("population.size=6", "population.max_blocks=3")
    depths = [decode(step(strategy, depth_as_fitness).genome, SHAPE, 10).depth for _ in range(400)]

    assert depths[0] == 1
    assert max(depths) == 6


def depth_as_fitness(candidate):
    """Give deeper networks a higher fitness."""
    return decode(candidate.genome, SHAPE, 10).depth / 100


class TestWeights:
    def run(self, folder, n_slots=1, *settings):
        """Run a search; give it with its candidates, its tasks by candidate and its winner."""
        config = small_config("strategy=large_scale_evolution", "budget.evaluations=40", *settings)
        bench, evaluator = Bench(folder, config), ScriptedEvaluator(n_slots, rng=Random(0))
        bench.run(evaluator)
        tasks = {task.candidate_id: task for task in evaluator.submitted}
        return bench, bench.store.searches["first"].candidates, tasks

    @pytest.mark.parametrize("n_slots", [1, 3])
    def test_of_the_parent_come_with_the_task(self, tmp_path, n_slots):
        """With the layers that are the parent's; founders and reset ones have none."""
        _, candidates, tasks = self.run(tmp_path, n_slots)
        layers = set()
        for number, task in tasks.items():
            parent = candidates[number].weights_from
            if parent is None:
                assert (task.weights, task.inherited_layers) == (None, ALL_BLOCKS)
                continue
            assert task.weights.candidate_id == parent
            if parent in tasks:  # and did not take over an equal one's
                assert task.weights.data == weights_of(tasks[parent])
            plan = decode(candidates[parent].genome, SHAPE, 3)
            assert task.inherited_layers == shared_layers(task.plan, plan)
            assert ("classifier", "classifier") in task.inherited_layers
            layers.update(task.inherited_layers)

        assert any(own != theirs for own, theirs in layers)

    def test_of_all_are_kept(self, tmp_path):
        """Any may become a parent, and the winner is trained on from its own."""
        bench, candidates, tasks = self.run(tmp_path)
        kept = {one.candidate_id for one in bench.store.artifacts("first")}

        assert kept == set(candidates)
        assert all(task.keep_weights for task in tasks.values())

    def test_of_an_equal_one_serve_for_a_network_that_was_not_trained(self, tmp_path):
        """What took over an outcome may be a parent too: it has the trained one's file."""
        settings = (*TINY, "population.size=8", "population.max_blocks=1")
        settings += ("limits.weight_files=1000",)
        bench, candidates, tasks = self.run(tmp_path, 1, *settings)
        reused = {one.candidate_id for one in bench.reused}
        files = {one.candidate_id: one for one in bench.store.artifacts("first")}
        children = [one for one in candidates.values() if one.weights_from in reused]

        assert children
        for child in children:
            if child.id in tasks:
                assert tasks[child.id].weights.candidate_id == child.weights_from
                assert files[child.weights_from].sha256 in {
                    files[number].sha256 for number in tasks
                }

    def test_are_not_kept_where_nobody_inherits(self, tmp_path):
        """`inherit_weights` turns it off."""
        bench, _, tasks = self.run(tmp_path / "none", 1, "training.inherit_weights=false")

        assert not any(task.keep_weights or task.weights for task in tasks.values())
        assert bench.store.artifacts("first") == []
        assert not (tmp_path / "none").exists()
