import hashlib
from pathlib import Path

import pytest

from tests.records import DATA
from tests.vlga.searching import Bench, ScriptedEvaluator, small_config, weights_of
from vlga.artifacts import ArtifactFolder
from vlga.final import train_winner
from vlga.phenotype import decode
from vlga.population import FailureReason
from vlga.strategies.base import training_seed


@pytest.fixture
def bench(tmp_path):
    """A search with three trainings behind it."""
    return Bench(tmp_path, small_config("budget.evaluations=3", "final.epochs=7"))


def train(bench, winner, evaluator):
    return train_winner(
        bench.name,
        winner,
        bench.config,
        DATA,
        evaluator=evaluator,
        store=bench.store,
        artifacts=ArtifactFolder(bench.folder),
    )


def test_it_trains_the_winner_once_more_for_the_final_epochs(bench):
    """One task, marked final, that goes on from the winner's trained layers."""
    winner, evaluator = bench.run(), ScriptedEvaluator()
    train(bench, winner, evaluator)
    (task,) = evaluator.submitted

    assert (task.candidate_id, task.is_final, task.keep_weights) == (winner.id, True, True)
    assert task.weights is not None
    assert task.weights.candidate_id == winner.id
    assert task.plan == decode(winner.genome, DATA.input_shape, len(DATA.classes))
    assert task.seed == training_seed(bench.config.seed, winner.candidate.fingerprint)
    assert task.training.epochs == 7
    assert task.training.label_smoothing == bench.config.final.label_smoothing
    assert task.training.batch_size == bench.config.training.batch_size


def test_no_other_training_is_final(bench):
    """The test images are scored by the winner's last training and by nothing else."""
    evaluator = ScriptedEvaluator()
    train(bench, bench.run(evaluator), evaluator)

    assert [task.is_final for task in evaluator.submitted] == [False, False, False, True]


def test_its_score_is_the_search_s_test_accuracy_and_no_fitness(bench):
    """It is in the ledger as final, apart from what the search was steered by."""
    winner = bench.run()
    final = train(bench, winner, ScriptedEvaluator(outcome=lambda _: 0.25))

    assert final.fitness == bench.store.find_search("first").test_accuracy == 0.25
    assert bench.store.searches["first"].outcomes[-1] == (final, True, False)
    assert final not in bench.store.evaluations("first")


def test_its_weights_are_a_file_of_their_own(bench):
    """Beside those that others inherit, with the checksum of what was written."""
    winner, evaluator = bench.run(), ScriptedEvaluator()
    train(bench, winner, evaluator)
    (artifact,) = [one for one in bench.store.artifacts("first") if one.kind == "final_weights"]
    data = weights_of(evaluator.submitted[0])

    assert Path(artifact.path).read_bytes() == data
    assert artifact.candidate_id == winner.id
    assert (artifact.sha256, artifact.n_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert bench.store.writes[-2] == ("add_evaluations", (winner.id,), (artifact,))


def test_a_failed_one_is_recorded_with_its_reason(bench):
    """The winner stays the winner; it has no test accuracy and no final weights."""
    winner = bench.run()
    final = train(bench, winner, ScriptedEvaluator(outcome=lambda _: FailureReason.OUT_OF_MEMORY))
    stored = bench.store.searches["first"]

    assert final.reason is FailureReason.OUT_OF_MEMORY
    assert stored.outcomes[-1] == (final, True, False)
    assert stored.record.test_accuracy is None
    assert stored.record.best_candidate_id == winner.id
    assert "final_weights" not in {one.kind for one in bench.store.artifacts("first")}
