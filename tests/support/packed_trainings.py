"""Trainings on GPUs that are not there: how many run at once beside each, and on which they are.

Run as a program: the processes of a test share a Ray that has no GPU.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ray

from tests.support.trainings import dataset, drain, task
from vlga.errors import EvaluatorError
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from vlga.ports.machines import Machines
from workers.cluster import gpus
from workers.cluster.gpus import MachineGpus
from workers.cluster.room import MachineCount
from workers.cluster.task import reserved_gpu
from workers.evaluators import on_ray
from workers.evaluators.on_ray import RayEvaluator

_N_SMALL = 4
#: Of the GPU: one of the small trainings needs more than an eighth and less than a quarter.
_GPU_BYTES = 5 * 2**30
#: Between two looks: processes that look without a pause leave no CPU for each other.
_PAUSE_SECONDS = 0.02
#: How long they wait for each other: on a busy machine processes take long to start.
_PATIENCE_SECONDS = 40


def meet(folder: Path, one: EvaluationTask) -> tuple[Evaluation, None]:
    """Wait until all that should run beside this one do; tell how many did."""
    group = one.candidate_id // (_N_SMALL + 1)
    is_large = one.candidate_id % (_N_SMALL + 1) == _N_SMALL
    expected = 1 if is_large else _N_SMALL
    (folder / f"running-{one.candidate_id}").touch()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    n_beside = 0
    while n_beside < expected and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        n_beside = len([*folder.glob("running-*")])
    (folder / f"done-{group}-{one.candidate_id}").touch()
    while len([*folder.glob(f"done-{group}-*")]) < _N_SMALL and not is_large:
        assert time.monotonic() < deadline
        time.sleep(_PAUSE_SECONDS)
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


def packed(folder: Path) -> dict[str, Any]:
    """Train as many small ones as fit, a large one, and small ones again."""
    large = task(_N_SMALL)
    huge = large.training.model_copy(update={"batch_size": 40})
    packing = evaluator(folder)
    for number in range(2 * _N_SMALL + 1):
        packing.submit(replace(task(number), is_final=number == _N_SMALL, training=huge))
    outcomes = sorted(drain(packing), key=lambda one: one.candidate_id)
    return {
        "n_slots": packing.n_slots,
        "has_bfloat16": packing.machines.has_bfloat16,
        "at_once": [int(one.message) for one in outcomes],
    }


def unusable(folder: Path) -> dict[str, Any]:
    """Ask for what each needs, and for half a GPU, of which torch can use none."""
    messages = BufferingHandler(capacity=100)
    logging.getLogger("workers").addHandler(messages)
    asking = partial(RayEvaluator, dataset(), function=partial(meet, folder))
    found: dict[str, Any] = {"n_slots": asking(gpus_per_evaluation="auto").n_slots}
    found["asked"] = refusal(lambda: asking(gpus_per_evaluation=0.5))
    with patch.object(on_ray, "look_at_gpus", two_machines):
        found["some"] = refusal(lambda: asking(gpus_per_evaluation="auto"))
    found["said"] = [message.getMessage() for message in messages.buffer]
    return found


def refusal(make: Callable[[], RayEvaluator]) -> str:
    """Give why no evaluator is made."""
    try:
        make()
    except EvaluatorError as error:
        return str(error)
    return ""


def two_machines() -> list[MachineGpus]:
    """Give what two machines say of their GPUs."""
    return [MachineGpus(name, name == "good", (80 * 2**30,)) for name in ("good", "bad")]


def lost_and_back(folder: Path) -> dict[str, Any]:
    """Train while no machine with a GPU is to be seen, and when they are back."""
    packing, count = evaluator(folder), Machines(n_nodes=0, n_gpus=0)
    with patch.object(MachineCount, "machines", count):
        for number in range(_N_SMALL):
            packing.submit(task(number))
        at_ray = len(packing._running)
    return {"at_ray": at_ray, "done": [one.completed for one in drain(packing)]}


def main() -> None:
    """Print a JSON object."""
    start = partial(ray.init, include_dashboard=False, log_to_driver=False)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        start(num_cpus=_N_SMALL + 1, num_gpus=1)  # so that it is the GPU that there is no more of
        with patch.object(gpus, "_look", lambda: (True, (_GPU_BYTES,), False)):
            found["packed"] = packed(Path(name))
            found["lost"] = lost_and_back(Path(name))
        with patch.object(gpus, "_look", lambda: (False, (), True)):
            found["unusable"] = unusable(Path(name))
        ray.shutdown()
        start(num_cpus=2, num_gpus=0)
        found["no_gpu"] = evaluator(Path(name)).n_slots
        ray.shutdown()
        start(num_cpus=4, num_gpus=2)
        found["reserved"] = processes_with_two_gpus()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
