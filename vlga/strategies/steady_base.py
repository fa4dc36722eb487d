"""What strategies without generations share: one candidate at a time, from the living ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from random import Random

from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.base import without_curve
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.space_base import SpaceSearch, StrategySettings

__all__ = ["SteadyState"]


class SteadyState(SpaceSearch):
    """Founders first, then children, each made from the individuals alive when it is asked for.

    There are as many founders as a population has individuals; one that fails is replaced. A child
    may be asked for as soon as enough individuals are known. What `ask` gives depends on what was
    told before it and in which order, so ask only for as many as can start at once. With one
    training at a time, the same seed gives the same search.

    To resume an earlier run, call `recall`, then tell its outcomes in the order of recording. `ask`
    is not repeated for the earlier candidates: it would have to be called at the same moments.

    Subclasses implement `_found` and `_breed`, and `_join` if somebody dies. The logbook has a
    record whenever as many have completed as a population has individuals; generations count
    candidates likewise.

    Attributes:
        alive: the individuals that may become parents, in the order in which they were told.
    """

    has_generations = False
    asks_ahead = False

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self.alive: list[Individual] = []
        self._n_completed = 0

    def recall(self, candidates: Iterable[Candidate]) -> None:
        """Take every candidate of an earlier run; must be called before anything else.

        Args:
            candidates: in the order of their ids; each must then be told.
        """
        for candidate in candidates:
            self._count(candidate)
            self._waiting[candidate.id] = candidate
            self.generation = candidate.generation

    @property
    def parents(self) -> tuple[int, ...]:
        """Ids of the individuals alive."""
        return tuple(one.id for one in self.alive)

    @abstractmethod
    def _found(self, rng: Random) -> Candidate:
        """Make a candidate without parents."""

    @abstractmethod
    def _breed(self, rng: Random) -> Candidate:
        """Make a candidate from at least `_n_needed` individuals alive."""

    def _join(self, individual: Individual) -> None:
        """Add an individual to those alive, and remove one if there are too many: here nobody."""
        self.alive.append(individual)

    @property
    def _n_needed(self) -> int:
        """How many individuals must be alive to make a child."""
        return 2

    @property
    def _lacks_founders(self) -> bool:
        if len(self.alive) >= self.settings.population.size:
            return False  # asked for every candidate: a thousand that are out are not counted
        n_out = sum(not candidate.parents for candidate in self._waiting.values())
        return len(self.alive) + n_out < self.settings.population.size

    @property
    def _lacks_parents(self) -> bool:
        return len(self.alive) < self._n_needed

    @property
    def _must_wait(self) -> bool:
        return self._lacks_parents and not self._lacks_founders

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:  # noqa: ARG002  # see _take
        if self._is_searched_through():
            return []
        self.generation = self._n_made // self.settings.population.size
        rng = self._rng()
        if (given := self._next_given(rng)) is not None:
            return [given]
        founds = self._lacks_founders or self._lacks_parents
        return [self._found(rng) if founds else self._breed(rng)]

    def _take(self, individual: Individual) -> None:
        """Let an individual join at once: the next child may be its own."""
        self._join(without_curve(individual))
        self._n_completed += 1
        generation, rest = divmod(self._n_completed, self.settings.population.size)
        if rest == 0:
            self._log(self.alive, self.settings.population.size, generation - 1)

    def _rng(self) -> Random:
        """Give the next candidate's source of randomness, derived by name."""
        return Random(f"{self.seed}/{self._n_made}")
