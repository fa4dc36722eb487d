"""Founders from an earlier search: its best networks, tried first by another."""

from __future__ import annotations

from typing import Any

from db.read import searches
from db.read.reports import search_genomes
from db.store import SqlStore
from vlga.config.load import parse_config
from vlga.config.settings import SearchConfig
from vlga.config.strategies import GENERATIONAL, STUDIES
from vlga.errors import ConfigError, SearchNotFound
from vlga.genetics.genome import Genome
from vlga.ports.data import DataSummary

__all__ = ["with_founders_of"]

#: So many networks of an earlier search are tried first.
_N_FOUNDERS = 4
#: The fittest that are looked through for different networks.
_N_LOOKED_AT = 100


def with_founders_of(
    name: str, config: SearchConfig, data: DataSummary, store: SqlStore
) -> SearchConfig:
    """Put the best networks of a recorded search before the configuration's own founders.

    What the new search does depends on its configuration alone, which has their genomes.

    Args:
        name: of the recorded search.
        config: of the search to come.
        data: its images.
        store: the database that has both.

    Raises:
        ConfigError: there is no search of that name; it had images of another shape, has no result
            yet or is a study; its networks are not of the new search's space; the new search's
            strategy takes no founders.
    """
    if config.strategy in GENERATIONAL:
        raise ConfigError(
            "--like needs a strategy without generations, which may begin with any networks, but "
            f"got strategy={config.strategy!r}; add --set strategy=ladder"
        )
    try:
        earlier = store.find_search(name)
    except SearchNotFound as error:
        raise ConfigError(f"--like must name a search of the database: {error}") from error
    if earlier.config.strategy in STUDIES:
        raise ConfigError(f"--like must name a search, but {name!r} is a study")
    if earlier.data.input_shape != data.input_shape:
        shapes = ["x".join(map(str, one.input_shape)) for one in (data, earlier.data)]
        raise ConfigError(
            f"--like must name a search on images of the same shape, {shapes[0]}, but {name!r} had "
            f"images of {shapes[1]}"
        )
    genomes = _best(store, name)
    if not genomes:
        raise ConfigError(f"--like must name a search with a result, but {name!r} has none yet")
    space = config.space.build()
    for genome in genomes:
        stray = space.stray_gene(genome)
        if stray is not None:
            raise ConfigError(
                f"--like must name a search in the same space, but a network of {name!r} has "
                f"{stray}={genome.genes()[stray]!r}; start with the space of that search"
            )
    founders: list[dict[str, Any]] = [genome.to_dict() for genome in genomes]
    tree = config.model_dump(mode="json")
    tree["population"]["founders"] = [*founders, *config.population.founders]
    return parse_config(tree)


def _best(store: SqlStore, name: str) -> list[Genome]:
    """Give the fittest networks of a search, each once."""
    ids: dict[str, int] = {}
    for row in searches.top(store.engine, name, limit=_N_LOOKED_AT):
        ids.setdefault(row["fingerprint"], row["id"])
    best = [*ids.values()][:_N_FOUNDERS]
    genomes = search_genomes(store.engine, name, best)
    return [genomes[number] for number in best]
