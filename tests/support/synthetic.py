"""Searches without training, a fitness worked out from the candidate, and dice that are loaded."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.strategies import SteadyState, Strategy
from vlga.strategies.space_base import SpaceSearch

Landscape = Callable[[Candidate], float]


def any_fitness(candidate: Candidate) -> float:
    """Give each network a fitness of its own in [0, 1), spread evenly, meaning nothing."""
    return int(candidate.fingerprint, 16) / 16**16


def deeper_is_better(candidate: Candidate) -> float:
    """Give every network of a phase a higher fitness than all of the phases before, up to 20."""
    return (candidate.phase + any_fitness(candidate)) / 20


def completed(candidate: Candidate, fitness: float, n_parameters: int = 0) -> Evaluation:
    """Give the outcome of a training that went well."""
    return Evaluation(candidate.id, epochs=1, seed=0, fitness=fitness, n_parameters=n_parameters)


def individual(candidate: Candidate, fitness: float) -> Individual:
    """Give a candidate whose training went well."""
    return Individual(candidate, completed(candidate, fitness))


def failed(candidate: Candidate, reason: FailureReason = FailureReason.DIVERGED) -> Evaluation:
    """Give the outcome of a training that did not."""
    return Evaluation(candidate.id, epochs=1, seed=0, fitness=None, reason=reason, message="test")


def step(strategy: Strategy, fitness: Landscape = any_fitness) -> Candidate:
    """Ask for one candidate, tell it, and give it."""
    [candidate] = strategy.ask(1)
    strategy.tell(completed(candidate, fitness(candidate)))
    return candidate


def ids(strategy: SteadyState) -> set[int]:
    """Give who is alive."""
    return {one.id for one in strategy.alive}


def ask_round(strategy: SpaceSearch) -> tuple[Candidate, ...]:
    """Ask for a whole generation, or for as many where there are none."""
    return strategy.ask(strategy.settings.population.size)


def play(
    strategy: SpaceSearch, landscape: Landscape = any_fitness, n_rounds: int = 1000
) -> list[tuple[Candidate, ...]]:
    """Ask and tell to the end, or for so many rounds; give the candidates of each round."""
    rounds = []
    while len(rounds) < n_rounds and (candidates := ask_round(strategy)):
        rounds.append(candidates)
        for candidate in candidates:
            strategy.tell(completed(candidate, landscape(candidate)))
    return rounds


class Coins(Random):
    """A source of randomness whose `random` follows a script."""

    def __init__(self, *draws: float) -> None:
        super().__init__(0)
        self.draws = [*draws]

    def random(self) -> float:
        """Give the next draw of the script."""
        return self.draws.pop(0)
