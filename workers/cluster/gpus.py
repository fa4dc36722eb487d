"""The GPUs of a Ray cluster: whether torch can use them, their memory, each training's share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import ray
import ray.exceptions

from vlga.errors import EvaluatorError
from vlga.ports.data import DataSummary
from workers.cluster.gpu_shares import FixedShare, GpuShares, Shares
from workers.cluster.nodes import ask_every_node
from workers.machine import gpu_memories_bytes, torch_sees_gpus

__all__ = ["MachineGpus", "look_at_gpus", "make_shares"]

#: Seconds that a machine may take to tell of its GPUs; torch is loaded for it.
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class MachineGpus:
    """What a machine that offers GPUs says of them.

    Attributes:
        host: its name.
        are_usable: whether torch can use them.
        memories_bytes: of each, or nothing if its driver's tool cannot tell.
    """

    host: str
    are_usable: bool
    memories_bytes: tuple[int, ...]


def look_at_gpus() -> list[MachineGpus]:
    """Ask every machine of the cluster that offers GPUs; one that does not answer can use none."""
    answers = ask_every_node(_look, kind="GPU")
    return [MachineGpus(node["NodeManagerHostname"], *_told(answer)) for node, answer in answers]


def make_shares(
    wish: float | Literal["auto"],
    machines: Sequence[MachineGpus],
    data: DataSummary,
    say: Callable[[str], object],
) -> Shares:
    """Give what tells the GPUs that each training reserves.

    Args:
        wish: GPUs for each; ``auto`` for what each needs, or for none where torch can use none.
        machines: those that offer GPUs.
        data: the images.
        say: is told if there are GPUs that torch cannot use.

    Raises:
        EvaluatorError: there are machines with GPUs that torch cannot use there, and either GPUs
            were asked for or other machines' can be used.
    """
    blind = [one.host for one in machines if not one.are_usable]
    if blind and (wish != "auto" or len(blind) < len(machines)):
        raise EvaluatorError(
            "--gpus-per-evaluation needs GPUs that torch can use on every machine that has some, "
            f"but torch sees none on {', '.join(blind)}; install torch with CUDA or update "
            "NVIDIA's driver there, or train on CPUs with --gpus-per-evaluation 0"
        )
    if wish != "auto":
        return FixedShare(wish)
    if blind:
        say(f"torch can use no GPU of {', '.join(blind)}: training on CPUs; see vlga doctor")
        return FixedShare(0.0)
    n_gpus = float(ray.cluster_resources().get("GPU", 0.0))
    if n_gpus < 1:  # none, or a part of one that Ray was told of
        return FixedShare(n_gpus)
    memories = [size for one in machines for size in one.memories_bytes]
    return GpuShares(min(memories, default=None), data)


def _look() -> tuple[bool, tuple[int, ...]]:
    """Give what a machine says of its GPUs, on it."""
    return torch_sees_gpus(), gpu_memories_bytes()


def _told(answer: ray.ObjectRef) -> tuple[bool, tuple[int, ...]]:
    """Give a machine's answer, or that of one that can use no GPU."""
    try:
        told: tuple[bool, tuple[int, ...]] = ray.get(answer, timeout=_PATIENCE_SECONDS)
    except ray.exceptions.RayError:
        return False, ()
    return told
