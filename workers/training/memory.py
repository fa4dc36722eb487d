"""Memory of a training: how its blocks are kept between steps, and how much it took at most."""

from __future__ import annotations

import ctypes
import functools
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from workers.machine import available_memory_bytes, machine_memory_bytes
from workers.training.footprint import CONTEXT_BYTES

__all__ = ["limit_gpu_memory", "peak_memory_bytes", "training_memory", "within_free_memory"]

#: Parameters of glibc's `mallopt`.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4

#: Share of a machine's memory, one in so many, that such a training leaves to others.
_RESERVED = 16
#: Of a GPU that is smaller than its context thinks.
_LEAST_FRACTION = 0.01


@contextmanager
def training_memory(device: str) -> Iterator[None]:
    """Let freed blocks serve the next step, and start the GPU's count of peak memory anew.

    By default the C library hands the maps of every step back to the system and gets them anew,
    cleared: a sixth of a training's time on a virtual machine's core. On leaving, everything that
    is free goes back to the system.

    Args:
        device: ``cpu``, or the current GPU.
    """
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    libc = _glibc()
    try:
        yield
    finally:
        if libc is not None:
            libc.malloc_trim(0)


@contextmanager
def within_free_memory() -> Iterator[None]:
    """Let a training that needs more of the machine's memory than is free run out of memory itself.

    The system would kill this process, which has more to do than to train. Afterwards oneDNN may
    fail to make for other trainings what it failed to make then; they go on with halves of each
    batch. Where the system does not say what counts for such a limit, nothing is limited.
    """
    mine = _private_bytes()
    if mine is None:
        yield
        return
    free = available_memory_bytes() - machine_memory_bytes() // _RESERVED
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [mine + max(0, free), *(one for one in (soft, hard) if one != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _private_bytes() -> int | None:
    """Give what counts for the limit: this process's own memory, as far as it may write to it."""
    with suppress(OSError):
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        found = re.search(r"^VmData:\s*(\d+) kB", status, re.MULTILINE)
        return None if found is None else 1024 * int(found[1])
    return None


def limit_gpu_memory(share: float) -> None:
    """Limit torch to this process's share of the current GPU's memory, its context included.

    A training that needs more runs out of memory itself, and takes none from the others.

    Args:
        share: of the GPU's memory, above 0; 1 and more are all of it.
    """
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    of_torch = min(1.0, share) - CONTEXT_BYTES / total
    torch.cuda.set_per_process_memory_fraction(max(_LEAST_FRACTION, of_torch))


def peak_memory_bytes(device: str) -> int:
    """Give the most that the training took of a GPU, or this process ever of the machine."""
    if device == "cpu":
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return torch.cuda.max_memory_allocated()


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """Give the C library, told once to keep what is freed; None if it is not glibc."""
    libc = ctypes.CDLL(None)
    if not (hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim")):
        return None
    libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    libc.mallopt(_M_TOP_PAD, 2**26)
    libc.mallopt(_M_MMAP_MAX, 0)
    return libc
