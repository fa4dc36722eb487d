"""Whether what is asked for again is what an earlier run recorded.

A search is resumed by running it again, so other software (an operator, DEAP's selection, the
decoding of genomes) may ask for other candidates than those that the recorded outcomes are of.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from vlga import __version__
from vlga.errors import SoftwareChanged
from vlga.genetics.genome import Genome
from vlga.networks.phenotype import decode, trial_fingerprint
from vlga.ports.candidate import Candidate
from vlga.ports.ledger import SearchRecord

__all__ = ["require_same", "require_same_plan"]


def require_same(asked: Candidate, recorded: Candidate, record: SearchRecord) -> None:
    """Refuse a candidate that is not the one recorded under its number.

    Raises:
        SoftwareChanged: its genome, its network or whose weights it inherits is another.
    """
    if (asked.genome, asked.fingerprint, asked.weights_from) != (
        recorded.genome,
        recorded.fingerprint,
        recorded.weights_from,
    ):
        raise _changed(record, recorded.id)


def require_same_plan(recorded: Candidate, record: SearchRecord) -> None:
    """Refuse a recorded candidate whose genome describes another network now.

    Raises:
        SoftwareChanged: it does.
    """
    images = record.data.input_shape, len(record.data.classes)
    heritage = recorded.genome
    if isinstance(heritage, Genome):
        fingerprint = decode(heritage, *images).fingerprint
    else:
        fingerprint = trial_fingerprint(heritage, *images)
    if fingerprint != recorded.fingerprint:
        raise _changed(record, recorded.id)


def _changed(record: SearchRecord, number: int) -> SoftwareChanged:
    made = {"vlga": "of another version", **record.versions}
    now = {name: found for name in made if (found := _installed(name)) != made[name]}
    if not now:  # of one version in two states, only the person knows which
        return SoftwareChanged(
            f"{record.name!r} must be resumed with software that makes the same networks again, "
            f"but its candidate {number} was another, though the versions are the same: the code "
            "of vlga was changed since; bring that state back, or start another search"
        )
    names = sorted(now, key=lambda name: name != "vlga")
    return SoftwareChanged(
        f"{record.name!r} must be resumed with software that makes the same networks again, but "
        f"its candidate {number} was another: made by {_said(names, made)}, this is "
        f"{_said(names, {**made, **now})}; resume it with {_said(names, made)}, or start another "
        "search"
    )


def _said(names: list[str], versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in names)


def _installed(name: str) -> str:
    """Give the version that is installed here."""
    if name == "vlga":
        return __version__
    if name == "python":
        return platform.python_version()
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
