"""What a worker is given to do for a candidate."""

from __future__ import annotations

from vlga.networks.phenotype import decode, plan_of
from vlga.networks.plan import NetworkPlan
from vlga.ports.candidate import Candidate
from vlga.ports.evaluator import ALL_BLOCKS, EvaluationTask
from vlga.search.inheritance import Inheritance, shared_layers
from vlga.search.run import Run
from vlga.strategies import Strategy

__all__ = ["make_task"]


def make_task(
    candidate: Candidate, run: Run, strategy: Strategy, inheritance: Inheritance
) -> EvaluationTask:
    """Say what a worker needs to train a candidate.

    Raises:
        StoreError: the weights that it inherits are gone.
    """
    images = run.data.input_shape, len(run.data.classes)
    plan, parent = plan_of(candidate.genome, *images), inheritance.parent_of(candidate)
    layers = ALL_BLOCKS
    if parent is not None and isinstance(plan, NetworkPlan):
        layers = shared_layers(plan, decode(parent, *images))
    return EvaluationTask(
        candidate_id=candidate.id,
        plan=plan,
        training=run.config.training,
        seed=strategy.training_seed(candidate),
        weights=inheritance.weights_of(candidate.weights_from),
        inherited_layers=layers,
        keep_weights=inheritance.inherits != "nothing",
        seconds=run.config.limits.evaluation_seconds,
        score_test=strategy.scores_test,
    )
