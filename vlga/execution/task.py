"""What a worker is given to do for a candidate."""

from __future__ import annotations

from collections.abc import Iterable

from vlga.config.rungs import training_epochs
from vlga.config.settings import SearchConfig
from vlga.execution.inheritance import Inheritance, shared_layers
from vlga.execution.run import Run
from vlga.networks.phenotype import decode, plan_of
from vlga.networks.plan import NetworkPlan
from vlga.networks.trial import Trial
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluator import ALL_BLOCKS, EvaluationTask
from vlga.strategies import Strategy

__all__ = ["by_cost", "epochs_of", "make_task"]


def epochs_of(candidate: Candidate, config: SearchConfig) -> int:
    """Give the epochs of a candidate's training, at least 1."""
    if isinstance(candidate.genome, Trial) and candidate.genome.epochs is not None:
        return candidate.genome.epochs
    return training_epochs(config, candidate.rung)


def by_cost(
    generation: Iterable[Candidate], data: DataSummary, cheapest_first: bool
) -> list[Candidate]:
    """Order the candidates of a generation by the multiply-accumulates of their networks.

    The result of a generation is the same in every order. Where those that take long start early,
    fewer workers wait for the last.

    Args:
        generation: its candidates.
        data: the images.
        cheapest_first: the other way round.
    """
    images = data.input_shape, len(data.classes)
    sign = 1 if cheapest_first else -1
    return sorted(generation, key=lambda one: sign * plan_of(one.genome, *images).n_macs)


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
        training=run.config.training.model_copy(
            update={"epochs": epochs_of(candidate, run.config)}
        ),
        seed=strategy.training_seed(candidate),
        weights=inheritance.weights_of(candidate.weights_from),
        inherited_layers=layers,
        keep_weights=inheritance.inherits != "nothing",
        kept_from=inheritance.least_fitness(candidate.phase),
        seconds=run.config.limits.evaluation_seconds,
        measure_latency=run.config.measures_latency,
        latency_ms=run.config.limits.latency_ms,
        score_test=strategy.scores_test,
        fitness=run.config.fitness,
    )
