"""One search on an SQLite file that goes when it ends, for benchmarks of what is around it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.store import SqlStore
from vlga.config.load import load_config
from vlga.config.settings import SearchConfig
from vlga.execution import run as search_run
from vlga.execution.artifacts import ArtifactFolder
from vlga.execution.driver import Search
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import Evaluator
from vlga.ports.ledger import SearchRecord

__all__ = ["Run", "run_search"]


@dataclass(frozen=True, slots=True)
class Run:
    """What a search took, from its first question to its last record.

    Attributes:
        config: of the search.
        evaluations: what is in the ledger at the end.
        wall_seconds: that went by.
        cpu_seconds: of the driver, all threads together.
    """

    config: SearchConfig
    evaluations: Sequence[Evaluation]
    wall_seconds: float
    cpu_seconds: float


def run_search(
    evaluator: Evaluator,
    data: DataSummary,
    *settings: str,
    clock: Callable[[], float] = time.monotonic,
) -> Run:
    """Run one with the real driver, strategies and store, and without a final training.

    Args:
        evaluator: trains; left open.
        data: what the search is told of its images.
        settings: ``KEY=VALUE``, as of ``--set``.
        clock: the search's own, in seconds.
    """
    config = load_config(settings=settings)
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{folder}/search.db")
        record = SearchRecord("search", config, data, {})
        store.create_search(record)
        files = ArtifactFolder(Path(folder), "first")
        search = Search(search_run.Run(record, store, files, evaluator, clock=clock))
        wall, cpu = time.perf_counter(), time.process_time()
        search.run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        evaluations = store.evaluations("search")
        store.close()
    return Run(config, evaluations, wall, cpu)
