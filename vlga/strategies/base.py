"""The interface that every strategy shares: ask for candidates, tell how they did."""

from __future__ import annotations

import hashlib
import statistics
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Sequence
from random import Random
from typing import ClassVar, Literal

from deap import tools

from vlga.config.settings import SearchConfig
from vlga.errors import ProtocolError, TooManyFailures
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan
from vlga.ports.candidate import Candidate, Individual, best_of
from vlga.ports.evaluation import Evaluation
from vlga.strategies.toolbox import build_toolbox

__all__ = ["Inherits", "Shape", "Strategy", "training_seed"]

Shape = tuple[int, int, int]
Inherits = Literal["nothing", "phase_best", "parent"]

#: Populations' worth of candidates in a row without a new training, after which a space counts as
#: searched through; reused candidates cost no budget, which would otherwise never end.
_MAX_BARREN = 20
#: Blocks of the longest genome where the settings name none: those of random search in Xiao et al.
_MAX_BLOCKS = 5


def training_seed(search_seed: int, fingerprint: str) -> int:
    """Give the seed of a network's training: below 2**63, the same for equal networks."""
    digest = hashlib.sha256(f"{search_seed}/{fingerprint}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Strategy(ABC):
    """Decides what a search tries next.

    `ask` gives candidates, each of which must be told exactly once, in any order. What `ask` gives
    depends only on the configuration and on what was told, never on the order of telling (but for a
    `SteadyState`) nor on the global `random`. A strategy is therefore resumed by running it again
    and telling it what is recorded: its state is never stored.

    Subclasses implement `_propose`.

    Attributes:
        phase: of the candidates given last, from 0.
        generation: of the candidates given last, from 0 within the phase.
        finished: whether `ask` will give nothing more.
        best: the fittest individual told so far, or None.
        logbook: DEAP's, one record a generation.
    """

    #: Whether the next candidates depend on the outcome of all those before.
    has_generations = True
    #: Whose trained weights candidates may inherit: nobody's, a phase's best's or any parent's.
    inherits: ClassVar[Inherits] = "nothing"
    #: Whether each trained network is scored on the test images too; a search never looks at them.
    scores_test = False

    def __init__(self, config: SearchConfig, input_shape: Shape, n_classes: int) -> None:
        self.config = config
        self.space = self._make_space(config)
        self.toolbox = build_toolbox(self.space, config.population)
        self.phase = 0
        self.generation = 0
        self.finished = False
        self.best: Individual | None = None
        self.logbook = tools.Logbook()
        self._input_shape = input_shape
        self._n_classes = n_classes
        self._n_made = 0
        self._queue: deque[Candidate] = deque()
        self._waiting: dict[int, Candidate] = {}
        self._told: list[Individual] = []
        self._failures: Counter[str] = Counter()
        self._trainings: set[tuple[str, int | None]] = set()
        self._n_repeats = 0

    def ask(self, n: int) -> tuple[Candidate, ...]:
        """Give up to `n` candidates to evaluate; fewer if the rest must wait for what is out.

        Raises:
            TooManyFailures: too few individuals are left to go on from.
        """
        given: list[Candidate] = []
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
            self._failures[str(evaluation.reason)] += 1
            return
        individual = Individual(candidate, evaluation.fitness)
        self.best = best_of([individual, *([self.best] if self.best else [])])
        self._take(individual)

    def training_seed(self, candidate: Candidate) -> int:
        """Give the seed of a candidate's training, in [0, 2**63)."""
        return training_seed(self.config.seed, candidate.fingerprint)

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

    def _take(self, individual: Individual) -> None:
        """Take in an individual: here, keep it for the next proposal."""
        self._told.append(individual)

    def _make_space(self, config: SearchConfig) -> SearchSpace:
        """Give the space that candidates come from."""
        return config.space.build()

    @property
    def _max_blocks(self) -> int:
        """Blocks of the longest genome, for strategies that do not grow it phase by phase."""
        return self.config.population.max_blocks or _MAX_BLOCKS

    @property
    def _is_searched_through(self) -> bool:
        """Whether a long row of candidates brought no training that was not made before."""
        return self._n_repeats >= _MAX_BARREN * self.config.population.size

    def _require_parents(self, population: Sequence[Individual]) -> None:
        """Refuse to go on from too few. Raises `TooManyFailures`, with the failures so far."""
        if len(population) < 2:
            raise TooManyFailures(
                f"a generation needs at least 2 individuals to go on from, but phase {self.phase} "
                f"generation {self.generation} left {len(population)}; failures so far: "
                + (", ".join(f"{n} {why}" for why, n in self._failures.items()) or "none")
            )

    def _rng(self) -> Random:
        """Give this generation's source of randomness, derived by name."""
        return Random(f"{self.config.seed}/{self.phase}/{self.generation}")

    def _fit(self, genome: Genome, rng: Random, first_block: int = 0) -> Genome:
        """Shrink these blocks until the network is within the limits, or they cannot be."""
        while not self._fits(self._decode(genome)):
            smaller = self.toolbox.shrink(genome, rng=rng, first_block=first_block)
            if smaller is None:
                break
            genome = smaller
        return genome

    def _fits(self, plan: NetworkPlan) -> bool:
        limits, share = self.config.limits, self._share_of_limits()
        return (limits.max_macs is None or plan.n_macs <= share * limits.max_macs) and (
            limits.max_activation_bytes is None
            or plan.activation_bytes <= share * limits.max_activation_bytes
        )

    def _share_of_limits(self) -> float:
        """Give the share of the limits, in (0, 1], that networks made now may use."""
        return 1.0

    def _fingerprint(self, genome: Genome) -> str:
        """Give what equal networks have in common, in 16 hexadecimal digits."""
        return self._decode(genome).fingerprint

    def _decode(self, genome: Genome) -> NetworkPlan:
        return decode(genome, self._input_shape, self._n_classes)

    def _candidate(
        self,
        genome: Genome,
        operator: str,
        parents: tuple[int, ...] = (),
        weights_from: int | None = None,
    ) -> Candidate:
        """Number a genome as the search's next candidate."""
        candidate = Candidate(
            id=self._n_made,
            genome=genome,
            fingerprint=self._fingerprint(genome),
            phase=self.phase,
            generation=self.generation,
            parents=parents,
            operator=operator,
            weights_from=weights_from,
        )
        self._count(candidate)
        return candidate

    def _count(self, candidate: Candidate) -> None:
        """Count a candidate, and how many in a row were nothing new."""
        training = (candidate.fingerprint, candidate.weights_from)
        self._n_made += 1
        self._n_repeats = self._n_repeats + 1 if training in self._trainings else 0
        self._trainings.add(training)

    def _log(
        self, population: Sequence[Individual], n_new: int, generation: int | None = None
    ) -> None:
        """Record a generation, the last one asked for if not given, in the logbook."""
        if not population:
            return
        record = tools.Statistics(lambda one: one.accuracy)
        record.register("best", max)
        record.register("median", statistics.median)
        record.register("worst", min)
        self.logbook.record(
            phase=self.phase,
            generation=self.generation if generation is None else generation,
            n_individuals=len(population),
            n_new=n_new,
            **record.compile(population),
        )
