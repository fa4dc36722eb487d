"""The winner's longer training, and its one score on the test images."""

from __future__ import annotations

from vlga.artifacts import ArtifactFolder
from vlga.phenotype import decode
from vlga.population import Evaluation, Individual
from vlga.ports import DataSummary, EvaluationTask, Evaluator, Store
from vlga.settings import SearchConfig
from vlga.strategies.base import training_seed

__all__ = ["train_winner"]


def train_winner(
    name: str,
    winner: Individual,
    config: SearchConfig,
    data: DataSummary,
    *,
    evaluator: Evaluator,
    store: Store,
    artifacts: ArtifactFolder,
) -> Evaluation:
    """Train the winner on all training and validation images, score it, save its weights.

    Xiao et al. 2020 train their winner longer without saying how. Here it goes on from its trained
    layers, where the search kept them, with a schedule of its own: a network grown phase by phase
    need not be trainable from scratch.

    Returns:
        The outcome, in the ledger already. Its fitness is the accuracy on the test images, which
        nothing else has seen; it may have failed.
    """
    kept = [
        one
        for one in store.artifacts(name)
        if (one.candidate_id, one.kind) == (winner.id, "weights")
    ]
    training = config.training.model_copy(update=config.final.model_dump())
    evaluator.submit(
        EvaluationTask(
            candidate_id=winner.id,
            plan=decode(winner.genome, data.input_shape, len(data.classes)),
            training=training,
            seed=training_seed(config.seed, winner.candidate.fingerprint),
            weights=artifacts.load(kept[0]) if kept else None,
            is_final=True,
            keep_weights=True,
        )
    )
    (evaluation,) = evaluator.wait()
    weights = evaluator.weights(winner.id)
    files = [artifacts.save(weights, "final_weights")] if weights else []
    store.add_evaluations(name, [evaluation], files, is_final=True)
    store.update_search(name, test_accuracy=evaluation.fitness)
    return evaluation
