"""Trains in forked processes and measures their memory.

``python -m tests.support.measured_training`` prints a JSON object: by name, how many bytes a plan's
training took and what is predicted; and what became of one with room for three quarters of it.
"""

from __future__ import annotations

import json
import os
import re
import resource
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.support.records import genome
from vlga.config.training import TrainingConfig
from vlga.networks.layers import Shape
from vlga.networks.named import ModelPlan
from vlga.networks.phenotype import Plan, decode
from vlga.networks.plan import NetworkPlan
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from workers.data import Dataset
from workers.training.evaluate import evaluate
from workers.training.footprint import SCORED_AT_ONCE, training_bytes

SHAPE, TINY = (3, 32, 32), (3, 4, 4)


def images(shape: Shape, n: int, n_scored: int) -> Dataset:
    """Give noise to train on and to score."""
    rng = np.random.default_rng(0)
    splits: list[Any] = []
    for size in (n, n_scored, 2):
        pixels = rng.integers(0, 256, (size, *shape), dtype=np.uint8)
        splits += [pixels, np.arange(size, dtype=np.int64) % 2]
    return Dataset("noise", ("even", "odd"), *splits)


def plan(
    n_blocks: int = 1, activation: str = "relu", shape: Shape = SHAPE, **genes: Any
) -> NetworkPlan:
    """Give a network of equal blocks."""
    base = genome(n_blocks)
    block = replace(base.blocks[0], **genes)
    network = replace(base.network, activation=activation, learning_rate=1e-4)
    return decode(replace(base, blocks=(block,) * n_blocks, network=network), shape, 2)


#: One or two hundred MB each; elu and pools keep more, named networks have maps of their own.
PLANS: dict[str, Plan] = {
    "pooled": plan(channels_a=64),
    "plain": plan(2, batch_norm_a=False, batch_norm_b=False, include_pool=False, skip=False),
    "elu": plan(activation="elu", include_pool=False),
    "deep": plan(6, include_pool=False),
    "many_weights": plan(2, shape=TINY, channels_a=1024, channels_b=1024),
    "named": ModelPlan(SHAPE, 2, plan().optimizer, None, "small_vgg"),
}


def status(key: str) -> int:
    """Give a size of this process in bytes."""
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def train(of: Plan, n: int = 128, n_scored: int = SCORED_AT_ONCE) -> Evaluation:
    """Train for one step."""
    task = EvaluationTask(0, of, TrainingConfig(epochs=1, batch_size=n), seed=0)
    return evaluate(task, images(of.input_shape, n, n_scored))[0]


def forked(function: Callable[[], Any]) -> Any:
    """Call a function in a fork of this process; give its result."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writer, json.dumps(function()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        return json.loads(answer.read())


def growth(of: Plan, **sizes: int) -> tuple[int, int]:
    """Measure how much a training's pages and addresses are at most beyond what is there now."""
    resident, addressed = status("VmRSS"), status("VmSize")
    outcome = train(of, **sizes)
    assert outcome.reason is None, outcome.message
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return peak - resident, status("VmPeak") - addressed


def in_tight_space(of: Plan, n_bytes: int, **sizes: int) -> tuple[str | None, str, int]:
    """Train with so many bytes of addresses left."""
    resource.setrlimit(resource.RLIMIT_AS, (status("VmSize") + n_bytes, -1))
    outcome = train(of, **sizes)
    return outcome.reason, outcome.message, len(outcome.curve)


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    train(plan(), 16, 16)  # what is loaded once is no matter of a plan
    results: dict[str, Any] = {}
    for name, of in PLANS.items():
        n = 8 if of.input_shape == TINY else 128
        pages, _ = forked(partial(growth, of, n=n))
        results[name] = pages, training_bytes(of, n)
    _, addresses = forked(partial(growth, PLANS["deep"], n_scored=16))
    tight = partial(in_tight_space, PLANS["deep"], 3 * addresses // 4, n_scored=16)
    results["tight"] = forked(tight)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
