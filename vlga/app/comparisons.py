"""Several strategies with equal budgets, as ordinary searches: which, and which are recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from db.read.comparison import names_beginning
from db.store import SqlStore
from vlga.app.searches import new_record
from vlga.app.sizes import with_sizes_of
from vlga.config.load import parse_config
from vlga.config.settings import SearchConfig
from vlga.errors import SearchExists
from vlga.execution.budget import Budget
from vlga.ports.data import DataSummary
from vlga.ports.ledger import SearchRecord

__all__ = [
    "Plan",
    "ended_early",
    "fresh_name",
    "known_searches",
    "make_plan",
    "sizes_of_known",
    "unfinished",
]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be compared.

    Attributes:
        name: of the comparison.
        base: configuration of every search, except strategy and seed.
        strategies: to compare, in the order of the table.
        seeds: of the searches with each strategy.
        searches: configurations by name, in the order in which they are run: all strategies of
            one seed, then of the next, so that an interrupted comparison is balanced.
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


def fresh_name(store: SqlStore) -> str:
    """Give the first of ``compare-1``, ``compare-2``, ... that has no search."""
    taken = names_beginning(store.engine, "compare-")
    number = 1
    while any(name.startswith(f"compare-{number}-") for name in taken):
        number += 1
    return f"compare-{number}"


def sizes_of_known(store: SqlStore, name: str, base: SearchConfig) -> SearchConfig:
    """Give a configuration with the sizes that a comparison of this name was begun with, if any.

    What is ``auto`` is chosen when it begins, and stays as it is on another machine.
    """
    for search in names_beginning(store.engine, f"{name}-"):
        known = store.find_search(search).config
        return with_sizes_of(base, known)
    return base


def known_searches(store: SqlStore, plan: Plan, data: DataSummary) -> dict[str, SearchRecord]:
    """Give the searches that exist. Raises `SearchExists` if one has other settings or images."""
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


def unfinished(
    store: SqlStore, plan: Plan, known: Mapping[str, SearchRecord], data: DataSummary
) -> Iterator[tuple[int, SearchRecord]]:
    """Give the searches that are not complete, to be run one by one, with their number from 1.

    A new one is entered in the database only when its turn comes.
    """
    for number, (name, config) in enumerate(plan.searches.items(), start=1):
        if name not in known:
            store.create_search(new_record(name, config, data))
        elif known[name].status == "completed":
            continue
        yield number, store.find_search(name)


def ended_early(outcome: Mapping[str, Any], config: SearchConfig) -> bool:
    """Whether a search ended by its strategy's own rule before its budget was used up."""
    used = outcome["evaluations"], outcome["epochs"]
    return not Budget(config, lambda: float(outcome["seconds"]), *used).spent


def _first_difference(there: SearchConfig, asked: SearchConfig) -> str:
    """Name the first setting that influences results and differs; empty if there is none.

    Where trainings run and where the images are has no influence.
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
