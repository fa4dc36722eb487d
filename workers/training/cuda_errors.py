"""What CUDA's errors mean, by their words: torch has one type for all of them.

After some errors every later call of the process fails too. They are those of which CUDA's runtime
API says that the process must be ended and begun again.
"""

from __future__ import annotations

import re

__all__ = ["UnusableGpuError", "is_out_of_memory", "makes_gpu_unusable"]

#: Memory that CUDA and its libraries take themselves, outside torch's pool and its limit: the
#: first that is missing where many processes share a GPU.
_OUT_OF_MEMORY = re.compile(
    r"CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_\w*ALLOC"
)
_UNUSABLE = re.compile(
    "CUDA error: (?:"
    "device-side assert triggered"
    "|an illegal (?:memory access|instruction) was encountered"
    "|unspecified launch failure"
    "|the launch timed out and was terminated"
    "|misaligned address"
    "|invalid program counter"
    "|hardware stack error"
    "|operation not supported on global/shared address space"
    "|uncorrectable (?:ECC|NVLink) error"
    ")"
)


class UnusableGpuError(Exception):
    """A GPU that this process can use no more, whatever it does; a new process can."""


def is_out_of_memory(message: str) -> bool:
    """Tell whether an error says that a GPU's memory is used up."""
    return _OUT_OF_MEMORY.search(message) is not None


def makes_gpu_unusable(message: str) -> bool:
    """Tell whether after such an error its process can do nothing on the GPU any more."""
    return _UNUSABLE.search(message) is not None
