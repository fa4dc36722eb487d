"""One run of a search: the search, and all that it runs with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vlga.config.settings import SearchConfig
from vlga.execution.artifacts import ArtifactFolder
from vlga.ports.data import DataSummary
from vlga.ports.evaluator import Evaluator
from vlga.ports.lease import Stop
from vlga.ports.ledger import Ledger, SearchRecord
from vlga.ports.observer import Observer, ignore

__all__ = ["Run"]


@dataclass(frozen=True, slots=True)
class Run:
    """A search that is about to run, from its beginning or from where an earlier run ended.

    Attributes:
        record: the search as its ledger has it.
        store: where it is entered, and where everything is recorded.
        artifacts: its folder of files.
        evaluator: trains.
        observer: is told what happens.
        asked_to_stop: tells whether somebody wants the search to stop, and how; called every few
            seconds. `Hold.check` of a search that is held.
        clock: gives seconds, never fewer than before.
        started: by that clock, when the search would have begun had it not been interrupted.
    """

    record: SearchRecord
    store: Ledger
    artifacts: ArtifactFolder
    evaluator: Evaluator
    observer: Observer = ignore
    asked_to_stop: Callable[[], Stop | None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "started", self.clock() - self.record.seconds)

    @property
    def name(self) -> str:
        """Name of the search, unique in its ledger."""
        return self.record.name

    @property
    def config(self) -> SearchConfig:
        """Everything that was asked for."""
        return self.record.config

    @property
    def data(self) -> DataSummary:
        """The images it is run on."""
        return self.record.data

    @property
    def elapsed_seconds(self) -> float:
        """Wall time since the search began, earlier runs of it included."""
        return self.clock() - self.started
