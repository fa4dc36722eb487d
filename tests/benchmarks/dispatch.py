"""Evaluations a second with nothing to train: what the machinery around a training costs.

``python -m tests.benchmarks.dispatch [--evaluations N] [--repeats R]``

In one run, over several rounds: vlga (driver, Ray tasks, every outcome durable in an SQLite file
before the strategy hears of it), Ray Tune on the same Ray, and Optuna on an SQLite file in one
process. Each has about as many parameters as a genome of one block has genes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time

import optuna
import ray
from ray import tune

from tests.benchmarks.searching import run_search
from tests.benchmarks.timing import alternate, print_table, report
from vlga.config.data import DataConfig
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from workers.data import load_dataset
from workers.evaluators.on_ray import RayEvaluator

_N_PARAMETERS = 16


def evaluate_nothing(task: EvaluationTask) -> tuple[Evaluation, None]:
    """Give a fitness at once."""
    fitness = (task.seed % 10_000) / 10_000
    return Evaluation(task.candidate_id, task.training.epochs, task.seed, fitness), None


def main() -> None:
    """Time the three and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--evaluations", type=int, default=1500)
    parser.add_argument("--peer-evaluations", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    dataset = load_dataset(DataConfig())
    evaluator = RayEvaluator(dataset, n_workers=2, function=evaluate_nothing)
    n, n_peer = options.evaluations, options.peer_evaluations

    def run_vlga() -> float:
        run = run_search(
            evaluator,
            dataset.summary(),
            "strategy=random_search",
            f"budget.evaluations={n}",
            "population.size=50",
        )
        assert len(run.evaluations) >= n
        return run.wall_seconds / n

    def run_tune() -> float:
        space = {f"x{i}": tune.uniform(0, 1) for i in range(_N_PARAMETERS)}
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            tune.Tuner(
                lambda config: {"fitness": config["x0"]},
                param_space=space,
                tune_config=tune.TuneConfig(num_samples=n_peer),
                run_config=tune.RunConfig(storage_path=folder, verbose=0),
            ).fit()
            return (time.perf_counter() - started) / n_peer

    def run_optuna() -> float:
        with tempfile.TemporaryDirectory() as folder:
            study = optuna.create_study(
                storage=f"sqlite:///{folder}/study.db",
                direction="maximize",
                sampler=optuna.samplers.RandomSampler(0),
            )
            started = time.perf_counter()
            study.optimize(
                lambda trial: max(trial.suggest_float(f"x{i}", 0, 1) for i in range(_N_PARAMETERS)),
                n_trials=n_peer,
            )
            return (time.perf_counter() - started) / n_peer

    try:
        seconds = alternate(
            {"vlga": run_vlga, "ray tune": run_tune, "optuna": run_optuna}, options.repeats
        )
    finally:
        evaluator.close()
    rates = {name: [1 / one for one in taken] for name, taken in seconds.items()}
    print_table(
        [
            {
                "system": name,
                "evaluations/s (median)": f"{statistics.median(rate):.1f}",
                "min": f"{min(rate):.1f}",
                "max": f"{max(rate):.1f}",
            }
            for name, rate in rates.items()
        ]
    )
    report(
        benchmark="dispatch",
        evaluations=n,
        repeats=options.repeats,
        ray=ray.__version__,
        optuna=optuna.__version__,
        **{
            f"{name.replace(' ', '_')}_per_second": round(statistics.median(rate), 1)
            for name, rate in rates.items()
        },
    )


if __name__ == "__main__":
    main()
