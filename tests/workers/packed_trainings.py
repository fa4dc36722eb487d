"""Trainings on GPUs that are not there: how many run at once beside each, and on which they are.

Run as a program: the processes of a test share a Ray that has no GPU.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ray

from tests.trainings import dataset, drain, task
from vlga.population import Evaluation
from vlga.ports import EvaluationTask
from workers import ray_evaluator
from workers.ray_evaluator import RayEvaluator
from workers.ray_gpus import reserved_gpu

_N_SMALL = 8


def meet(folder: Path, one: EvaluationTask) -> tuple[Evaluation, None]:
    """Wait until all that should run beside this one do; tell how many did."""
    group = one.candidate_id // (_N_SMALL + 1)
    is_large = one.candidate_id % (_N_SMALL + 1) == _N_SMALL
    expected = 1 if is_large else _N_SMALL
    (folder / f"running-{one.candidate_id}").touch()
    deadline = time.monotonic() + 20
    n_beside = 0
    while n_beside < expected and time.monotonic() < deadline:
        n_beside = len([*folder.glob("running-*")])
    (folder / f"done-{group}-{one.candidate_id}").touch()
    while len([*folder.glob(f"done-{group}-*")]) < _N_SMALL and not is_large:
        assert time.monotonic() < deadline
    (folder / f"running-{one.candidate_id}").unlink()
    return Evaluation(one.candidate_id, 1, 0, 0.5, message=str(n_beside)), None


def evaluator(folder: Path) -> RayEvaluator:
    """Give one that packs; its Ray tasks need only this module."""
    function: Callable[..., tuple[Evaluation, None]] = partial(meet, folder)
    return RayEvaluator(dataset(), gpus_per_evaluation="auto", function=function)


def on_which(_: int) -> tuple[int, str, str, str | None]:
    """Give the process, its GPU as Ray and as we say it, and what the process is let see then."""
    told = os.environ["CUDA_VISIBLE_DEVICES"]
    return os.getpid(), f"cuda:{told}", reserved_gpu(), os.environ.get("CUDA_VISIBLE_DEVICES")


def processes_with_two_gpus() -> list[tuple[int, str, str, str | None]]:
    """Let tasks of half a GPU come and go until one process has been given both."""
    task = ray.remote(on_which).options(num_cpus=1, num_gpus=0.5)
    seen: list[tuple[int, str, str, str | None]] = []
    for n_tasks in range(1, 200):
        seen += ray.get([task.remote(number) for number in range(n_tasks % 4 + 1)])
        if len({one[:2] for one in seen}) > len({pid for pid, *_ in seen}):
            return seen
    raise AssertionError("no process was given two")


def main() -> None:
    """Print a JSON object."""
    large = task(_N_SMALL)
    huge = large.training.model_copy(update={"batch_size": 40})
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, patch.object(ray_evaluator, "gpu_memories") as told:
        told.return_value = [80 * 2**30]
        ray.init(num_cpus=_N_SMALL, num_gpus=1, include_dashboard=False, log_to_driver=False)
        packing = evaluator(Path(name))
        found["n_slots"] = packing.n_slots
        for number in range(2 * _N_SMALL + 1):
            is_large = number == _N_SMALL
            packing.submit(replace(task(number), is_final=is_large, training=huge))
        outcomes = sorted(drain(packing), key=lambda one: one.candidate_id)
        found["at_once"] = [int(one.message) for one in outcomes]
        ray.shutdown()
        ray.init(num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False)
        found["no_gpu"] = evaluator(Path(name)).n_slots
        ray.shutdown()
        ray.init(num_cpus=4, num_gpus=2, include_dashboard=False, log_to_driver=False)
        found["reserved"] = processes_with_two_gpus()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
