"""What each further worker on one machine takes of its memory, beside torch itself.

``python -m tests.benchmarks.memory --data-dir DIR [--workers 1,2,4,8]``

On CIFAR-10, in torchvision's files in DIR: a driver with so many workers, all of which train a
small network on all images at once (memory_driver.py). Measured is the proportional set size of
every process (memory_processes.py), in MB of 1,000,000 bytes, at two moments: *training*, the one
of all looked at when the processes together held the most, and *after*, when every worker has
trained. In a row:

- *images*: shared memory in use by all processes together, which is Ray's object store. One copy of
  all images with their labels is 184.8 MB;
- *driver*, *Ray*, *worker*: pages of their own, of Ray's processes (raylet, server, agents)
  together, of workers the mean;
- *files*: programs and libraries, of all processes together;
- *sum*: of all that, with every worker.

The row with fewer images is the control: had a worker a copy of images, it would hold less there.
Beside them as many processes with plain torch, each after a training step with 16 images. What a
further worker adds is the growth of the sum, without the driver, from the first row to the last of
all images. (The driver's pages differ from run to run by what the C library has kept of loading.)
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

import ray
import torch

from tests.benchmarks.memory_driver import small_network
from tests.benchmarks.memory_processes import Memory, memory_of_plain_torch, total
from tests.benchmarks.timing import print_table, report
from vlga.config.training import TrainingConfig
from workers.training.footprint import training_bytes

_ALL_IMAGES, _FEW_IMAGES = 50_000, 6_000
_MOMENTS = ("training", "after")


def main() -> None:
    """Measure each number of workers and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--workers", default="1,2,4,8", help="at least two numbers, rising")
    options = parser.parse_args()
    numbers = [int(one) for one in options.workers.split(",")]
    cases = [*((n, _ALL_IMAGES) for n in numbers), (numbers[-1], _FEW_IMAGES)]
    found = {case: _run_driver(options.data_dir, *case) for case in cases}
    plain = {n: memory_of_plain_torch(n) for n in numbers}
    for moment in _MOMENTS:
        print(f"{moment}\n")
        print_table([_row(*case, parts[moment]) for case, parts in found.items()])
        print()
    print("plain torch\n")
    print_table([_plain_row(n, one) for n, one in plain.items()])
    runtime = _growth({n: one.sum for n, one in plain.items()})
    added = {
        moment: _growth({n: _beside_driver(found[n, _ALL_IMAGES][moment]) for n in numbers})
        for moment in _MOMENTS
    }
    report(
        benchmark="memory",
        ray=ray.__version__,
        torch=torch.__version__,
        plain_torch_adds=_mb(runtime),
        **{f"worker_{moment}_adds": _mb(one) for moment, one in added.items()},
        **{f"beside_torch_{moment}": _mb(one - runtime) for moment, one in added.items()},
        training_predicted=_mb(training_bytes(small_network(), TrainingConfig().batch_size)),
    )


def _run_driver(data_dir: str, n_workers: int, n_images: int) -> dict[str, Any]:
    """Measure in processes that nothing was in before; give each moment's parts."""
    module = "tests.benchmarks.memory_driver"
    command = [sys.executable, "-m", module, data_dir, str(n_workers), str(n_images)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return {
        moment: {
            "driver": Memory(**parts["driver"]),
            "ray": Memory(**parts["ray"]),
            "workers": [Memory(**one) for one in parts["workers"]],
        }
        for moment, parts in json.loads(ran.stdout.splitlines()[-1]).items()
    }


def _all(parts: dict[str, Any]) -> Memory:
    return total([parts["driver"], parts["ray"], *parts["workers"]])


def _beside_driver(parts: dict[str, Any]) -> int:
    driver: Memory = parts["driver"]
    return _all(parts).sum - driver.private


def _row(n_workers: int, n_images: int, parts: dict[str, Any]) -> dict[str, Any]:
    everything = _all(parts)
    return {
        "workers": n_workers,
        "of images": n_images,
        "images": _mb(everything.shared),
        "driver": _mb(parts["driver"].private),
        "Ray": _mb(parts["ray"].private),
        "worker": _mb(total(parts["workers"]).private / n_workers),
        "files": _mb(everything.files),
        "sum": _mb(everything.sum),
    }


def _plain_row(n: int, memory: Memory) -> dict[str, Any]:
    return {
        "processes": n,
        "process": _mb(memory.private / n),
        "files": _mb(memory.files),
        "sum": _mb(memory.sum),
    }


def _growth(sums: dict[int, int]) -> float:
    """Give what one process more adds, from sums by number of processes."""
    (first, *_, last) = sums
    return (sums[last] - sums[first]) / (last - first)


def _mb(n_bytes: float) -> float:
    return round(n_bytes / 1e6, 1)


if __name__ == "__main__":
    main()
