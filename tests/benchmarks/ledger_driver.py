"""A driver at full speed: a whole search whose trainings take no time, on a real store.

``python -m tests.benchmarks.ledger_driver STRATEGY EVALUATIONS`` prints what such a search's
process holds in memory; ledger.py runs it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from db.store import SqlStore
from tests.support.records import DATA
from vlga.config.load import load_config
from vlga.execution import run as search_run
from vlga.execution.artifacts import ArtifactFolder
from vlga.execution.driver import Search
from vlga.execution.hold import held
from vlga.ports.evaluation import EpochRecord, Evaluation
from vlga.ports.evaluator import EvaluationTask, Trained, Weights
from vlga.ports.ledger import SearchRecord
from vlga.ports.machines import Machines

__all__ = ["Run", "outcome", "run_search"]

_LAYERS = tuple(f"blocks.{block}.{name}" for block in range(4) for name in "ab")


def outcome(candidate_id: int, seed: int = 0, epochs: int = 3) -> Evaluation:
    """Give what a worker sends of a network with eight layers, half of them amplified."""
    fitness = (seed % 10_000) / 10_000
    curve = tuple(
        EpochRecord(
            epoch=epoch,
            train_loss=(seed % 997) / 997 + 1 / (epoch + 1),
            train_accuracy=fitness * 0.9,
            validation_loss=(seed % 991) / 991 + 1 / (epoch + 1),
            validation_accuracy=fitness * (epoch + 1) / epochs,
            learning_rate=0.1 / (epoch + 1),
            seconds=1.08,
            amplified_layers=tuple(f"{layer}" for layer in _LAYERS[:: 1 + epoch % 2]),
        )
        for epoch in range(epochs)
    )
    return Evaluation(
        candidate_id=candidate_id,
        epochs=epochs,
        seed=seed,
        fitness=fitness,
        n_parameters=100_000 + seed % 7919,
        n_macs=4_000_000 + seed % 7919,
        curve=curve,
        train_seconds=3.25,
        worker="node-1/4242",
        device="cpu",
        peak_memory_bytes=2**28 + seed % 7919,
    )


class InstantEvaluator:
    """An `Evaluator` that has finished everything whenever it is asked."""

    n_slots = 16
    machines = Machines(n_nodes=1, n_gpus=0)

    def __init__(self) -> None:
        self._out: list[EvaluationTask] = []

    def submit(self, task: EvaluationTask) -> None:
        self._out.append(task)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        ended, self._out = self._out, []
        return [
            Trained(
                outcome(task.candidate_id, task.seed, task.training.epochs),
                Weights(task.candidate_id, b"a few trained numbers"),
            )
            for task in ended
        ]

    def drain(self) -> Sequence[int]:
        return ()

    def cancel(self) -> None:
        self._out.clear()

    def close(self) -> None:
        self._out.clear()


class Run(NamedTuple):
    """What a search took.

    Attributes:
        n_trained: evaluations recorded.
        seconds: wall time.
        waited_for_core: of it, seconds in which the process could run and another one did.
    """

    n_trained: int
    seconds: float
    waited_for_core: float

    @property
    def own(self) -> float:
        """Seconds in which it ran or waited for the disk or a lock."""
        return self.seconds - self.waited_for_core


def run_search(url: str, name: str, strategy: str, n: int) -> Run:
    """Search until `n` candidates are evaluated; everything is recorded as in earnest."""
    config = load_config(
        settings=(
            f"strategy={strategy}",
            f"budget.evaluations={n}",
            "budget.seconds=1e9",
            "budget.phases=5",
            "population.size=50",
            f"population.generations={n // 50}",
        )
    )
    store = SqlStore(url)
    record = SearchRecord(name, config, DATA, {})
    store.create_search(record)
    with tempfile.TemporaryDirectory() as folder, held(store, name) as hold:
        files = ArtifactFolder(Path(folder), "first")
        search = Search(
            search_run.Run(record, store, files, InstantEvaluator(), asked_to_stop=hold.check)
        )
        started, queued = time.perf_counter(), _waited_for_core()
        search.run()
        run = Run(n, time.perf_counter() - started, _waited_for_core() - queued)
    store.close()
    return run


def _waited_for_core() -> float:
    """Give the seconds that this process has stood in the queue for a core so far."""
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


def _megabytes(key: str) -> float:
    """Give ``VmRSS`` or ``VmHWM`` (its maximum) of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(key)


def main(strategy: str, n: int) -> None:
    """Run a search in this process and print its memory in MB, at the start and at most."""
    with tempfile.TemporaryDirectory() as folder:
        before = _megabytes("VmRSS")
        run = run_search(f"sqlite:///{folder}/vlga.db", "simulated", strategy, n)
        figures = {"before": before, "peak": _megabytes("VmHWM"), "seconds": run.seconds}
    print(json.dumps({key: round(value, 1) for key, value in figures.items()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
