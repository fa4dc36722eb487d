"""Small networks side by side on one GPU: evaluations a minute, and the memory that stays taken.

``python -m tests.benchmarks.packing [--data cifar10 --data-dir DIR] [--evaluations N]``

The same random networks of the default preset are trained with 1, 2, 4 and 8 on the card at a time
and with the shares of ``auto``. Then, four at a time, a hundred evaluations of which one takes more
memory than its share (with CIFAR-10; digits are too few for that): how many of the others it costs,
and what the card holds before Ray starts, when each worker has trained once, when all is done, and
after Ray's end. `--cpu` runs the same on CPUs, to try the program.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal
from unittest.mock import patch

import ray
import torch

from tests.benchmarks.timing import print_table, report
from tests.support.trainings import drain
from vlga.config.load import load_config
from vlga.config.settings import DataConfig, SearchConfig
from vlga.networks.phenotype import plan_of
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from vlga.strategies import make_strategy
from workers.data import Dataset, load_dataset
from workers.evaluators import on_ray
from workers.evaluators.on_ray import RayEvaluator
from workers.machine import gpu_memories_bytes
from workers.training.footprint import training_bytes

_AT_ONCE = (1, 2, 4, 8)
#: Evaluations at a time, evaluations and the one that is too large, where memory is looked at.
_MEMORY_CASE = 4, 100, 50
_EPOCHS, _BATCH_SIZE = 1, 128
#: What the driver of a card needs to take back the memory of processes that were killed.
_SECONDS_TO_END = 5
#: Images a step of the one that is too large, and how large its network may be.
_TOO_LARGE = 2**20
_LARGE_LIMITS = "limits.max_macs=600_000_000", "limits.max_activation_bytes=40_000_000"


def main() -> None:
    """Run all cases and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits")
    parser.add_argument("--data-dir")
    parser.add_argument("--evaluations", type=int, default=48)
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    dataset = load_dataset(DataConfig(name=options.data, dir=options.data_dir))
    tasks = tasks_of(dataset, options.evaluations)
    rows = [
        _row(name, _run(dataset, tasks, n_workers, wish, is_cpu=options.cpu))
        for name, n_workers, wish in _cases()
    ]
    print_table(rows)
    report(
        benchmark="packing",
        evaluations=options.evaluations,
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        torch=torch.__version__,
        ray=ray.__version__,
        rows=rows,
        memory=_memory(dataset, is_cpu=options.cpu),
    )


def _cases() -> list[tuple[str, int, float | Literal["auto"]]]:
    fixed: list[tuple[str, int, float | Literal["auto"]]] = [(str(n), n, 1 / n) for n in _AT_ONCE]
    return [*fixed, ("auto", max(_AT_ONCE), "auto")]


def tasks_of(dataset: Dataset, n: int, limits: Sequence[str] = ()) -> list[EvaluationTask]:
    """Give random networks to train, the same in every case."""
    settings = "strategy=random_search", f"population.size={n}", *limits
    config: SearchConfig = load_config(settings=settings)
    data = dataset.summary()
    images = data.input_shape, len(data.classes)
    training = config.training.model_copy(update={"epochs": _EPOCHS, "batch_size": _BATCH_SIZE})
    return [
        EvaluationTask(one.id, plan_of(one.genome, *images), training, seed=one.id)
        for one in make_strategy(config, *images).ask(n)
    ]


def _run(
    dataset: Dataset,
    tasks: Sequence[EvaluationTask],
    n_workers: int,
    wish: float | Literal["auto"],
    *,
    is_cpu: bool,
) -> tuple[list[Evaluation], float]:
    """Train all on a Ray of its own; give the outcomes and the seconds after a first round."""
    evaluator = RayEvaluator(
        dataset, n_workers=n_workers, gpus_per_evaluation=0.0 if is_cpu else wish
    )
    try:
        for one in tasks[:n_workers]:  # loads torch, and the images into the card
            evaluator.submit(one)
        drain(evaluator)
        started = time.perf_counter()
        for one in tasks:
            evaluator.submit(one)
        return drain(evaluator), time.perf_counter() - started
    finally:
        evaluator.close()


def _row(name: str, run: tuple[list[Evaluation], float]) -> dict[str, Any]:
    outcomes, seconds = run
    return {
        "at once": name,
        "evaluations/min": round(60 * len(outcomes) / seconds, 1),
        "failed": sum(not one.completed for one in outcomes),
        "seconds each": round(sum(one.train_seconds for one in outcomes) / len(outcomes), 2),
        "peak MiB": max(one.peak_memory_bytes or 0 for one in outcomes) // 2**20,
    }


def _too_large(dataset: Dataset) -> EvaluationTask:
    """Give a training that no share of a GPU has room for: all images in one step."""
    largest = max(
        tasks_of(dataset, 20, _LARGE_LIMITS), key=lambda one: training_bytes(one.plan, _BATCH_SIZE)
    )
    return replace(largest, training=largest.training.model_copy(update={"batch_size": _TOO_LARGE}))


def _memory(dataset: Dataset, *, is_cpu: bool) -> dict[str, Any]:
    """Train a hundred, one of them too large, and look at the card's memory in between."""
    n_workers, n, which = _MEMORY_CASE
    tasks = tasks_of(dataset, n)
    tasks[which] = replace(_too_large(dataset), candidate_id=tasks[which].candidate_id)
    used = {"before": _used_mib()}
    # It would be refused before it is tried.
    with patch.object(on_ray, "refusal", return_value=None):
        evaluator = RayEvaluator(
            dataset, n_workers=n_workers, gpus_per_evaluation=0.0 if is_cpu else 1 / n_workers
        )
        outcomes: list[Evaluation] = []
        for name, some in (("first round", tasks[:n_workers]), ("all", tasks[n_workers:])):
            for one in some:
                evaluator.submit(one)
            outcomes += drain(evaluator)
            used[name] = _used_mib()
    evaluator.close()
    time.sleep(_SECONDS_TO_END)
    failed = {one.candidate_id: one for one in outcomes if not one.completed}
    failed.pop(tasks[which].candidate_id, None)
    (too_large,) = (one for one in outcomes if one.candidate_id == tasks[which].candidate_id)
    return {
        "too_large": f"{too_large.reason or 'completed'}: {too_large.message}",
        "others_failed": Counter(str(one.reason) for one in failed.values()),
        "gpu_mib": [size // 2**20 for size in gpu_memories_bytes()],
        "used_mib": {**used, "after": _used_mib()},
    }


def _used_mib() -> str:
    """Give what is taken of each card, as its driver's tool tells it."""
    ask = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
