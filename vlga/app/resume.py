"""Which settings a resumed search has: its own, and the changes that are allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from db.store import SqlStore
from vlga.config.change import change_config
from vlga.config.settings import SearchConfig
from vlga.config.strategies import PHASED
from vlga.errors import ConfigError
from vlga.execution.budget import Budget
from vlga.ports.evaluation import Source
from vlga.ports.ledger import SearchRecord

__all__ = ["changed_record", "moved_record"]


def changed_record(
    store: SqlStore, name: str, settings: Sequence[str], overrides: Mapping[str, Any]
) -> SearchRecord:
    """Give a search's record with changed settings; nothing is written.

    Raises:
        ConfigError: a setting may not change, or the search is completed and has nothing to do.
    """
    record = store.find_search(name)
    reached = _reached(store, name)
    config = change_config(record.config, settings=settings, overrides=overrides, reached=reached)
    for setting in ("label_smoothing", "cutout", "early_size"):
        wanted = getattr(config.final, setting)
        if wanted != getattr(record.config.final, setting) and store.final_trainings(name):
            raise ConfigError(
                f"[final] {setting} must stay as it is once a winner has been trained with it, "
                f"but got {setting}={wanted!r}"
            )
    if record.status == "completed":
        _refuse_without_more(store, record, config)
        record = replace(record, test_accuracy=None)
    return replace(record, config=config)


def moved_record(record: SearchRecord, data_name: str) -> SearchRecord:
    """Give a search's record with its images at another place; nothing is written or read there."""
    data = record.config.data.model_copy(update={"name": data_name})
    return replace(record, config=record.config.model_copy(update={"data": data}))


def _refuse_without_more(store: SqlStore, record: SearchRecord, config: SearchConfig) -> None:
    """Refuse a completed search that did not end by its budget, or that gets no larger budget.

    Unless it is to have a larger committee: then its end goes on.
    """
    if _has_wider_rule(record.config, config):
        return
    if config.final.committee > record.config.final.committee:
        return
    head = f"a search must be unfinished to be resumed, but {record.name!r} is completed"
    if not _is_spent(store, record, record.config):
        more = ""
        if config.strategy in PHASED:
            more = "give it a larger population.stop_margin or population.max_blocks, or "
        raise ConfigError(
            f"{head}, and ended by its strategy's own rule, not by its budget; {more}"
            "start another with: vlga search"
        )
    if _is_spent(store, record, config):
        budget = record.config.budget.model_dump(exclude_none=True)
        limits = " ".join(f"{key}={value:g}" for key, value in budget.items())
        raise ConfigError(
            f"{head}; it goes on only with a larger budget than {limits}, such as "
            "--set budget.KEY=VALUE; or start another with: vlga search"
        )


def _is_spent(store: SqlStore, record: SearchRecord, config: SearchConfig) -> bool:
    """Whether a search has used up the budget of `config`."""
    outcomes = store.evaluations(record.name)
    epochs = [one.epochs for one in outcomes if one.source is not Source.EQUAL_CANDIDATE]
    seconds = record.seconds - sum(one.train_seconds for one in store.final_trainings(record.name))
    budget = Budget(config, lambda: seconds, len(epochs), sum(epochs))
    for one in outcomes:
        budget.learn(one)
    if budget.spent:
        return True
    phases, generations = config.budget.phases, config.population.generations
    return (
        config.strategy in PHASED
        and phases is not None
        and _reached(store, record.name)[0] + 1 >= phases
        and generations <= record.config.population.generations
    )


def _has_wider_rule(before: SearchConfig, after: SearchConfig) -> bool:
    """Whether phases that were the last by the strategy's own rule need not be any more."""
    blocks, more_blocks = before.population.max_blocks, after.population.max_blocks
    return after.strategy in PHASED and (
        after.population.stop_margin > before.population.stop_margin
        or (blocks is not None and (more_blocks is None or more_blocks > blocks))
    )


def _reached(store: SqlStore, name: str) -> tuple[int, int]:
    """Give the phase and the generation of a search's last candidate."""
    return max(((one.phase, one.generation) for one in store.candidates(name)), default=(0, 0))
