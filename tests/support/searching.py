"""What the driver's tests share: an evaluator that trains nothing, a clock, a bench."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.support.mortal_store import MortalStore
from tests.support.records import DATA
from vlga.config.load import load_config
from vlga.config.settings import SearchConfig
from vlga.errors import SearchExists
from vlga.execution.artifacts import ArtifactFolder
from vlga.execution.driver import Search
from vlga.execution.run import Run
from vlga.ports.candidate import Individual
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import EpochRecord, Evaluation, FailureReason, Source
from vlga.ports.evaluator import EvaluationTask, Evaluator, Trained, Weights
from vlga.ports.lease import Stop
from vlga.ports.ledger import Ledger, SearchRecord
from vlga.ports.machines import Machines
from vlga.ports.observer import (
    Evaluated,
    Event,
    GenerationEnded,
    Progress,
    Recalled,
    StopRequested,
    Updated,
)

Outcome = float | FailureReason | BaseException


@dataclass
class Clock:
    """Seconds that pass only when somebody says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def seed_as_fitness(task: EvaluationTask) -> Outcome:
    """Give each network a fitness of its own in [0, 1), spread evenly, meaning nothing."""
    return task.seed / 2**63


def losing(
    *n_th: int, reason: FailureReason = FailureReason.WORKER_LOST
) -> Callable[[EvaluationTask], Outcome]:
    """Give outcomes of which the n-th trainings, counted from 0, fail."""
    seen: list[EvaluationTask] = []

    def outcome(task: EvaluationTask) -> Outcome:
        seen.append(task)
        return reason if len(seen) - 1 in n_th else seed_as_fitness(task)

    return outcome


def weights_of(task: EvaluationTask) -> bytes:
    """Give bytes that stand for a network's trained weights and those that it inherited."""
    inherited = task.weights.data if task.weights else b""
    return hashlib.sha256(str(task.seed).encode() + inherited).digest()


ONE_MACHINE = Machines(n_nodes=1, n_gpus=0)


@dataclass
class ScriptedEvaluator:
    """An `Evaluator` whose outcomes a function gives; any running task may be the next to end.

    Attributes:
        n_slots: tasks that run at once.
        outcome: gives a task's fitness or reason of failure, or an exception for `wait` to raise.
        rng: which of the running tasks ends next; None means the oldest.
        clock: moved on by a second a training.
        submitted: every task, in order.
        n_cancelled: tasks given up.
        machines: as it says.
    """

    n_slots: int = 1
    outcome: Callable[[EvaluationTask], Outcome] = seed_as_fitness
    rng: Random | None = None
    clock: Clock = field(default_factory=Clock)
    submitted: list[EvaluationTask] = field(default_factory=list)
    n_cancelled: int = 0
    machines: Machines = ONE_MACHINE
    _out: list[EvaluationTask] = field(default_factory=list)

    def submit(self, task: EvaluationTask) -> None:
        self.submitted.append(task)
        self._out.append(task)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        if not self._out or timeout_seconds == 0:
            return ()
        running = self._out[: self.n_slots]
        task = self.rng.choice(running) if self.rng else running[0]
        outcome = self.outcome(task)
        if isinstance(outcome, BaseException):
            raise outcome
        self._out.remove(task)
        self.clock.now += 1
        is_failure = isinstance(outcome, FailureReason)
        keeps = not task.members and task.keeps_weights_of(None if is_failure else outcome)
        weights = Weights(task.candidate_id, weights_of(task)) if keeps else None
        evaluation = Evaluation(
            task.candidate_id,
            task.epochs,
            task.seed,
            fitness=None if is_failure else outcome,
            reason=outcome if is_failure else None,
            message="it was to be expected" if is_failure else "",
            train_seconds=1.0,
        )
        return (Trained(evaluation, weights),)

    def drain(self) -> Sequence[int]:
        given_up, self._out = self._out[self.n_slots :], self._out[: self.n_slots]
        return [task.candidate_id for task in given_up]

    def cancel(self) -> None:
        self.n_cancelled += len(self._out)
        self._out.clear()

    def close(self) -> None:
        self.cancel()


def with_curve(trained: Trained, *points: EpochRecord) -> Trained:
    """Give an outcome with this learning curve."""
    return replace(trained, evaluation=replace(trained.evaluation, curve=points))


class Notes:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.evaluations: list[Evaluation] = []
        self.recalls: list[Evaluation] = []
        self.generations: list[Mapping[str, Any]] = []
        self.progress: list[Progress] = []
        self.stops: list[Stop] = []

    def __call__(self, event: Event) -> None:
        match event:
            case Updated(progress):
                self.progress.append(progress)
            case Evaluated(candidate, evaluation):
                assert candidate.id == evaluation.candidate_id
                self.evaluations.append(evaluation)
            case Recalled(candidate, evaluation):
                assert candidate.id == evaluation.candidate_id
                self.recalls.append(evaluation)
            case GenerationEnded(record, progress):
                assert progress.best is not None
                self.generations.append(record)
            case StopRequested(stop):
                self.stops.append(stop)


def run_in(
    store: Ledger,
    config: SearchConfig,
    evaluator: Evaluator,
    folder: Path,
    *,
    name: str = "first",
    data: DataSummary = DATA,
    **options: Any,
) -> Run:
    """Put a run together of a search, entered in its ledger unless it is there already."""
    record = SearchRecord(name, config, data, versions={})
    with suppress(SearchExists):
        store.create_search(record)
    record = replace(store.find_search(name), config=config, data=data)
    return Run(record, store, ArtifactFolder(folder, name), evaluator, **options)


@dataclass
class Bench:
    """All that a search needs, to be changed by a test before `run`; it may run several times."""

    folder: Path
    config: SearchConfig
    store: MortalStore = field(default_factory=MortalStore)
    notes: Notes = field(default_factory=Notes)
    name: str = "first"

    def entered(self, evaluator: ScriptedEvaluator | None = None, **options: Any) -> Run:
        """Enter the search unless it is there already, and put a run of it together."""
        evaluator = evaluator or ScriptedEvaluator()
        return run_in(
            self.store,
            self.config,
            evaluator,
            self.folder,
            name=self.name,
            observer=self.notes,
            clock=evaluator.clock,
            **options,
        )

    def search(self, evaluator: ScriptedEvaluator | None = None, **options: Any) -> Search:
        """Put the search together."""
        return Search(self.entered(evaluator, **options))

    def run(self, evaluator: ScriptedEvaluator | None = None, **options: Any) -> Individual:
        """Run it to its end."""
        return self.search(evaluator, **options).run()

    @property
    def trained(self) -> list[Evaluation]:
        """Recorded outcomes of trainings."""
        return self._outcomes(Source.TRAINED)

    @property
    def reused(self) -> list[Evaluation]:
        """Recorded outcomes of equal candidates of the search."""
        return self._outcomes(Source.EQUAL_CANDIDATE)

    @property
    def known(self) -> list[Evaluation]:
        """Recorded outcomes of other searches' trainings."""
        return self._outcomes(Source.OTHER_SEARCH)

    @property
    def ledger(self) -> tuple[Any, ...]:
        """Everything recorded, whatever the order of recording."""
        stored = self.store.searches[self.name]
        outcomes = sorted(stored.outcomes, key=lambda outcome: outcome[0].candidate_id)
        return stored.candidates, outcomes, stored.record.best_candidate_id

    def _outcomes(self, source: Source) -> list[Evaluation]:
        outcomes = self.store.searches[self.name].outcomes
        return [one for one, is_final in outcomes if one.source is source and not is_final]


RANDOM = ("strategy=random_search", "budget.evaluations=40", "population.max_blocks=2")
SMALL = (
    "population.size=4", "population.generations=3", "budget.phases=2", "budget.seconds=1e6",
    "final.time_fraction=0", "strategy=variable_length",
)  # fmt: skip
#: One allele a gene but for two of two: four networks of one block, and duplicates everywhere.
TINY = (
    "space.first_block={}", "space.prior={}",
    *(f"space.block.{gene}={allele}" for gene, allele in (
        ("channels_a", 8), ("kernel_a", 3), ("include_pool", "false"), ("pool_type", "max"),
        ("batch_norm_a", "true"), ("include_b", "false"), ("channels_b", 8), ("kernel_b", 3),
        ("batch_norm_b", "true"), ("skip", "false"),
    )),
    *(f"space.network.{gene}={allele}" for gene, allele in (
        ("activation", '["relu", "elu"]'), ("head_pool", '["max", "average"]'),
        ("learning_rate", 0.1), ("momentum", 0.9), ("weight_decay", 5e-4), ("amplify", "off"),
        ("stem", "none"),
    )),
    "population.avoid_duplicates=false",
)  # fmt: skip


def small_config(*settings: str) -> SearchConfig:
    """Give the configuration of a search of milliseconds, without a limit that it could meet."""
    return load_config(settings=[*SMALL, *settings])
