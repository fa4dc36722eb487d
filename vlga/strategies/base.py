"""The interface that every strategy shares: ask for candidates, tell how they did."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Literal, Self

from deap import tools

from vlga.config.settings import SearchConfig
from vlga.errors import ProtocolError
from vlga.networks.layers import Shape
from vlga.ports.candidate import Candidate, Individual, best_of
from vlga.ports.evaluation import Evaluation

__all__ = ["Inherits", "Strategy", "training_seed", "without_curve"]

#: So many of the best networks are remembered at least, those with the longest trainings first.
_N_CONTENDERS = 32

Inherits = Literal["nothing", "phase_best", "parent"]


def training_seed(search_seed: int, fingerprint: str, rung: int = 0) -> int:
    """Give the seed of a network's training: below 2**63, the same for equal networks.

    On each rung it is another, so that no training repeats the order and the augmentation of the
    one that it goes on from.
    """
    name = f"{search_seed}/{fingerprint}" + (f"/{rung}" if rung else "")
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def without_curve(individual: Individual) -> Individual:
    """Leave out what is long, and of no use to a strategy."""
    return replace(individual, evaluation=replace(individual.evaluation, curve=()))


class Strategy(ABC):
    """Decides what a search tries next.

    `ask` gives candidates, each of which must be told exactly once, in any order. What `ask` gives
    depends only on the configuration and on what was told, never on the order of telling (but for a
    `SteadyState`) nor on the global `random`. A strategy is therefore resumed by running it again
    and telling it what is recorded: its state is never stored.

    Subclasses implement `from_config` and `_propose`; those that draw genomes from a space are
    `SpaceSearch`es.

    Attributes:
        seed: of the search, in [0, 2**63).
        phase: of the candidates given last, from 0.
        generation: of the candidates given last, from 0 within the phase.
        finished: whether `ask` will give nothing more.
        ended_by: why it is finished, in words; empty before.
        lacks_parents: whether that is because failed trainings left too few to go on from.
        best: the fittest individual told so far, or None.
        logbook: DEAP's, one record a generation.
    """

    #: Whether the next candidates depend on the outcome of all those before.
    has_generations = True
    #: Whether candidates may be asked for before there is room for them. If not, they depend on the
    #: order in which outcomes are told, and an earlier run is resumed by `recall`.
    asks_ahead = True
    #: Whose trained weights are kept: nobody's, a phase's best's or everybody's. Candidates may
    #: inherit them, and a longer training goes on from them.
    inherits: ClassVar[Inherits] = "nothing"
    #: Whether each trained network is scored on the test images too; a search never looks at them.
    scores_test = False

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.phase = 0
        self.generation = 0
        self.finished = False
        self.ended_by = ""
        self.lacks_parents = False
        self.best: Individual | None = None
        self.logbook = tools.Logbook()
        self._n_made = 0
        self._queue: deque[Candidate] = deque()
        self._waiting: dict[int, Candidate] = {}
        self._told: list[Individual] = []
        self._failures: Counter[str] = Counter()
        self._epochs_left: int | None = None
        self._contenders: dict[str, Individual] = {}

    @classmethod
    @abstractmethod
    def from_config(cls, config: SearchConfig, input_shape: Shape, n_classes: int) -> Self:
        """Make the strategy that a configuration describes, for images of this shape."""

    def ask(self, n: int, epochs_left: int | None = None) -> tuple[Candidate, ...]:
        """Give up to `n` candidates to evaluate; fewer if the rest must wait for what is out.

        Args:
            n: at least 0.
            epochs_left: that trainings may still take together, or None if they are not limited;
                only strategies with trainings of several lengths need it.

        Raises:
            TooManyFailures: too few individuals are left to go on from.
        """
        given: list[Candidate] = []
        self._epochs_left = epochs_left
        while len(given) < n and not self.finished:
            if not self._queue:
                if self._must_wait:
                    break
                told, self._told = sorted(self._told, key=lambda one: one.id), []
                self._queue.extend(self._propose(told))
                self.finished = not self._queue
                continue
            candidate = self._queue.popleft()
            self._waiting[candidate.id] = candidate
            given.append(candidate)
        return tuple(given)

    def tell(self, evaluation: Evaluation) -> None:
        """Take the outcome of one candidate.

        Raises:
            ProtocolError: the candidate was never asked for, or was told before.
        """
        candidate = self._waiting.pop(evaluation.candidate_id, None)
        if candidate is None:
            raise ProtocolError(
                "tell needs a candidate that ask gave and that was not told yet, "
                f"but got candidate_id={evaluation.candidate_id}"
            )
        if evaluation.fitness is None:
            self._miss(candidate, evaluation)
            return
        individual = Individual(candidate, evaluation)
        self.best = best_of([individual, *([self.best] if self.best else [])])
        self._note(individual)
        self._take(individual)

    def recall(self, candidates: Iterable[Candidate]) -> None:  # noqa: ARG002  # of those that do
        """Take back, before anything else, every candidate that an earlier run was given.

        Args:
            candidates: in the order of their ids; now each must be told.

        Raises:
            ProtocolError: the strategy `asks_ahead`: it gives them again when it is asked.
        """
        raise ProtocolError(
            f"only a strategy that does not ask ahead takes candidates back, but {type(self)} does"
        )

    @property
    def finalists(self) -> tuple[Individual, ...]:
        """Individuals that may win, all trained for as long; none while none is known."""
        return () if self.best is None else (self.best,)

    @property
    def contenders(self) -> tuple[Individual, ...]:
        """The best networks, each once with its longest training, the most valuable first."""
        known = self._contenders.values()
        return tuple(sorted(known, key=lambda one: (-self._value(one), one.id)))

    def training_seed(self, candidate: Candidate) -> int:
        """Give the seed of a candidate's training, in [0, 2**63)."""
        return training_seed(self.seed, candidate.fingerprint, candidate.rung)

    @property
    def parents(self) -> tuple[int, ...]:
        """Ids of individuals whose trained weights candidates not yet made may inherit."""
        return ()

    @abstractmethod
    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        """Give the next candidates, or none to finish.

        Args:
            told: what completed of the candidates proposed last, by id.
        """

    @property
    def _must_wait(self) -> bool:
        """Whether nothing can be proposed before more is told."""
        return self.has_generations and bool(self._waiting)

    def _value(self, individual: Individual) -> float:
        """Say what a network is worth; the higher, the better."""
        return individual.accuracy

    def _note(self, individual: Individual) -> None:
        """Remember a network among the best, now and then forget those that are not."""
        fingerprint = individual.candidate.fingerprint
        known = self._contenders.get(fingerprint)
        if known is None or _reached(individual) > _reached(known):
            self._contenders[fingerprint] = without_curve(individual)
        if len(self._contenders) >= 2 * _N_CONTENDERS:
            best = sorted(self._contenders.values(), key=_reached, reverse=True)[:_N_CONTENDERS]
            self._contenders = {one.candidate.fingerprint: one for one in best}

    def _take(self, individual: Individual) -> None:
        """Take in an individual: here, keep it for the next proposal."""
        self._told.append(individual)

    def _miss(self, candidate: Candidate, evaluation: Evaluation) -> None:  # noqa: ARG002
        """Take in a candidate that failed: here, count it."""
        self._failures[str(evaluation.reason)] += 1


def _reached(individual: Individual) -> tuple[int, float, int]:
    """Order outcomes by rung, then accuracy; of equals the one made first is the best."""
    return individual.candidate.rung, individual.accuracy, -individual.id
