"""The function that Ray runs on a worker for one training."""

from __future__ import annotations

import faulthandler
import os
import pickle
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

import ray

from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from workers.cluster.idle import end_idle_workers
from workers.data import Dataset
from workers.training.cuda_errors import UnusableGpuError

__all__ = ["make_entry", "reserved_gpu"]


def make_entry(
    function: Callable[..., tuple[Evaluation, bytes | None]] | None, *, on_gpu: bool
) -> Callable[..., tuple[bytes, bytes | None]]:
    """Give the function that Ray runs; torch is imported on the worker, not here.

    Args:
        function: trains a task; `workers.training.evaluate.evaluate` if None.
        on_gpu: whether it trains on the GPU that Ray reserves.

    Returns:
        A function of a pickled (task without weights, threads, share of a GPU, seconds after which
        it counts as hanging, workers that may be ended for their memory if they are idle) and of
        references to the data set and, if there are any, to weights to inherit. It gives the
        pickled outcome and the trained weights.
    """
    #: On a worker: the data set used last, by its reference.
    datasets: dict[ray.ObjectRef, Dataset] = {}

    def evaluate(packed: bytes, shared: list[ray.ObjectRef]) -> tuple[bytes, bytes | None]:
        task, n_threads, gpu_share, limit, idle = pickle.loads(packed)  # noqa: S301  # our own driver's
        # If the training hangs, even in code that does not let Python go on, this ends the process
        # and writes to the worker's log where it hung.
        faulthandler.dump_traceback_later(limit, exit=True)
        try:
            return train(task, shared, n_threads, gpu_share, idle)
        except UnusableGpuError as error:
            # Ray would give this process, always the first to be free, one task after the other.
            # Its death is a lost worker to the driver, which has the task trained by another.
            sys.stderr.write(f"this process ends: {error}\n")  # in the worker's log
            sys.stderr.flush()
            os._exit(1)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def train(
        task: EvaluationTask,
        shared: list[ray.ObjectRef],
        n_threads: int,
        gpu_share: float,
        idle: Collection[str],
    ) -> tuple[bytes, bytes | None]:
        if function is not None:
            evaluation, weights = function(task)
            return pickle.dumps(evaluation), weights
        from workers.training.evaluate import evaluate as train_and_score

        # References inside a list are not fetched by Ray: a worker fetches the data set once.
        if shared[0] not in datasets:
            datasets.clear()
            datasets[shared[0]] = ray.get(shared[0])
        if len(shared) > 1:
            task = replace(task, weights=ray.get(shared[1]))
        data = datasets[shared[0]]
        device = reserved_gpu() if on_gpu else "cpu"
        evaluation, weights = train_and_score(
            task,
            data,
            device=device,
            n_threads=n_threads,
            gpu_share=gpu_share,
            make_room=partial(end_idle_workers, idle),
        )
        return pickle.dumps(evaluation), weights

    return evaluate


def reserved_gpu() -> str:
    """Give torch's name of the GPU that Ray reserved for the running task, such as ``cuda:1``.

    Ray tells a process its GPU by ``CUDA_VISIBLE_DEVICES``, which CUDA reads only once, but may
    give the next task of that process another GPU. So a process sees all GPUs, and each training
    names its own. GPUs that have UUIDs instead of numbers, such as parts of a GPU, cannot be named
    so: a process then keeps its first one.
    """
    gpu, *_ = ray.get_gpu_ids()
    if not str(gpu).isdecimal():
        return "cuda:0"
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    return f"cuda:{gpu}"
