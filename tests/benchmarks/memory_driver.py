"""A driver with so many workers, each of which trains a small network on CIFAR-10.

``python -m tests.benchmarks.memory_driver DATA_DIR WORKERS IMAGES`` prints as JSON what all its
processes hold; memory.py runs it, anew for each row.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from tests.benchmarks.memory_processes import Memory, memory_of_tree, total
from tests.support.records import genome
from vlga.config.data import DataConfig
from vlga.config.training import TrainingConfig
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan
from vlga.ports.evaluator import EvaluationTask
from workers.data import load_dataset
from workers.evaluators.on_ray import RayEvaluator

__all__ = ["small_network"]

#: Rounds of trainings after which every worker must have had one.
_MAX_ROUNDS = 5

Snapshot = dict[int, Memory]


def small_network() -> NetworkPlan:
    """Give two convolutions of 8 channels, with batch normalization, a pool and a skip."""
    base = genome()
    block = replace(base.blocks[0], channels_a=8, channels_b=8)
    return decode(replace(base, blocks=(block,)), (3, 32, 32), 10)


def main() -> None:
    """Train for an epoch on every worker, at once; print what was held meanwhile and after."""
    folder, n_workers, n_images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    config = DataConfig(name="cifar10", dir=folder, train_limit=n_images)
    evaluator = RayEvaluator(load_dataset(config), n_workers=n_workers)
    snapshots: list[Snapshot] = []
    workers: set[int] = set()
    for _ in range(_MAX_ROUNDS):
        workers |= _train_on_all(evaluator, n_workers, snapshots)
        if len(workers) == n_workers:
            break
    assert len(workers) == n_workers, "a worker got no training"
    after = memory_of_tree(os.getpid())
    evaluator.close()
    most = max(snapshots, key=lambda one: total(one.values()).sum)
    print(json.dumps({"training": _parts(most, workers), "after": _parts(after, workers)}))


def _train_on_all(evaluator: RayEvaluator, n: int, snapshots: list[Snapshot]) -> set[int]:
    """Run so many trainings; append what is held, several times a second; give who trained."""
    for number in range(n):
        evaluator.submit(
            EvaluationTask(number, small_network(), TrainingConfig(epochs=1), seed=number)
        )
    workers: set[int] = set()
    n_ended = 0
    while n_ended < n:
        for trained in evaluator.wait(0.2):
            ended = trained.evaluation
            assert ended.completed, ended.message
            workers.add(int(ended.worker.rpartition(":")[2]))
            n_ended += 1
        snapshots.append(memory_of_tree(os.getpid()))
    return workers


def _parts(snapshot: Snapshot, workers: Collection[int]) -> dict[str, Any]:
    """Tell the driver, Ray's own processes and the workers apart."""
    driver = os.getpid()
    own = [memory for pid, memory in snapshot.items() if pid not in {driver, *workers}]
    return {
        "driver": asdict(snapshot[driver]),
        "ray": asdict(total(own)),
        "workers": [asdict(snapshot[pid]) for pid in sorted(workers)],
    }


if __name__ == "__main__":
    main()
