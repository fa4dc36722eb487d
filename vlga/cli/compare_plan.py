"""What ``vlga compare`` is asked for, and what of it is in the ledger already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from db.read.comparison import names_beginning
from db.store import SqlStore
from vlga.config.load import parse_config
from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError, SearchExists, nearest
from vlga.ports.data import DataSummary
from vlga.ports.ledger import SearchRecord
from vlga.strategies import STRATEGIES

__all__ = [
    "Plan",
    "budget_settings",
    "fresh_name",
    "known_searches",
    "make_plan",
    "parse_strategies",
]

_BUDGETS = ("evaluations", "epochs", "seconds")
#: Those that search. A study's grid, which looks at the test images, does not.
_COMPARABLE = tuple(name for name, strategy in STRATEGIES.items() if not strategy.scores_test)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be compared.

    Attributes:
        name: of the comparison.
        base: configuration of every search, but for strategy and seed.
        strategies: to compare, in the order of the table.
        seeds: of the searches with each.
        searches: configurations by name, in the order in which they are run: a seed's strategies
            one after the other, so that what is done before an interruption is balanced.
        command: that goes on with this comparison.
    """

    name: str
    base: SearchConfig
    strategies: tuple[str, ...]
    seeds: tuple[int, ...]
    searches: Mapping[str, SearchConfig]
    command: str


def make_plan(
    name: str, base: SearchConfig, strategies: tuple[str, ...], n_seeds: int, command: str
) -> Plan:
    """Plan searches of which the first has the seed of `base`."""
    seeds = tuple(range(base.seed, base.seed + n_seeds))
    tree = base.model_dump(mode="json")
    searches = {
        f"{name}-{strategy}-{seed}": parse_config({**tree, "strategy": strategy, "seed": seed})
        for seed in seeds
        for strategy in strategies
    }
    return Plan(name, base, strategies, seeds, searches, command)


def parse_strategies(text: str | None) -> tuple[str, ...]:
    """Read names parted by commas; None means all that there are.

    Raises:
        ConfigError: a name is unknown or there twice.
    """
    if text is None:
        return _COMPARABLE
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in _COMPARABLE:
            raise ConfigError(
                f"--strategies must be known ones, but got {name!r}{nearest(name, _COMPARABLE)}"
            )
        if names.count(name) > 1:
            raise ConfigError(f"--strategies must name each once, but got {name!r} twice")
    return names


def budget_settings(texts: tuple[str, ...]) -> Iterator[str]:
    """Turn ``epochs=120,seconds=600`` into settings.

    Raises:
        ConfigError: one is not ``key=...``, or the key is no budget that strategies can share.
    """
    for text in ",".join(texts).split(","):
        key, equals, number = (part.strip() for part in text.partition("="))
        if not equals:
            raise ConfigError(f"--budget must be key=number, but got {text!r}")
        if key not in _BUDGETS:
            raise ConfigError(
                f"--budget must be of evaluations, epochs or seconds, but got {key!r}"
                f"{nearest(key, _BUDGETS)}"
            )
        yield f"budget.{key}={number}"


def fresh_name(store: SqlStore) -> str:
    """Give ``compare-`` and the first number of which there is no search."""
    taken = names_beginning(store.engine, "compare-")
    number = 1
    while any(name.startswith(f"compare-{number}-") for name in taken):
        number += 1
    return f"compare-{number}"


def known_searches(store: SqlStore, plan: Plan, data: DataSummary) -> dict[str, SearchRecord]:
    """Give the searches that are there already. Raises `SearchExists` if one is another's."""
    known = {}
    there = names_beginning(store.engine, f"{plan.name}-")
    for name, config in plan.searches.items():
        if name in there:
            record = store.find_search(name)
            other = _first_difference(record.config, config)
            if record.data.fingerprint != data.fingerprint:
                other = "other images"
            if other:
                raise SearchExists(
                    f"--name must be new, or of a comparison with the same settings, but {name!r} "
                    f"has {other}; choose another name"
                )
            known[name] = record
    return known


def _first_difference(there: SearchConfig, asked: SearchConfig) -> str:
    """Name the first setting that decides results and differs, or give an empty text.

    Where trainings run does not decide them, and where the images are does not either.
    """
    asked_for = dict(_flat(asked.model_dump(mode="json", exclude={"workers", "data"})))
    stored = dict(_flat(there.model_dump(mode="json", exclude={"workers", "data"})))
    for key in {**stored, **asked_for}:
        if stored.get(key) != asked_for.get(key):
            return f"{key}={stored.get(key)!r} instead of {asked_for.get(key)!r}"
    return ""


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
