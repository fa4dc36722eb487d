"""Small networks side by side on one GPU: evaluations a minute, and the memory that stays taken.

    python -m tests.benchmarks.gpu.packing --data-dir DIR

Minutes of a card: about 7. First, four at a time, a hundred evaluations on 30,000 images of
CIFAR-10 of which one takes more memory than its share: how many of the others it costs, and what
the card holds before Ray starts, when each worker has trained once, when all is done, and after
Ray's end.
Then random networks of the preset `default`, with the sizes that it chooses for the images and a
GPU, are trained for an epoch each with 1, 2, 4 and 8 on the card at a time and with the shares of
``auto``: how many end in so many seconds.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any, Literal
from unittest.mock import patch

from tests.benchmarks.gpu.occasion import Occasion, arguments
from tests.support.trainings import drain
from vlga.app.sizes import Machine, choose_sizes, sizes_text
from vlga.config.load import load_config
from vlga.config.settings import SearchConfig
from vlga.networks.phenotype import plan_of
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from vlga.strategies import make_strategy
from workers.data import Dataset
from workers.evaluators import on_ray
from workers.evaluators.on_ray import RayEvaluator
from workers.machine import gpu_memories_bytes
from workers.training.footprint import training_bytes

__all__ = ["packed_rate", "tasks_of"]

_Wish = float | Literal["auto"]
_AT_ONCE = (1, 2, 4, 8)
#: Different networks that are trained over and over.
_N_NETWORKS = 64
#: Evaluations at a time, evaluations and the one that is too large, where memory is looked at; and
#: images, of which the whole of CIFAR-10 would take more than the card in one step.
_MEMORY_CASE, _SMALL_MEMORY_CASE, _MEMORY_IMAGES = (4, 100, 50), (2, 6, 3), 30_000
#: What the driver of a card needs to take back the memory of processes that were killed.
_SECONDS_TO_END = 5
#: Images a step of the one that is too large, and how large its network may be.
_TOO_LARGE = 2**20
_LARGE_LIMITS = "limits.max_macs=600_000_000", "limits.max_activation_bytes=40_000_000"
_SMALL_LIMITS = "limits.max_macs=100_000", "limits.max_activation_bytes=100_000"


def main(words: Sequence[str] | None = None) -> None:
    """Run all cases and print them."""
    parser = arguments(__doc__, minutes=8)
    parser.add_argument("--seconds", type=float, default=45, help="of each number at a time")
    options = parser.parse_args(words)
    now = Occasion.begin("packing", options, words, f"0 to {_N_NETWORKS - 1} of networks")
    for key, value in _memory(now).items():
        now.say(f"{key}: {value}")
    now.say()
    dataset = now.images("cifar10")
    tasks = tasks_of(now, dataset, _N_NETWORKS)
    fixed: list[tuple[str, int, _Wish]] = [(str(n), n, 1 / n) for n in _AT_ONCE]
    cases = [*fixed, ("auto", max(_AT_ONCE), "auto")]
    rows = []
    for name, n_workers, wish in cases[::4] if now.is_small else cases:
        if now.seconds_left < options.seconds:
            now.say(f"no time is left for {name} at a time")
            continue
        rate = packed_rate(now, dataset, tasks, n_workers, wish, seconds=options.seconds)
        rows.append({"at_a_time": name, **rate})
        now.say(str(rows[-1]))
    now.show(rows)


def tasks_of(
    now: Occasion, dataset: Dataset, n: int, limits: Sequence[str] = ()
) -> list[EvaluationTask]:
    """Give random networks to train for an epoch, with the sizes of a search on a GPU."""
    data = dataset.summary()
    wanted = [f"population.size={n}", "population.founders=[]", "strategy=random_search"]
    given = [*limits, *(_SMALL_LIMITS if now.is_small else ())]
    config: SearchConfig = load_config(settings=[*wanted, *given])
    config = choose_sizes(config, data, Machine(1, has_gpu=not now.is_small))
    now.say(f"{n} random networks: {sizes_text(config)}; here one epoch each")
    images = data.input_shape, len(data.classes)
    training = config.training.model_copy(update={"epochs": 1})
    return [
        EvaluationTask(one.id, plan_of(one.genome, *images), training, seed=one.id)
        for one in make_strategy(config, *images).ask(n)
    ]


def packed_rate(
    now: Occasion,
    dataset: Dataset,
    tasks: Sequence[EvaluationTask],
    n_workers: int,
    wish: _Wish,
    *,
    seconds: float,
) -> dict[str, Any]:
    """Train these over and over for some seconds, after a first round; give how many ended.

    Args:
        now: the occasion; where all is small, CPUs train, and each network once.
        dataset: the images.
        tasks: to train, their numbers from 0.
        n_workers: trainings at a time, at most.
        wish: GPUs for each, or ``auto``.
        seconds: after which no further one counts.
    """
    wish = 0.0 if now.is_small else wish
    n_workers, n_most = (2, 4) if now.is_small else (n_workers, 10**6)
    with closing(RayEvaluator(dataset, n_workers=n_workers, gpus_per_evaluation=wish)) as evaluator:
        for one in tasks[:n_workers]:  # loads torch, and the images into the card
            evaluator.submit(one)
        drain(evaluator)
        began, outcomes, numbers = time.monotonic(), [], count()

        def submit() -> None:
            number = next(numbers)
            if number < n_most:
                evaluator.submit(replace(tasks[number % len(tasks)], candidate_id=number))

        for _ in range(2 * n_workers):  # none waits for the driver
            submit()
        while (took := time.monotonic() - began) < seconds and len(outcomes) < n_most:
            for ended in evaluator.wait(1.0):
                outcomes.append(ended.evaluation)
                submit()
    return _row(outcomes, took)


def _row(outcomes: Sequence[Evaluation], seconds: float) -> dict[str, Any]:
    n = max(1, len(outcomes))
    return {
        "evaluations_a_minute": f"{60 * len(outcomes) / seconds:.1f}",
        "evaluations": len(outcomes),
        "failed": sum(not one.completed for one in outcomes),
        "seconds_each": f"{sum(one.train_seconds for one in outcomes) / n:.2f}",
        "peak_MiB": max((one.peak_memory_bytes or 0 for one in outcomes), default=0) >> 20,
    }


def _too_large(now: Occasion, dataset: Dataset) -> EvaluationTask:
    """Give a training that no share of a GPU has room for: all images in one step."""
    largest = max(
        tasks_of(now, dataset, 20, _LARGE_LIMITS), key=lambda one: training_bytes(one.plan, 128)
    )
    return replace(largest, training=largest.training.model_copy(update={"batch_size": _TOO_LARGE}))


def _memory(now: Occasion) -> dict[str, Any]:
    """Train a hundred, one of them too large, and look at the card's memory in between."""
    dataset = now.images("cifar10", _MEMORY_IMAGES)
    n_workers, n, which = _SMALL_MEMORY_CASE if now.is_small else _MEMORY_CASE
    tasks = tasks_of(now, dataset, n)
    tasks[which] = replace(_too_large(now, dataset), candidate_id=tasks[which].candidate_id)
    wish = 0.0 if now.is_small else 1 / n_workers
    used = {"before Ray starts": _used_mib()}
    outcomes: list[Evaluation] = []
    with (
        patch.object(on_ray, "refusal", return_value=None),  # it would be refused untried
        closing(RayEvaluator(dataset, n_workers=n_workers, gpus_per_evaluation=wish)) as evaluator,
    ):
        some = {"each worker has trained once": tasks[:n_workers], "all": tasks[n_workers:]}
        for name, round_ in some.items():
            for one in round_:
                evaluator.submit(one)
            outcomes += drain(evaluator)
            used[name] = _used_mib()
    if not now.is_small:
        time.sleep(_SECONDS_TO_END)
    failed = {one.candidate_id: one for one in outcomes if not one.completed}
    failed.pop(tasks[which].candidate_id, None)
    (too_large,) = (one for one in outcomes if one.candidate_id == tasks[which].candidate_id)
    return {
        "the one too large": f"{too_large.reason or 'completed'} {too_large.message}",
        "others that failed": dict(Counter(str(one.reason) for one in failed.values())),
        "their messages": sorted({one.message for one in failed.values()}),
        "MiB of the cards": [size >> 20 for size in gpu_memories_bytes()],
        "MiB in use": {**used, "after Ray's end": _used_mib()},
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
