"""Wall time over the ideal with evaluations of about a second on two workers: what Ray leaves idle.

``python -m tests.benchmarks.overhead [--evaluations N] [--repeats R]``

An evaluation computes until its process has had its CPU seconds, log-normal around one, so that the
driver and Ray compete with it for the two cores as they do with trainings. The ideal is the sum of
these seconds over the workers. Nothing reaches it: cores do other things too, and one worker ends
first. So there is the plain way beside it, two processes that compute the like, and the last column
is over that, in the same round. In one run, over several rounds: `steady_state`, `random_search`,
and `variable_length` with the real driver, Ray tasks and an SQLite file, and Ray Tune on the same
Ray with two trials at a time and its actors used again.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from random import Random

import ray
from ray import tune

from tests.benchmarks.searching import run_search
from tests.benchmarks.timing import alternate, print_table, report
from vlga.population import Evaluation
from vlga.ports import EvaluationTask
from vlga.settings import DataConfig
from workers.data import load_dataset
from workers.ray_evaluator import RayEvaluator

_N_WORKERS = 2
_MEDIAN_SECONDS, _SIGMA = 1.0, 0.3
_PLAIN = "two processes"
_STRATEGIES = ("steady_state", "random_search", "variable_length")


def compute(seed: int) -> float:
    """Compute for as many CPU seconds as the seed stands for; give how many they were."""
    started = time.process_time()
    seconds = _MEDIAN_SECONDS * math.exp(_SIGMA * Random(seed).gauss(0, 1))
    while (spent := time.process_time() - started) < seconds:
        sum(range(10_000))
    return spent


def evaluate(task: EvaluationTask) -> tuple[Evaluation, None]:
    """Compute in the place of a training."""
    spent = compute(task.seed)
    fitness = Random(task.seed).random()
    return (
        Evaluation(
            task.candidate_id,
            task.training.epochs,
            task.seed,
            fitness,
            train_seconds=spent,
            worker="",
            device="cpu",
        ),
        None,
    )


def main() -> None:
    """Time the four and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--evaluations", type=int, default=80)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    n = options.evaluations
    dataset = load_dataset(DataConfig())
    evaluator = RayEvaluator(dataset, n_workers=_N_WORKERS, function=evaluate)

    def over_ideal(strategy: str) -> Callable[[], float]:
        def run() -> float:
            run = run_search(
                evaluator,
                dataset.summary(),
                f"strategy={strategy}",
                f"budget.evaluations={n}",
                "population.size=20",
                "population.stop_margin=1",
                "training.inherit_weights=false",
            )
            ideal = sum(one.train_seconds for one in run.evaluations) / _N_WORKERS
            return run.wall_seconds / ideal - 1

        return run

    def tune_over_ideal() -> float:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            results = tune.Tuner(
                lambda config: {"seconds": compute(config["seed"])},
                param_space={"seed": tune.randint(0, 2**31)},
                tune_config=tune.TuneConfig(
                    num_samples=n, max_concurrent_trials=_N_WORKERS, reuse_actors=True
                ),
                run_config=tune.RunConfig(storage_path=folder, verbose=0),
            ).fit()
            wall = time.perf_counter() - started
        ideal = sum(one.metrics["seconds"] for one in results if one.metrics) / _N_WORKERS
        return wall / ideal - 1

    def plain_over_ideal() -> float:
        seeds = [Random(number).randrange(2**31) for number in range(n)]
        with ProcessPoolExecutor(_N_WORKERS, multiprocessing.get_context("spawn")) as pool:
            [*pool.map(compute, seeds[:_N_WORKERS])]  # starts the processes
            started = time.perf_counter()
            ideal = sum(pool.map(compute, seeds)) / _N_WORKERS
            return (time.perf_counter() - started) / ideal - 1

    try:
        shares = alternate(
            {
                _PLAIN: plain_over_ideal,
                **{strategy: over_ideal(strategy) for strategy in _STRATEGIES},
                "ray tune": tune_over_ideal,
            },
            options.repeats,
        )
    finally:
        evaluator.close()
    over_plain = {
        name: statistics.median(
            (1 + one) / (1 + plain) - 1 for one, plain in zip(share, shares[_PLAIN], strict=True)
        )
        for name, share in shares.items()
    }
    print_table(
        [
            {
                "system": name,
                "over the ideal (median)": f"{statistics.median(share):.1%}",
                "min": f"{min(share):.1%}",
                "max": f"{max(share):.1%}",
                "over plain": f"{over_plain[name]:.1%}",
            }
            for name, share in shares.items()
        ]
    )
    report(
        benchmark="overhead",
        evaluations=n,
        repeats=options.repeats,
        ray=ray.__version__,
        over_plain={name: round(share, 4) for name, share in over_plain.items()},
        **{
            f"{name.replace(' ', '_')}_over_ideal": round(statistics.median(share), 4)
            for name, share in shares.items()
        },
    )


if __name__ == "__main__":
    main()
