"""A whole search by large-scale evolution, with real trainings in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.fakes import MemoryStore
from tests.support.searching import run_in
from tests.support.trainings import dataset
from vlga.config.load import load_config
from vlga.execution.driver import Search
from vlga.execution.final import train_longer
from vlga.execution.inheritance import shared_layers
from vlga.networks.phenotype import decode
from vlga.ports.evaluator import EvaluationTask
from workers.evaluators.inline import InlineEvaluator
from workers.networks.build import build_network
from workers.networks.weights import inherit_weights, unpack_weights

IMAGES = dataset()
CONFIG = load_config(
    settings=[
        "strategy=large_scale_evolution",
        "budget.evaluations=20",
        "population.size=4",
        "training.epochs=1",
        "training.batch_size=8",
        "limits.max_macs=20_000",
        "final.epochs=1",
    ]
)


class Noting(InlineEvaluator):
    """An inline evaluator that keeps its tasks."""

    def __init__(self) -> None:
        super().__init__(IMAGES)
        self.tasks: dict[int, EvaluationTask] = {}

    def submit(self, task: EvaluationTask) -> None:
        self.tasks[task.candidate_id] = task
        super().submit(task)


def search(folder: Path):
    """Run it; give the store, the evaluator and the winner."""
    store, evaluator, data = MemoryStore(), Noting(), IMAGES.summary()
    run = run_in(store, CONFIG, evaluator, folder, data=data)
    return store, evaluator, Search(run).run(), run


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory):
    """A search that is over."""
    return search(tmp_path_factory.mktemp("weights"))


def test_children_start_from_their_parents_trained_layers(found):
    """What a child's network holds before training is its parent's file, layer for layer."""
    store, evaluator, _, run = found
    candidates = store.searches["first"].candidates
    files = {one.candidate_id: one for one in store.artifacts("first")}
    n_checked = 0
    for number, task in evaluator.tasks.items():
        parent = candidates[number].weights_from
        if parent is None:
            continue
        plan = decode(candidates[parent].genome, IMAGES.summary().input_shape, 2)
        trained = unpack_weights((run.artifacts.root / files[parent].path).read_bytes())
        network = build_network(task.plan, torch.Generator().manual_seed(task.seed))
        copied = inherit_weights(network, task.weights.data, task.inherited_layers)
        assert task.inherited_layers == shared_layers(task.plan, plan)
        state = network.state_dict()
        for own, theirs in task.inherited_layers:
            for name in state:
                other = theirs + name.removeprefix(own)
                if name.startswith(f"{own}.") and name in copied:
                    assert torch.equal(state[name], trained[other])
                    n_checked += 1

    assert n_checked > 50


def test_the_same_seed_gives_the_same_search(found, tmp_path: Path):
    """With one training at a time, to the last digit and weight."""
    (store, _, winner, _), (again, _, same_winner, _) = found, search(tmp_path)

    assert (winner.candidate, winner.accuracy) == (same_winner.candidate, same_winner.accuracy)
    assert store.searches["first"].candidates == again.searches["first"].candidates
    assert [one.fitness for one in store.evaluations("first")] == [
        one.fitness for one in again.evaluations("first")
    ]
    assert [one.sha256 for one in store.artifacts("first")] == [
        one.sha256 for one in again.artifacts("first")
    ]


def test_the_winner_is_trained_on_from_its_own_layers(found):
    """All its blocks are its own; its score on the test images is recorded."""
    store, evaluator, winner, run = found
    final = train_longer(run, [winner])[winner.id]
    task = evaluator.tasks[winner.id]

    assert final.completed
    assert task.is_final
    assert task.weights.candidate_id == winner.id
    assert store.find_search("first").test_accuracy == final.fitness
