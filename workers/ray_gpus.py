"""The GPUs of a Ray cluster: how much memory they have, and which of them a training has."""

from __future__ import annotations

import os

import ray
import ray.exceptions

from workers.machine import gpu_memories_bytes
from workers.ray_nodes import ask_every_node

__all__ = ["gpu_memories", "reserved_gpu"]

#: Seconds that a node may take to tell how much memory its GPUs have.
_PATIENCE_SECONDS = 60.0


def gpu_memories() -> list[int]:
    """Give the bytes of memory of every GPU of the cluster whose machine can tell."""
    answers = [ref for _, ref in ask_every_node(gpu_memories_bytes, kind="GPU")]
    return [size for answer in answers for size in _told(answer)]


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


def _told(answer: ray.ObjectRef) -> tuple[int, ...]:
    """Give what a node told of its GPUs, or nothing if it did not."""
    try:
        sizes: tuple[int, ...] = ray.get(answer, timeout=_PATIENCE_SECONDS)
    except ray.exceptions.RayError:
        return ()
    return sizes
