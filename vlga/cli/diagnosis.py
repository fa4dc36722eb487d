"""What `vlga doctor` judges: values in, one line each out, with what to do about it."""

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

#: A lease is renewed every few seconds and lasts a minute; times in the ledger are to be compared.
_MAX_SKEW_SECONDS = 5.0
_LITTLE_DISK_BYTES, _NO_DISK_BYTES = 5 * 10**9, 5 * 10**8


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at.

    Attributes:
        state: ``ok``, ``warning`` (it works, but not as it could) or ``problem``.
        what: was looked at, with the machine where there are several.
        found: what is there.
        do: the way out; empty if it is ok.
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
        do = "Ray installs them for each search; to save the time, install them there"
        return Diagnosis("warning", what, found, do)
    return Diagnosis("ok", what, ", ".join(f"{name} {found}" for name, found in versions.items()))


def judge_clock(host: str, earliest: float, latest: float) -> Diagnosis:
    """Judge how far a clock is from this machine's.

    Args:
        host: whose clock.
        earliest: the least that it can be ahead, in seconds; below 0 it is behind.
        latest: the most.
    """
    skew = max(earliest, 0.0) + min(latest, 0.0)
    if abs(skew) > _MAX_SKEW_SECONDS:
        way = "ahead" if skew > 0 else "behind"
        return Diagnosis(
            "warning", f"clock of {host}", f"{abs(skew):.0f} s {way}", "let NTP set the clocks"
        )
    return Diagnosis("ok", f"clock of {host}", f"within {_MAX_SKEW_SECONDS:g} s of this one's")


def judge_disk(what: str, free_bytes: int) -> Diagnosis:
    """Judge the room for a database or for weights."""
    found = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes < _NO_DISK_BYTES:
        return Diagnosis("problem", what, found, "make room: a search stops on a full disk")
    if free_bytes < _LITTLE_DISK_BYTES:
        return Diagnosis("warning", what, found, "weights may take gigabytes: make room")
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
        n_usable: GPUs that trainings may have: torch's, or those that Ray offers.
        has_gpu: whether there is one, used or not.
        torch_version: that is installed; of a build for CPUs it ends in ``+cpu``.
    """
    what, found = f"GPUs of {host}", f"{n_usable:g}"
    if has_gpu and torch_version is not None and torch_version.endswith("+cpu"):
        return Diagnosis(
            "problem", what, f"{found}, and torch {torch_version}", "install torch with CUDA there"
        )
    if has_gpu and not n_usable:
        do = "update NVIDIA's driver, or install the torch that is made for it"
        return Diagnosis("warning", what, "torch can use none, but there is one", do)
    return Diagnosis("ok", what, found)


def judge_data(folder: str | None, exists: bool, names: Sequence[str]) -> Diagnosis:
    """Judge the folder that was given for data sets.

    Args:
        folder: as given, or None.
        exists: whether it is there.
        names: of the data sets that can be had without a download.
    """
    if folder is not None and not exists:
        do = "correct --data-dir or VLGA_DATA; data sets would be downloaded to it"
        return Diagnosis("warning", f"data sets under {folder}", "no such folder", do)
    where = f" under {folder}" if folder else ""
    return Diagnosis("ok", f"data sets{where}", ", ".join(names))
