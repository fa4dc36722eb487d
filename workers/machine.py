"""How much memory and which GPUs a machine has, without loading torch or Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

__all__ = [
    "available_memory_bytes",
    "gpu_memories_bytes",
    "gpus_have_bfloat16",
    "has_bfloat16",
    "machine_memory_bytes",
    "torch_sees_gpus",
]

#: Where a container's memory limit is found, in versions 2 and 1 of cgroups.
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
#: What a container has in use, and of that what the kernel drops first, likewise.
_CGROUP_USES = (
    (Path("/sys/fs/cgroup/memory.current"), "inactive_file"),
    (Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"), "total_inactive_file"),
)
_MEMORY_INFO = Path("/proc/meminfo")
_ASK_TORCH = "import sys, torch; sys.exit(not torch.cuda.is_available())"
_ASK_GPU = ("nvidia-smi", "--format=csv,noheader,nounits")


def machine_memory_bytes() -> int:
    """Give this machine's memory, or its container's limit if that is less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # there is no such file, or it says "max"
            limits.append(int(path.read_text()))
    return min(limits)


def available_memory_bytes() -> int:
    """Give how much of that memory is free now, or could be without swapping.

    Where the system does not say, as on macOS, all of it counts as free.
    """
    free = [machine_memory_bytes()]
    with suppress(OSError, KeyError, ValueError):
        free.append(1024 * _numbers(_MEMORY_INFO)["MemAvailable:"])
    for limit, (use, droppable) in zip(_CGROUP_LIMITS, _CGROUP_USES, strict=True):
        with suppress(OSError, KeyError, ValueError):
            in_use = int(use.read_text()) - _numbers(use.with_name("memory.stat"))[droppable]
            free.append(max(0, int(limit.read_text()) - in_use))
    return min(free)


def _numbers(file: Path) -> dict[str, int]:
    """Read lines of a word and a number."""
    lines = (line.split() for line in file.read_text().splitlines())
    return {word: int(number) for word, number, *_ in lines}


def gpu_memories_bytes() -> tuple[int, ...]:
    """Give the memory of each of this machine's GPUs; nothing if the driver's tool gives none.

    Torch is not asked: it takes seconds to load, and uses some of the memory itself.
    """
    try:
        return tuple(int(mebibytes) * 2**20 for mebibytes in _ask_gpus("memory.total"))
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def gpus_have_bfloat16() -> bool:
    """Tell whether all of this machine's GPUs compute in bfloat16, as far as its tool says."""
    try:
        told = [one.split(".") for one in _ask_gpus("compute_cap")]
        return all(has_bfloat16((int(major), int(minor))) for major, minor in told)
    except (OSError, subprocess.SubprocessError, ValueError):
        return True


def has_bfloat16(capability: tuple[int, int]) -> bool:
    """Tell whether a GPU of this compute capability computes in bfloat16.

    `torch.cuda.is_bf16_supported` also counts emulation, and cuDNN has no convolutions in bfloat16
    for anything older: there a training fails or crawls.
    """
    return capability >= (8, 0)


def _ask_gpus(property_: str) -> list[str]:
    """Give a property of each GPU, as the driver's tool tells it."""
    command = [*_ASK_GPU, f"--query-gpu={property_}"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603  # a fixed command
    return told.stdout.split()


def torch_sees_gpus() -> bool:
    """Whether torch can use a GPU of this machine.

    Torch is asked in a new process with all GPUs visible: CUDA reads only once which GPUs it may
    see, and a Ray task that reserves no GPU sees none.
    """
    seen = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    command = [sys.executable, "-P", "-c", _ASK_TORCH]
    asked = subprocess.run(command, env=seen, capture_output=True, check=False)  # noqa: S603  # a fixed command
    return asked.returncode == 0
