"""What processes hold in memory, as Linux counts it: proportional set size (PSS).

A page that several processes have mapped counts for each of them in equal parts, so that the sums
over processes say what all of them hold together, and nothing twice.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import reduce
from pathlib import Path

__all__ = ["Memory", "memory_of_plain_torch", "memory_of_tree", "total"]

#: A process with torch and nothing of ours: one training step of a small network on one thread,
#: then it says so and stays until its input ends.
_PLAIN_TORCH = """
import sys
import numpy
import torch
from torch import nn

torch.set_num_threads(1)
network = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10),
)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, fused=True)
logits = network(torch.from_numpy(numpy.zeros((16, 3, 32, 32), numpy.float32)))
nn.functional.cross_entropy(logits, torch.zeros(16, dtype=torch.int64)).backward()
optimizer.step()
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """PSS in bytes.

    Attributes:
        private: pages of no file: heaps, stacks, what a library changed in its own.
        files: of programs and libraries.
        shared: of shared memory, which here is Ray's object store.
    """

    private: int = 0
    files: int = 0
    shared: int = 0

    def __add__(self, other: Memory) -> Memory:
        sums = (getattr(self, one.name) + getattr(other, one.name) for one in fields(Memory))
        return Memory(*sums)

    @property
    def sum(self) -> int:
        """All three."""
        return self.private + self.files + self.shared


def total(memories: Iterable[Memory]) -> Memory:
    """Add up what processes hold."""
    return reduce(Memory.__add__, memories, Memory())


def memory_of_tree(pid: int) -> dict[int, Memory]:
    """Measure a process and all that it has started, by process id."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        children.setdefault(parent, []).append(int(status.parent.name))
    tree = [pid]
    for one in tree:
        tree += children.get(one, [])
    return {one: _memory_of(one) for one in tree}


def memory_of_plain_torch(n: int) -> Memory:
    """Start so many processes with torch and nothing else; measure them when all have trained."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # as Ray sets it
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PLAIN_TORCH],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        for _ in range(n)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    memory = total([_memory_of(process.pid) for process in processes])
    for process in processes:
        process.communicate()
    return memory


def _memory_of(pid: int) -> Memory:
    """Read what Linux counts; nothing if the process has ended."""
    try:
        counts = dict(
            re.findall(r"(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text())
        )
    except OSError:
        return Memory()
    kinds = ("Pss_Anon", "Pss_File", "Pss_Shmem")
    return Memory(*(1024 * int(counts.get(kind, 0)) for kind in kinds))
