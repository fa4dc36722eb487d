"""Which settings may change in a search that has begun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from vlga.config.load import (
    _apply,
    parse_config,
)
from vlga.config.settings import SearchConfig
from vlga.config.strategies import PHASED
from vlga.errors import ConfigError

__all__ = ["change_config"]

#: Settings and tables that may change in a search that has begun: nothing recorded depends on them.
_FREE = (
    "budget",
    "final",
    "limits.evaluation_seconds",
    "limits.max_failures_in_a_row",
    "limits.weight_files",
    "tracking",
    "workers",
)

#: Where a search with phases ends, and nothing before.
_FREE_IF_PHASED = ("population.max_blocks", "population.stop_margin")

#: What depends on the other settings.
_WHY_FIXED = {
    "seed": "its candidates and their trainings were drawn with it",
    "fitness": "its networks were chosen by the old one",
    "data": "fitness on other images cannot be compared",
    "data.name": "fitness on other images cannot be compared, and the same elsewhere go by --data",
    "population.generations": "its first phase is over, or has more generations already",
    "training": "its fitness comes from trainings with the old value",
    "limits": "its networks were made to fit them",
    "study": "its trials are numbered by it",
}


def change_config(
    config: SearchConfig,
    *,
    settings: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    reached: tuple[int, int] = (0, 0),
) -> SearchConfig:
    """Change the configuration of a search that has begun.

    Args:
        config: its present configuration.
        reached: phase and generation of its last candidate.
        settings: as for `load_config`.
        overrides: as for `load_config`.

    Raises:
        ConfigError: as for `load_config`; or what is recorded depends on a changed setting.
    """
    before = config.model_dump(mode="json")
    tree = deepcopy(before)
    _apply(tree, settings, overrides or {})
    changed = parse_config(tree)
    for one in changed.auto:
        if one in config.auto:
            continue
        raise ConfigError(
            f"--set {one} must be a number in a search that has begun, but got 'auto', "
            "which is chosen when a search begins"
        )
    for key, value in _changes(before, changed.model_dump(mode="json")):
        if key == "population.generations" and reached[0] == 0 and value > reached[1]:
            continue  # the first phase may still become longer or shorter
        free = _FREE + (_FREE_IF_PHASED if config.strategy in PHASED else ())
        if key in free or key.partition(".")[0] in free:
            continue
        raise ConfigError(
            f"--set {key} must stay as it is in a search that has begun, but got {value!r}: "
            f"{_why_fixed(key)}; change {', '.join(free)}, or start another search"
        )
    return changed


def _why_fixed(key: str) -> str:
    """Say why a setting may not change once a search has begun."""
    table = key.partition(".")[0]
    return _WHY_FIXED.get(key) or _WHY_FIXED.get(table, "its candidates were made with it")


def _changes(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Any]]:
    """Give every dotted key whose value has changed, with the new value."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{path}{name}.")
        elif old != new:
            yield f"{path}{name}", new
