"""Which machines of a Ray cluster trainings can run on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import ray

from vlga.errors import EvaluatorLost
from vlga.machines import Machines
from workers.ray_connection import while_connected

__all__ = ["MachineCount", "machines_of"]

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


class MachineCount:
    """Counts a cluster's machines now and then, and keeps the count while the cluster is lost."""

    def __init__(
        self, cpus: float, gpus: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Count, with what a training reserves."""
        self._cpus = cpus
        self._gpus = gpus
        self._clock = clock
        self._counted_at = clock()
        self._machines = self._count()

    def now(self) -> Machines:
        """Give the count, at most `_SECONDS` old if the cluster is there."""
        now = self._clock()
        if now - self._counted_at >= _SECONDS:
            self._counted_at = now
            with suppress(EvaluatorLost), while_connected():
                self._machines = self._count()
        return self._machines

    def _count(self) -> Machines:
        return machines_of(ray.nodes(), self._cpus, self._gpus)
