"""How good the networks of a space are that nobody has chosen, and what the limits leave of it.

    python -m tests.benchmarks.edf                       # digits, then the genes of four shapes
    python -m tests.benchmarks.edf --networks 0          # only the genes, without training
    python -m tests.benchmarks.edf --set data.name=cifar10 --set data.dir=DIR

Radosavovic et al.: "On Network Design Spaces for Visual Recognition" (2019,
https://arxiv.org/abs/1905.13214) compare spaces by the error of random networks: its empirical
distribution function. Here networks are drawn as a strategy draws its founders, within the limits
that a search of the preset `default` would choose for the images on two cores, and trained for
three epochs with a schedule of their own. A change of the space has to raise the shares.

For each shape of images it then says which genes the limits pin: fewer than three quarters of the
alleles occur among the networks drawn, silent genes not counted.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import torch

from tests.benchmarks.timing import print_table
from vlga.app.evaluators import load_data
from vlga.app.sizes import Machine, choose_sizes, sizes_text
from vlga.config.load import load_config
from vlga.config.settings import SearchConfig
from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele
from vlga.networks.phenotype import plan_of
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from vlga.strategies import Strategy, make_strategy
from workers.data import Dataset
from workers.training.evaluate import evaluate

#: Accuracies at which the distribution is printed.
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.97)
#: Shapes of images, with how many there are to search on.
SHAPES = {(1, 28, 28): 10_000, (3, 32, 32): 10_000, (3, 64, 64): 2500, (3, 224, 224): 2500}
#: Networks drawn for each shape, and the share of its alleles that no gene may fall below.
N_DRAWN, LEAST_SHARE = 1000, 0.75


def configured(
    strategy: str, data: DataSummary, n: int, seed: int, settings: Sequence[str] = ()
) -> SearchConfig:
    """Give the preset's search on images, with `n` drawn networks before any child."""
    config = load_config(
        settings=[f"strategy={strategy}", "population.founders=[]", *settings],
        overrides={"seed": seed, "population.size": n},
    )
    return choose_sizes(config, data, Machine(2, has_gpu=False))


def drawn(config: SearchConfig, data: DataSummary, n: int) -> tuple[Strategy, Sequence[Candidate]]:
    """Draw networks as the configuration's strategy does."""
    strategy = make_strategy(config, data.input_shape, len(data.classes))
    return strategy, strategy.ask(n)


def trained(
    config: SearchConfig, dataset: Dataset, n: int, n_epochs: int
) -> Iterator[tuple[Candidate, Evaluation]]:
    """Train random networks, one thread each."""
    data = dataset.summary()
    strategy, candidates = drawn(config, data, n)
    for one in candidates:
        plan = plan_of(one.genome, data.input_shape, len(data.classes))
        training = config.training.model_copy(update={"epochs": n_epochs})
        task = EvaluationTask(one.id, plan, training, strategy.training_seed(one))
        yield one, evaluate(task, dataset)[0]


def distribution(outcomes: Sequence[Evaluation]) -> dict[str, Any]:
    """Give the shares of all that reach each level, and that fail; the median, the best's mean."""
    scores = sorted(one.fitness or 0.0 for one in outcomes)
    failures = Counter(str(one.reason) for one in outcomes if not one.completed)
    return {
        **{f">= {at}": f"{sum(one >= at for one in scores) / len(scores):.0%}" for at in LEVELS},
        "median": f"{scores[len(scores) // 2]:.3f}",
        "best quarter": f"{fmean(scores[-max(1, len(scores) // 4) :]):.3f}",
        "failed": f"{sum(failures.values()) / len(scores):.0%}",
        "reasons": ", ".join(f"{n} {why}" for why, n in failures.items()) or "-",
    }


def alleles_that_occur(config: SearchConfig, data: DataSummary) -> dict[str, dict[Allele, float]]:
    """Give, by gene with a choice, how often each of its alleles is among those not silent."""
    space, seen = config.space.build(), defaultdict[str, Counter[Allele]](Counter)
    for one in drawn(config, data, N_DRAWN)[1]:
        assert isinstance(one.genome, Genome)
        silent = one.genome.silent_genes(data.input_shape[1:])
        for address, allele in one.genome.genes().items():
            if address not in silent:
                seen[address.rpartition(".")[2]][allele] += 1
    known = {**space.network_alleles(), **space.block_alleles(1)}
    return {
        gene: {one: seen[gene][one] / max(1, seen[gene].total()) for one in alleles}
        for gene, alleles in known.items()
        if len(alleles) > 1
    }


def main() -> None:
    """Print the distributions, and what is pinned."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=100, help="to train for each strategy")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strategies", nargs="+", default=["ladder"])
    parser.add_argument("--set", dest="settings", action="append", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.networks:
        dataset = load_data(load_config(settings=options.settings))
        for name in options.strategies:
            config = configured(
                name, dataset.summary(), options.networks, options.seed, options.settings
            )
            print(f"{dataset.name}, drawn as {name} does: {sizes_text(config)}", flush=True)
            outcomes = [*trained(config, dataset, options.networks, options.epochs)]
            print_table([distribution([outcome for _, outcome in outcomes])])
            for one, outcome in outcomes:
                if not outcome.completed:
                    print(f"{outcome.reason}: {one.genome.to_dict()}", flush=True)
    for shape, n_images in SHAPES.items():
        data = replace(
            load_data(load_config()).summary(),
            input_shape=shape,
            n_train=n_images * 4 // 5,
            n_validation=n_images // 5,
        )
        for name in options.strategies:
            config = configured(name, data, N_DRAWN, options.seed)
            found = alleles_that_occur(config, data)
            pinned = [
                gene
                for gene, alleles in found.items()
                if sum(share > 0 for share in alleles.values()) < LEAST_SHARE * len(alleles)
            ]
            share, gene, allele = min(
                (share, gene, str(allele))
                for gene, alleles in found.items()
                for allele, share in alleles.items()
            )
            print(f"{'x'.join(map(str, shape))}, drawn as {name} does: {sizes_text(config)}")
            print(f"  pinned: {', '.join(pinned) or 'none'}; rarest {gene}={allele}: {share:.2%}")


if __name__ == "__main__":
    main()
