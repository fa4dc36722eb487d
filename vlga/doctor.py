"""What `vlga doctor` judges: values in, one line each out, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Diagnosis", "judge_clock", "judge_cpus", "judge_disk", "judge_gpus", "judge_libraries"]

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
        return Diagnosis("warning", what, found, "Ray installs them for each search; to save the "
                         "time, install them there")  # fmt: skip
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


def judge_cpus(host: str, n_cpus: float) -> Diagnosis:
    """Say how many trainings a machine runs at once; a cluster's head may run none."""
    return Diagnosis("ok", f"CPUs of {host}", f"{n_cpus:g}")


def judge_gpus(host: str, n_gpus: float, torch_version: str | None) -> Diagnosis:
    """Judge whether a machine's GPUs can be used by its torch."""
    what, found = f"GPUs of {host}", f"{n_gpus:g}"
    if n_gpus and torch_version is not None and torch_version.endswith("+cpu"):
        return Diagnosis(
            "problem", what, f"{found}, but torch {torch_version}", "install torch with CUDA there"
        )
    return Diagnosis("ok", what, found)
