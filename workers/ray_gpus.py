"""The GPUs of a Ray cluster: who can use them, their memory, and which of them a training has."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal

import ray
import ray.exceptions

from vlga.errors import EvaluatorError
from vlga.ports import DataSummary
from workers.gpu_shares import FixedShare, GpuShares, Shares
from workers.machine import gpu_memories_bytes, torch_sees_gpus
from workers.ray_nodes import ask_every_node

__all__ = ["gpu_memories", "make_shares", "reserved_gpu"]

#: Seconds that a node may take to tell of its GPUs; torch is loaded for it.
_PATIENCE_SECONDS = 120.0


def make_shares(
    wish: float | Literal["auto"], data: DataSummary, say: Callable[[str], object]
) -> Shares:
    """Give what tells the GPUs that each training reserves.

    Args:
        wish: GPUs for each; ``auto`` for what each needs, or for none where torch can use none.
        data: the images.
        say: is told if there are GPUs that torch cannot use.

    Raises:
        EvaluatorError: there are machines with GPUs that torch cannot use there, and either GPUs
            were asked for or other machines' can be used.
    """
    n_gpus = float(ray.cluster_resources().get("GPU", 0.0))
    if wish == 0 or (wish == "auto" and not n_gpus):
        return FixedShare(0.0)
    answers = ask_every_node(torch_sees_gpus, kind="GPU")
    blind = [node["NodeManagerHostname"] for node, ref in answers if not _told(ref, default=False)]
    if blind and (wish != "auto" or len(blind) < len(answers)):
        raise EvaluatorError(
            "--gpus-per-evaluation needs GPUs that torch can use on every machine that has some, "
            f"but torch sees none on {', '.join(blind)}; install torch with CUDA or update "
            "NVIDIA's driver there, or train on CPUs with --gpus-per-evaluation 0"
        )
    if blind:
        say(f"torch can use no GPU of {', '.join(blind)}: training on CPUs; see vlga doctor")
        return FixedShare(0.0)
    if wish != "auto":
        return FixedShare(wish)
    if n_gpus < 1:  # a part of one that Ray was told of
        return FixedShare(n_gpus)
    return GpuShares(min(gpu_memories(), default=None), data)


def gpu_memories() -> list[int]:
    """Give the bytes of memory of every GPU of the cluster whose machine can tell."""
    answers = [ref for _, ref in ask_every_node(gpu_memories_bytes, kind="GPU")]
    return [size for answer in answers for size in _told(answer, default=())]


def reserved_gpu() -> str:
    """Give torch's name of the GPU that Ray reserved for the running task, such as ``cuda:1``.

    Ray tells a process its GPU by ``CUDA_VISIBLE_DEVICES``, which CUDA reads once, and may give the
    next task of that process another. So a process is let see all GPUs, and each training names
    its own. Where GPUs have UUIDs and no numbers, as parts of GPUs have, a process stays with its
    first.
    """
    gpu, *_ = ray.get_gpu_ids()
    if not str(gpu).isdecimal():
        return "cuda:0"
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    return f"cuda:{gpu}"


def _told(answer: ray.ObjectRef, *, default: Any) -> Any:
    """Give what a node told of its GPUs, or this if it did not."""
    try:
        return ray.get(answer, timeout=_PATIENCE_SECONDS)
    except ray.exceptions.RayError:
        return default
