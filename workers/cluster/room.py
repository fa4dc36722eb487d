"""Which machines of a Ray cluster trainings can run on, and how many fit at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import ray
import ray.exceptions

from vlga.errors import EvaluatorError, EvaluatorLost
from vlga.ports.machines import Machines
from workers.cluster.connect import while_connected

__all__ = [
    "MachineCount",
    "check_room",
    "cpus_alone",
    "machines_of",
    "memory_for",
    "room_of",
]

#: Ray is asked at most once in so many seconds; it takes half a millisecond, a client longer.
_SECONDS = 5.0


def machines_of(nodes: Iterable[Mapping[str, Any]], cpus: float, gpus: float) -> Machines:
    """Count the live machines that have room for a training.

    Args:
        nodes: as `ray.nodes` gives them.
        cpus: that a training reserves.
        gpus: that a training reserves.
    """
    roomy = [
        resources
        for resources in (node["Resources"] for node in nodes if node["Alive"])
        if resources.get("CPU", 0.0) >= cpus and resources.get("GPU", 0.0) >= gpus
    ]
    n_gpus = sum(int(resources.get("GPU", 0.0)) for resources in roomy) if gpus else 0
    return Machines(len(roomy), n_gpus)


def room_of(nodes: Iterable[Mapping[str, Any]], cpus: float, gpus: float) -> int:
    """Count the trainings that fit on the live machines, each on one machine.

    Args:
        nodes: as `ray.nodes` gives them.
        cpus: that a training reserves, above 0.
        gpus: that a training reserves.
    """
    asked = {kind: amount for kind, amount in (("CPU", cpus), ("GPU", gpus)) if amount}
    return sum(
        min(int(node["Resources"].get(kind, 0.0) / amount) for kind, amount in asked.items())
        for node in nodes
        if node["Alive"]
    )


class MachineCount:
    """Counts a cluster's machines every few seconds; keeps the last count if the cluster is lost.

    Machines may join and leave the cluster while a search runs.
    """

    def __init__(
        self, cpus: float, gpus: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Count machines for trainings that reserve so many CPUs and GPUs."""
        self._cpus = cpus
        self._gpus = gpus
        self._clock = clock
        self._looked_at = clock()
        self._look()

    @property
    def machines(self) -> Machines:
        """The machines, as they were at most `_SECONDS` ago if the cluster is there."""
        self._look_again()
        return self._machines

    @property
    def room(self) -> int:
        """How many trainings fit on them, likewise."""
        self._look_again()
        return self._room

    @property
    def nodes(self) -> Sequence[Mapping[str, Any]]:
        """All machines as `ray.nodes` gave them, likewise."""
        self._look_again()
        return self._nodes

    def _look_again(self) -> None:
        now = self._clock()
        if now - self._looked_at >= _SECONDS:
            self._looked_at = now
            with suppress(EvaluatorLost), while_connected():
                self._look()

    def _look(self) -> None:
        self._nodes: Sequence[Mapping[str, Any]] = ray.nodes()
        self._machines = machines_of(self._nodes, self._cpus, self._gpus)
        self._room = room_of(self._nodes, self._cpus, self._gpus)


def cpus_alone(nodes: Iterable[Mapping[str, Any]], cpus: float, gpus: float, n_slots: int) -> float:
    """Give the CPUs for a training that runs alone: those of all workers, on one machine.

    Args:
        nodes: as `ray.nodes` gives them.
        cpus: that another training reserves, above 0.
        gpus: that this one reserves.
        n_slots: trainings that could run at once.

    Returns:
        As many as all these trainings reserve, but not more than the largest machine with the GPUs
        has; 0 if no live machine has room for a training.
    """
    roomy = (node["Resources"] for node in nodes if node["Alive"] and room_of([node], cpus, gpus))
    return min(cpus * n_slots, max((float(one["CPU"]) for one in roomy), default=0.0))


def check_room(cpus: float, gpus: float) -> None:
    """Refuse a cluster that lacks the resources for one task.

    Args:
        cpus: that a task reserves, above 0.
        gpus: that a task reserves.

    Raises:
        EvaluatorError: not even one task fits.
    """
    resources = ray.cluster_resources()
    has_gpus, has_cpus = resources.get("GPU", 0.0), resources.get("CPU", 0.0)
    if has_gpus < gpus:
        raise EvaluatorError(
            f"--gpus-per-evaluation must be at most the {has_gpus:g} GPUs that Ray has here, but "
            f"got {gpus:g}; leave the option out to train on the CPU"
        )
    if has_cpus < cpus:
        way_out = "ask for less" if has_cpus else "let a machine with CPUs join the cluster first"
        raise EvaluatorError(
            f"--cpus-per-evaluation must be at most the {has_cpus:g} CPUs that Ray has here, but "
            f"got {cpus:g}; {way_out}"
        )
    if not room_of(ray.nodes(), cpus, gpus):
        raise EvaluatorError(
            "a training must fit on one machine of the cluster, but none has "
            f"{cpus:g} CPUs and {gpus:g} GPUs; ask for less"
        )


def memory_for(
    nodes: Iterable[Mapping[str, Any]],
    cpus: float,
    gpus: float,
    n_at_once: int,
    gpu_memories_bytes: Sequence[int] = (),
) -> int | None:
    """Give the bytes of memory that one task can have at most, on the node with the most memory.

    Args:
        nodes: as `ray.nodes` gives them.
        cpus: that a task reserves, above 0.
        gpus: that a task reserves; if any, GPU memory is meant.
        n_at_once: tasks that run at once.
        gpu_memories_bytes: of the GPUs for which it is known.

    Returns:
        With GPUs, the task's share of a GPU's memory. Without, the memory that Ray counts for
        tasks on a node, divided by the tasks that run there at once. None if it is not known.
    """
    if gpus:
        largest = max(gpu_memories_bytes, default=None)
        return None if largest is None else int(min(1.0, gpus) * largest)
    shares = []
    for node in nodes:
        n_here = min(n_at_once, int(node["Resources"].get("CPU", 0.0) / cpus))
        if node["Alive"] and n_here and "memory" in node["Resources"]:
            shares.append(int(node["Resources"]["memory"] / n_here))
    return max(shares, default=None)
