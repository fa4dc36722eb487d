"""A candidate, and the individual that it becomes when its fitness is known.

A `Candidate` has no fitness and an `Individual` always has one: they are different types, so that
an untrained or failed network can never be selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deap import base

from vlga.genetics.genome import Genome
from vlga.networks.trial import Trial
from vlga.ports.evaluation import Evaluation

__all__ = ["Candidate", "Fitness", "Individual", "best_of"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A genome to evaluate.

    Attributes:
        id: its number within the search, from 0, in the order in which candidates are made.
        genome: what it is; in a study, which network it trains and how.
        fingerprint: of the network plan that the genome decodes to; equal for equal networks.
        phase: from 0; the phase that made it.
        generation: from 0 within its phase.
        parents: ids of the candidates that it was made from.
        operator: the operators that made it: ``given``, ``sample``, ``grow``,
            ``uniform_crossover``, ``aligned_crossover``, ``mutate_one_gene`` or a mutation of
            mutation_sets.py, joined by ``+`` where one follows another; ``tpe`` if Optuna proposed
            it; ``promote`` if it is its parent, trained on.
        weights_from: id of the candidate whose trained weights it inherits, or None.
        rung: from 0; how far up the ladder its training is, where trainings have several lengths.
    """

    id: int
    genome: Genome | Trial
    fingerprint: str
    phase: int
    generation: int
    parents: tuple[int, ...]
    operator: str
    weights_from: int | None = None
    rung: int = 0


class Fitness(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    """DEAP's fitness, one objective to maximise. NaN counts as valid there: never let one in."""

    weights = (1.0,)


@dataclass(frozen=True, slots=True)
class Individual:
    """A candidate whose training completed, with its outcome; a population holds only these."""

    candidate: Candidate
    evaluation: Evaluation

    @property
    def id(self) -> int:
        """The candidate's number."""
        return self.candidate.id

    @property
    def accuracy(self) -> float:
        """The fitness, in [0, 1]: the accuracy, unless the search's setting says otherwise."""
        assert self.evaluation.fitness is not None
        return self.evaluation.fitness

    def cost(self, objective: str) -> float:
        """Give what it costs, above 0, by any objective but the fitness; seconds of latency."""
        cost = {
            "parameters": self.evaluation.n_parameters,
            "macs": self.evaluation.n_macs,
            "latency": self.evaluation.latency_seconds,
        }[objective]
        assert cost is not None
        return cost

    @property
    def genome(self) -> Genome:
        """The candidate's genome; only a study's trials have none, and they have no offspring."""
        genome = self.candidate.genome
        assert isinstance(genome, Genome)
        return genome

    @property
    def fitness(self) -> Fitness:
        """The fitness as DEAP's selection, hall of fame and statistics read it."""
        return Fitness((self.accuracy,))


def best_of(individuals: Sequence[Individual]) -> Individual | None:
    """Give the fittest, of equals the one made first; None if there is none."""
    return max(individuals, key=lambda one: (one.accuracy, -one.id), default=None)
