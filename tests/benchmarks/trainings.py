"""Trainings that searches recorded, as a table from which others can be told (surrogate.py).

``python -m tests.benchmarks.trainings --db URL ... > tests/benchmarks/results/trainings.csv``
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from db.read import searches
from db.store import SqlStore
from vlga.config.load import load_config
from vlga.config.rungs import rung_lengths
from vlga.genetics.genome import Genome
from vlga.networks.layers import Shape
from vlga.networks.phenotype import decode

#: Where the table is.
TRAININGS = Path(__file__).parent / "results" / "trainings.csv"
#: Data sets by their names in the ledger, with the shapes of their images.
SHAPES: dict[str, Shape] = {"fashion-mnist": (1, 28, 28)}
N_CLASSES = 10
_SPACE = load_config().space.build()
_MAX_BLOCKS = 8
_GENES = {
    gene: sorted(alleles, key=lambda one: (isinstance(one, str), one))
    for gene, alleles in _SPACE.varied_genes(_MAX_BLOCKS).items()
}
_COSTS = ("log2_macs", "log2_parameters", "blocks")
INPUTS = ("epochs", "trainings", *_COSTS, *_GENES)


def numbers_of(genome: Genome, shape: Shape) -> dict[str, float]:
    """Give what the trees are told of a network: costs, and each gene's place among its alleles.

    Genes that are silent, or of blocks that it does not have, are left out.
    """
    plan, silent = decode(genome, shape, N_CLASSES), genome.silent_genes(shape[1:])
    costs = (math.log2(plan.n_macs), math.log2(plan.n_parameters), float(len(genome.blocks)))
    own = {
        gene: float(_GENES[gene].index(allele))
        for gene, allele in genome.genes().items()
        if gene in _GENES and gene not in silent
    }
    return dict(zip(_COSTS, costs, strict=True)) | own


def trainings_of(data: str) -> pd.DataFrame:
    """Read the trainings on a data set."""
    rows = pd.read_csv(TRAININGS)
    return rows[rows["data"] == data].reset_index(drop=True)


def main() -> None:
    """Print a row for each training of the completed searches of these databases, each once.

    Searches with the same seed train equal networks the same.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", nargs="+", required=True)
    urls = parser.parse_args().db
    columns = ("data", "strategy", "seed", "network", "accuracy", *INPUTS)
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    printed: set[tuple[Any, ...]] = set()
    for url in urls:
        with closing(SqlStore(url, create=False)) as store:
            for row in searches.list_searches(store.engine):
                if row["status"] != "completed":
                    continue
                for one in _trainings(store, row["name"]):
                    training = one["data"], one["seed"], one["network"], one["trainings"]
                    if training not in printed:
                        writer.writerow(one)
                    printed.add(training)


def _trainings(store: SqlStore, name: str) -> Iterator[dict[str, Any]]:
    record, candidates = store.find_search(name), store.candidates(name)
    config, lengths = record.config, rung_lengths(record.config)
    for outcome in store.evaluations(name):
        one = candidates[outcome.candidate_id]
        if outcome.source != "trained" or not isinstance(one.genome, Genome):
            continue
        numbers = numbers_of(one.genome, record.data.input_shape)
        yield {
            "data": record.data.name,
            "strategy": config.strategy,
            "seed": config.seed,
            "network": one.fingerprint,
            "accuracy": "" if outcome.fitness is None else f"{outcome.fitness:.4f}",
            "epochs": lengths[one.rung],
            "trainings": one.rung + 1,
            **{key: f"{number:.4g}" for key, number in numbers.items()},
        }


if __name__ == "__main__":
    main()
