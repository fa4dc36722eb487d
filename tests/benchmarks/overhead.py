"""Wall time over the ideal with evaluations of about a second on two workers: what Ray leaves idle.

``python -m tests.benchmarks.overhead [--evaluations N] [--repeats R]``

An evaluation computes until its process has had its CPU seconds, log-normal around one, so that the
driver and Ray compete with it for the two cores as they do with trainings. In one run, over several
rounds: `steady_state`, `random_search` and `variable_length` with the real driver, Ray tasks and an
SQLite file; Ray Tune on the same Ray with two trials at a time and its actors used again; and the
plain way, two processes that only compute. Wall time

- *over own*: over half of the seconds that the evaluations took: what the workers waited;
- *over CPU*: over half of the CPU seconds that they asked for: also what the machine's cores did
  elsewhere, and what driver and Ray took from them;
- *over plain*: that of the CPU seconds, over the same of the two plain processes in its round.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import ray
from ray import tune

from tests.benchmarks.searching import run_search
from tests.benchmarks.timing import print_table, report
from vlga.config.data import DataConfig
from vlga.ports.evaluation import Evaluation, Source
from vlga.ports.evaluator import EvaluationTask
from workers.data import load_dataset
from workers.evaluators.on_ray import RayEvaluator

_N_WORKERS = 2
_MEDIAN_SECONDS, _SIGMA = 1.0, 0.3
_PLAIN = "two processes"
_STRATEGIES = ("steady_state", "random_search", "variable_length")


@dataclass(frozen=True, slots=True)
class Times:
    """What a round of one contestant took.

    Attributes:
        wall: seconds in all.
        evaluations: CPU seconds and seconds of each evaluation.
    """

    wall: float
    evaluations: list[tuple[float, float]]

    @property
    def over_cpu(self) -> float:
        """Wall time over the ideal by CPU seconds, less 1."""
        return self.wall * _N_WORKERS / sum(cpu for cpu, _ in self.evaluations) - 1

    @property
    def over_own(self) -> float:
        """Wall time over the ideal by the evaluations' own time, less 1."""
        return self.wall * _N_WORKERS / sum(own for _, own in self.evaluations) - 1


def compute(seed: int) -> tuple[float, float]:
    """Compute for as many CPU seconds as the seed stands for; give those and the seconds."""
    began, started = time.perf_counter(), time.process_time()
    seconds = _MEDIAN_SECONDS * math.exp(_SIGMA * Random(seed).gauss(0, 1))
    while (spent := time.process_time() - started) < seconds:
        sum(range(10_000))
    return spent, time.perf_counter() - began


def evaluate(task: EvaluationTask) -> tuple[Evaluation, None]:
    """Compute in the place of a training."""
    cpu, own = compute(task.seed)
    fitness = Random(task.seed).random()
    return (
        Evaluation(
            task.candidate_id,
            task.training.epochs,
            task.seed,
            fitness,
            message=str(cpu),
            train_seconds=own,
        ),
        None,
    )


def main() -> None:
    """Time the five and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--evaluations", type=int, default=80)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    n = options.evaluations
    dataset = load_dataset(DataConfig())
    evaluator = RayEvaluator(dataset, n_workers=_N_WORKERS, function=evaluate)

    def run_strategy(strategy: str) -> Times:
        run = run_search(
            evaluator,
            dataset.summary(),
            f"strategy={strategy}",
            f"budget.evaluations={n}",
            "population.size=20",
            "population.stop_margin=1",
            "training.inherit_weights=false",
        )
        trained = [one for one in run.evaluations if one.source is Source.TRAINED]
        return Times(run.wall_seconds, [(float(one.message), one.train_seconds) for one in trained])

    def run_tune() -> Times:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            results = tune.Tuner(
                lambda config: {"times": compute(config["seed"])},
                param_space={"seed": tune.randint(0, 2**31)},
                tune_config=tune.TuneConfig(
                    num_samples=n, max_concurrent_trials=_N_WORKERS, reuse_actors=True
                ),
                run_config=tune.RunConfig(storage_path=folder, verbose=0),
            ).fit()
            wall = time.perf_counter() - started
        return Times(wall, [tuple(one.metrics["times"]) for one in results if one.metrics])

    def run_plain() -> Times:
        seeds = [Random(number).randrange(2**31) for number in range(n)]
        with ProcessPoolExecutor(_N_WORKERS, multiprocessing.get_context("spawn")) as pool:
            [*pool.map(compute, seeds[:_N_WORKERS])]  # starts the processes
            started = time.perf_counter()
            times = [*pool.map(compute, seeds)]
            return Times(time.perf_counter() - started, times)

    contestants: dict[str, Callable[[], Times]] = {
        _PLAIN: run_plain,
        **{strategy: partial(run_strategy, strategy) for strategy in _STRATEGIES},
        "ray tune": run_tune,
    }
    rounds: list[dict[str, Times]] = []
    try:
        for number in range(options.repeats + 1):
            times = {name: run() for name, run in contestants.items()}
            if number:  # the first one loads what the others have then
                rounds.append(times)
    finally:
        evaluator.close()
    rows = [_row(name, rounds) for name in contestants]
    print_table(
        [
            {key: f"{value:.1%}" if key != "system" else value for key, value in row.items()}
            for row in rows
        ]
    )
    report(
        benchmark="overhead",
        evaluations=n,
        repeats=options.repeats,
        ray=ray.__version__,
        rows=rows,
    )


def _row(name: str, rounds: Sequence[Mapping[str, Times]]) -> dict[str, Any]:
    """Give medians over the rounds, and the range of the first."""
    own = [one[name].over_own for one in rounds]
    plain = [(1 + one[name].over_cpu) / (1 + one[_PLAIN].over_cpu) - 1 for one in rounds]
    return {
        "system": name,
        "over own": statistics.median(own),
        "min": min(own),
        "max": max(own),
        "over CPU": statistics.median(one[name].over_cpu for one in rounds),
        "over plain": statistics.median(plain),
    }


if __name__ == "__main__":
    main()
