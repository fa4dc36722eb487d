"""The GPUs of a Ray cluster: whether torch can use them, their memory, each training's share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import ray
from ray.exceptions import RayError

from vlga.errors import EvaluatorError
from vlga.ports.data import DataSummary
from workers.cluster.gpu_shares import FixedShare, GpuShares, Shares
from workers.cluster.nodes import ask_every_node
from workers.machine import gpu_memories_bytes, gpus_have_bfloat16, torch_sees_gpus

__all__ = ["MachineGpus", "look_at_gpus", "make_shares"]

logger = logging.getLogger(__name__)

#: Seconds that machines may take to describe their GPUs; they load torch for that.
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class MachineGpus:
    """The GPUs of a machine.

    Attributes:
        host: the machine's name.
        are_usable: whether torch can use them.
        memories_bytes: memory of each; empty if the driver's tool does not say.
        have_bfloat16: whether all compute in it, as far as that tool says.
    """

    host: str
    are_usable: bool
    memories_bytes: tuple[int, ...]
    have_bfloat16: bool = True


def look_at_gpus() -> list[MachineGpus]:
    """Ask every machine with GPUs; if one does not answer, its GPUs count as unusable."""
    answers = ask_every_node(_look, timeout_seconds=_PATIENCE_SECONDS, kind="GPU")
    return [
        MachineGpus(
            node["NodeManagerHostname"],
            *((False, (), True) if isinstance(answer, RayError) else answer),
        )
        for node, answer in answers
    ]


def make_shares(
    wish: float | Literal["auto"],
    machines: Sequence[MachineGpus],
    data: DataSummary,
) -> Shares:
    """Give the rule for how many GPUs each training reserves.

    Args:
        wish: GPUs for each training; ``auto``: what each needs, or none if torch can use none.
        machines: those with GPUs.
        data: the images.

    Raises:
        EvaluatorError: torch cannot use the GPUs of some machines, and either GPUs were asked for
            or those of other machines can be used.
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
        logger.warning(
            "torch can use no GPU of %s: training on CPUs; see vlga doctor", ", ".join(blind)
        )
        return FixedShare(0.0)
    n_gpus = float(ray.cluster_resources().get("GPU", 0.0))
    if n_gpus < 1:  # none, or only a part of one, as Ray was started with
        return FixedShare(n_gpus)
    memories = [size for one in machines for size in one.memories_bytes]
    has_bfloat16 = all(one.have_bfloat16 for one in machines)
    return GpuShares(min(memories, default=None), data, has_bfloat16=has_bfloat16)


def _look() -> tuple[bool, tuple[int, ...], bool]:
    """Describe the GPUs of the machine that this runs on."""
    return torch_sees_gpus(), gpu_memories_bytes(), gpus_have_bfloat16()
