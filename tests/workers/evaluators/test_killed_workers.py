"""A search whose workers are killed at random, on real Ray."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.fakes import MemoryStore
from tests.support.searching import run_in
from tests.support.thorough import LONG
from tests.support.trainings import dataset, patient
from vlga.config.load import load_config
from vlga.execution.driver import Search
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from workers.evaluators.on_ray import RayEvaluator

IMAGES = dataset()
CONFIG = load_config(
    settings=[
        "strategy=variable_length",
        "population.size=8",
        "population.generations=3",
        "budget.phases=2",
        "seed=4",
    ]
)
N_KILLS = 20 if LONG else 8
#: Steps of a training, each announced; a kill comes after at most so many announcements.
N_STEPS, MAX_GAP = 8, 10


@dataclass
class Killer:
    """Reads which worker begins a step, and at random ones of these moments kills a random worker.

    Attributes:
        pipe: a named pipe that workers write a line to, their process's id, at each step.
        n_kills: workers killed so far, of N_KILLS.
    """

    pipe: Path
    rng: Random = field(default_factory=lambda: Random(0))
    n_kills: int = 0

    def run(self, moments: Iterator[str]) -> None:
        seen: set[int] = set()
        gap = self.rng.randint(1, MAX_GAP)
        for line in moments:
            seen.add(int(line))
            gap -= 1
            workers = sorted(filter(_is_worker, seen))
            if gap <= 0 and workers and self.n_kills < N_KILLS:
                os.kill(self.rng.choice(workers), signal.SIGKILL)
                self.n_kills += 1
                gap = self.rng.randint(1, MAX_GAP)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        os.mkfifo(self.pipe)
        # Open for writing too, a pipe never looks closed.
        with os.fdopen(os.open(self.pipe, os.O_RDWR)) as moments:
            thread = threading.Thread(target=self.run, args=(iter(moments.readline, "\n"),))
            thread.start()
            try:
                yield
            finally:
                os.write(moments.fileno(), b"\n")
                thread.join()


def _is_worker(pid: int) -> bool:
    """Tell whether a process is still there and is Ray's."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::")
    except OSError:
        return False


def training(pipe: Path | None) -> Callable[[EvaluationTask], tuple[Evaluation, bytes]]:
    """Give a training of some milliseconds; as in test_ray_evaluator.py it names nothing of here.

    Args:
        pipe: where each step is announced, or None.
    """
    n_steps = N_STEPS

    def train(one: EvaluationTask) -> tuple[Evaluation, bytes]:
        digest = b""
        for _ in range(n_steps):
            if pipe is not None:
                with pipe.open("a") as moments:
                    moments.write(f"{os.getpid()}\n")
            digest = hashlib.pbkdf2_hmac("sha256", b"", digest + str(one.seed).encode(), 10_000)
        fitness = int.from_bytes(digest[:6]) / 2**48
        evaluation = Evaluation(one.candidate_id, one.training.epochs, one.seed, fitness)
        return evaluation, digest

    return train


def search(folder: Path, pipe: Path | None) -> tuple[Any, ...]:
    """Run a search on Ray; give all of its ledger, and the winner."""
    store, data = MemoryStore(), IMAGES.summary()
    evaluator = patient(RayEvaluator(IMAGES, function=training(pipe)))
    winner = Search(run_in(store, CONFIG, evaluator, folder, data=data)).run()
    evaluator.close()
    stored = store.searches["first"]
    outcomes = sorted(stored.outcomes, key=lambda outcome: outcome[0].candidate_id)
    weights = {one.candidate_id: one.sha256 for one in stored.artifacts.values()}
    return stored.candidates, outcomes, weights.get(winner.id), winner


@pytest.mark.usefixtures("cluster")
def test_workers_killed_at_random_change_nothing(tmp_path: Path):
    """Eight SIGKILLs: the same candidates, outcomes, weights and winner, and no failure among them.

    Twenty under HYPOTHESIS_PROFILE=long.
    """
    killer = Killer(tmp_path / "moments")
    with killer.at_work():
        disturbed = search(tmp_path / "disturbed", killer.pipe)
    undisturbed = search(tmp_path / "undisturbed", None)

    assert killer.n_kills == N_KILLS
    assert all(outcome.completed for outcome, *_ in disturbed[1])
    assert disturbed == undisturbed
