"""What tools are told of a training: a run, with its hyperparameters, its curve and its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import EpochRecord, Evaluation, Source
from vlga.ports.observer import Evaluated, Event, FinalEnded

__all__ = ["TrackedRun", "points", "run_of"]


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A training that has ended.

    Attributes:
        name: the candidate's number, with ``-final`` for a longer training.
        hyperparameters: genes, or what a study varies, and the epochs.
        scores: what is known of the network, by name.
        curve: a record an epoch.
        problem: why it failed; empty if it did not.
    """

    name: str
    hyperparameters: Mapping[str, str | int | float | bool]
    scores: Mapping[str, float]
    curve: Sequence[EpochRecord]
    problem: str = ""


def run_of(event: Event) -> TrackedRun | None:
    """Give the training that has ended with an event, None if none has."""
    match event:
        case Evaluated(candidate, evaluation) if evaluation.source is Source.TRAINED:
            return _run(str(candidate.id), candidate, evaluation)
        case FinalEnded(individual, evaluation):
            return _run(f"{individual.id}-final", individual.candidate, evaluation)
    return None


def points(run: TrackedRun) -> list[tuple[str, int, float]]:
    """Give a curve's known values as (name, epoch, value)."""
    names = (
        "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate",
    )  # fmt: skip
    values = [(name, one.epoch, getattr(one, name)) for one in run.curve for name in names]
    return [(name, epoch, value) for name, epoch, value in values if value is not None]


def _run(name: str, candidate: Candidate, evaluation: Evaluation) -> TrackedRun:
    genes = {gene: _plain(allele) for gene, allele in candidate.genome.genes().items()}
    scores = {
        "fitness": evaluation.fitness,
        "test_accuracy": evaluation.test_accuracy,
        "parameters": evaluation.n_parameters,
        "macs": evaluation.n_macs,
        "train_seconds": evaluation.train_seconds,
    }
    return TrackedRun(
        name,
        {**genes, "epochs": evaluation.epochs},
        {key: float(value) for key, value in scores.items() if value is not None},
        evaluation.curve,
        "" if evaluation.reason is None else f"{evaluation.reason}: {evaluation.message}",
    )


def _plain(allele: object) -> str | int | float | bool:
    """Give an allele as tools take it."""
    return allele if isinstance(allele, (str, int, float, bool)) else str(allele)
