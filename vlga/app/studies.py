"""Studies, which train fixed networks in several ways: completing their configuration."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from db.connection.engine import opened
from db.connection.urls import masked
from db.read import searches
from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError, NoIndividual, StoreError, nearest, shown
from vlga.networks.named import MODELS
from vlga.networks.training import OptimizerPlan
from vlga.ports.data import DataSummary
from vlga.strategies.grid import trials

__all__ = ["planned", "with_genomes"]


def planned(config: SearchConfig, data: DataSummary, *, asks_for_cpus: bool) -> SearchConfig:
    """Complete a study's configuration by what follows from its number of trainings.

    Its trainings are the budget where no other number of them is. A single training gets the whole
    machine.

    Args:
        config: of the study, with the genomes of searched networks.
        data: the images.
        asks_for_cpus: whether the user said how many CPUs a training gets.

    Raises:
        ConfigError: a network is unknown or does not fit the images; an arm needs something that a
            network does not have.
    """
    n_trials = sum(1 for _ in trials(config.study, data.input_shape, len(data.classes)))
    changes: dict[str, Any] = {}
    if config.budget.evaluations is None:
        changes["budget"] = config.budget.model_copy(update={"evaluations": n_trials})
    if n_trials == 1 and not asks_for_cpus and not config.workers.address:
        all_cpus = {"cpus_per_evaluation": float(_n_cpus())}
        changes["workers"] = config.workers.model_copy(update=all_cpus)
    return config.model_copy(update=changes)


def with_genomes(config: SearchConfig, db_url: str) -> SearchConfig:
    """Put the genomes of searched networks into the configuration, by ``SEARCH:ID``.

    Raises:
        ConfigError: no network is named, or one is unknown, or has no individual yet.
    """
    study = config.study
    if not study.networks:
        raise ConfigError(
            f"[study] networks must name at least one: {', '.join(MODELS)}, or a SEARCH[:ID]"
        )
    networks, genomes, batch_size = [], dict(study.genomes), config.training.batch_size
    for network in study.networks:
        if network in MODELS or network in genomes:
            networks.append(network)
            continue
        key, genome = _searched(network, db_url, batch_size)
        networks.append(key)
        genomes[key] = genome
    new = study.model_copy(update={"networks": networks, "genomes": genomes})
    return config.model_copy(update={"study": new})


def _searched(network: str, db_url: str, batch_size: int) -> tuple[str, dict[str, Any]]:
    """Find a search's individual, its best if no id is given.

    Its learning rate and weight decay are given for batches of this size, as a study has them.
    """
    name, colon, number = network.partition(":")
    if colon and not number.isdigit():
        raise ConfigError(f"SEARCH:ID must end in a number, but got {network!r}")
    try:
        with opened(db_url) as engine:
            if not colon:
                best = searches.show_search(engine, name)["best"]
                if best is None:
                    raise ConfigError(f"{name!r} has no individual yet; wait for it, or give MODEL")
                number = str(best["id"])
            genome = searches.individual(engine, name, int(number))["genome"]
            base = searches.show_search(engine, name)["config"]["training"]["base_batch_size"]
    except NoIndividual:
        raise
    except StoreError as error:
        raise ConfigError(
            f"MODEL must be a known one or a search in {masked(db_url)}, but got {shown(network)}"
            f"{nearest(network, MODELS)}"
        ) from error
    if "trial_version" in genome:
        raise ConfigError(f"{name!r} is a study, not a search: give the names of its networks")
    own = genome["network"]
    rates = OptimizerPlan(own["learning_rate"], own["momentum"], own["weight_decay"])
    own = {**own, **asdict(rates.scaled(batch_size, base))}
    return f"{name}:{number}", {**genome, "network": own}


def _n_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
