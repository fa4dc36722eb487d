"""How `vlga doctor` judges what it finds: values in, a line for each out, with what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Diagnosis",
    "judge_clock",
    "judge_cpus",
    "judge_data",
    "judge_disk",
    "judge_gpus",
    "judge_libraries",
]

State = Literal["ok", "warning", "problem"]

#: Clocks that differ by more are reported: the times in the database could not be compared.
_MAX_SKEW_SECONDS = 5.0
_LITTLE_DISK_BYTES, _NO_DISK_BYTES = 5 * 10**9, 5 * 10**8


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of one check.

    Attributes:
        state: ``ok``, ``warning`` (it works, but not as well as it could) or ``problem``.
        what: what was checked, and on which machine if there are several.
        found: what is there.
        do: what to do about it; empty if it is ok.
    """

    state: State
    what: str
    found: str
    do: str = ""


def judge_libraries(
    host: str, versions: Mapping[str, str | None], own: Mapping[str, str | None]
) -> Diagnosis:
    """Compare a machine's Python and libraries with this one's.

    Args:
        host: the machine.
        versions: its versions by name, ``python`` among them; None for what is missing.
        own: this machine's.
    """
    what = f"libraries of {host}"
    missing = [name for name, found in versions.items() if found is None]
    other = [
        f"{name} {found} (here {own[name]})"
        for name, found in versions.items()
        if found is not None and found != own.get(name)
    ]
    if other:
        return Diagnosis(
            "warning", what, ", ".join(other), "install the same versions: results may differ"
        )
    if missing:
        found = f"no {', '.join(missing)}"
        do = "Ray installs them for each search; to save that time, install them there"
        return Diagnosis("warning", what, found, do)
    return Diagnosis("ok", what, ", ".join(f"{name} {found}" for name, found in versions.items()))


def judge_clock(host: str, earliest: float, latest: float) -> Diagnosis:
    """Judge how far a clock is off this machine's.

    Args:
        host: whose clock.
        earliest: seconds that it is ahead at least; below 0 it is behind.
        latest: seconds that it is ahead at most.
    """
    skew = max(earliest, 0.0) + min(latest, 0.0)
    if abs(skew) > _MAX_SKEW_SECONDS:
        way = "ahead" if skew > 0 else "behind"
        return Diagnosis(
            "warning", f"clock of {host}", f"{abs(skew):.0f} s {way}", "let NTP set the clocks"
        )
    return Diagnosis("ok", f"clock of {host}", f"within {_MAX_SKEW_SECONDS:g} s of this one's")


def judge_disk(what: str, free_bytes: int) -> Diagnosis:
    """Judge the free space for a database or for weights."""
    found = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes < _NO_DISK_BYTES:
        return Diagnosis("problem", what, found, "free some space: a full disk stops a search")
    if free_bytes < _LITTLE_DISK_BYTES:
        return Diagnosis("warning", what, found, "free some space: weights may take gigabytes")
    return Diagnosis("ok", what, found)


def judge_cpus(what: str, n_cpus: float) -> Diagnosis:
    """Judge whether there is a CPU to train on."""
    if n_cpus < 1:
        do = "let a machine with CPUs join the cluster"
        return Diagnosis("problem", what, f"{n_cpus:g}", do)
    return Diagnosis("ok", what, f"{n_cpus:g}")


def judge_gpus(host: str, n_usable: float, has_gpu: bool, torch_version: str | None) -> Diagnosis:
    """Judge whether a machine's GPUs are used.

    Args:
        host: the machine.
        n_usable: GPUs that trainings can use: those that torch sees, or that Ray offers.
        has_gpu: whether there is a GPU, usable or not.
        torch_version: the installed one; a build for CPUs ends in ``+cpu``.
    """
    what, found = f"GPUs of {host}", f"{n_usable:g}"
    if has_gpu and torch_version is not None and torch_version.endswith("+cpu"):
        return Diagnosis(
            "problem", what, f"{found}, and torch {torch_version}", "install torch with CUDA there"
        )
    if has_gpu and not n_usable:
        do = "update NVIDIA's driver, or install a torch that fits it"
        return Diagnosis("warning", what, "there is a GPU, but torch cannot use it", do)
    return Diagnosis("ok", what, found)


def judge_data(folder: str | None, exists: bool, names: Sequence[str]) -> Diagnosis:
    """Judge the folder that was given for data sets.

    Args:
        folder: as given, or None.
        exists: whether it is there.
        names: of the data sets that need no download.
    """
    if folder is not None and not exists:
        do = "correct --data-dir or VLGA_DATA; otherwise data sets are downloaded to this folder"
        return Diagnosis("warning", f"data sets under {folder}", "no such folder", do)
    where = f" under {folder}" if folder else ""
    return Diagnosis("ok", f"data sets{where}", ", ".join(names))
