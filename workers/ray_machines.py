"""Which machines of a Ray cluster trainings can run on, and how many at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import ray

from vlga.errors import EvaluatorLost
from vlga.machines import Machines
from workers.ray_connection import while_connected

__all__ = ["MachineCount", "machines_of", "room_of"]

#: Ray is asked so often at most: by a client it takes milliseconds, elsewhere half of one.
_SECONDS = 5.0


def machines_of(nodes: Iterable[Mapping[str, Any]], cpus: float, gpus: float) -> Machines:
    """Count the machines that are alive and have room for a training.

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
    """Count the trainings that fit the machines that are alive, none across two of them.

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
    """Counts a cluster's machines now and then, and keeps the count while the cluster is lost.

    Machines may join a cluster and leave it while a search runs.
    """

    def __init__(
        self, cpus: float, gpus: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Count, with what a training reserves."""
        self._cpus = cpus
        self._gpus = gpus
        self._clock = clock
        self._looked_at = clock()
        self._look()

    @property
    def machines(self) -> Machines:
        """The machines, at most `_SECONDS` ago if the cluster is there."""
        self._look_again()
        return self._machines

    @property
    def room(self) -> int:
        """How many trainings fit them, as long ago."""
        self._look_again()
        return self._room

    def _look_again(self) -> None:
        now = self._clock()
        if now - self._looked_at >= _SECONDS:
            self._looked_at = now
            with suppress(EvaluatorLost), while_connected():
                self._look()

    def _look(self) -> None:
        nodes = ray.nodes()
        self._machines = machines_of(nodes, self._cpus, self._gpus)
        self._room = room_of(nodes, self._cpus, self._gpus)
