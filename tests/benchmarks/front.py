"""How good a front of accuracy and size is found with so many trainings: hypervolume, by seed.

``python -m tests.benchmarks.front [--seeds 5] [--networks 100] [--epochs 3] [--small]``
``... --set data.name=fashion-mnist --set data.dir=DIR --set data.train_limit=5000``

With the space of the preset `default` and no network known before; all train from scratch, one at a
time, with at most a million multiply-accumulates: ten times as many let one seed on digits take
half an hour. `steady_state` weighs parameters too, once without, `random_search` draws,
and Optuna's NSGA-II (`pip install 'vlga[bench]'`) proposes genes and the number of blocks, as
`optuna_tpe` does; what is too large is shrunk for all of them.

The hypervolume is the area that the front dominates, of accuracy times powers of ten of parameters
below ten million: at most 7, and 0.1 more is as much as a tenth of the accuracy at a tenth of
the size, or a tenth of a power of ten at full accuracy.
"""

from __future__ import annotations

import argparse
import math
import statistics
import warnings
from collections.abc import Sequence
from random import Random

import torch

from tests.benchmarks.searching import run_search
from tests.benchmarks.timing import print_table
from vlga.config.load import load_config
from vlga.genetics.front import pareto_front
from vlga.networks.phenotype import decode
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from vlga.strategies.base import training_seed
from vlga.strategies.random_search import RandomSearch
from vlga.strategies.tpe import require_optuna
from workers.data import Dataset, load_dataset
from workers.evaluators.inline import InlineEvaluator
from workers.training.evaluate import evaluate

#: Powers of ten of parameters where the area ends.
_MOST_POWERS = 7
_SEARCHES = {
    "steady_state, fitness and parameters": (
        "strategy=steady_state",
        "objectives=[fitness,parameters]",
    ),
    "steady_state, fitness alone": ("strategy=steady_state",),
    "random_search": ("strategy=random_search",),
}
_NSGA2 = "Optuna's NSGA-II"


def settings_of(options: argparse.Namespace, seed: int) -> tuple[str, ...]:
    """Give what all searches have in common."""
    return (
        f"seed={seed}",
        f"population.size={options.population}",
        "population.founders=[]",
        f"training.epochs={options.epochs}",
        "training.batch_size=64",
        "training.inherit_weights=false",
        "limits.max_macs=1_000_000",
        "limits.max_activation_bytes=2_000_000",
        "final.epochs=0",
        "budget.seconds=none",
        f"budget.evaluations={options.networks}",
    )


def front_of(outcomes: Sequence[Evaluation]) -> list[Evaluation]:
    """Give the outcomes that no other equals in accuracy and size."""
    completed = [one for one in outcomes if one.fitness is not None]
    return pareto_front(completed, lambda one: (one.fitness or 0.0, -one.n_parameters))


def hypervolume(outcomes: Sequence[Evaluation]) -> float:
    """Give the area that outcomes dominate, at least 0: a stair, from the smallest network up."""
    area = below = 0.0
    for one in reversed(front_of(outcomes)):
        fitness = one.fitness or 0.0
        area += (fitness - below) * max(0.0, _MOST_POWERS - math.log10(one.n_parameters))
        below = fitness
    return area


def optuna_nsga2(dataset: Dataset, options: argparse.Namespace, seed: int) -> list[Evaluation]:
    """Train the networks that Optuna's NSGA-II proposes."""
    require_optuna()
    import optuna

    config = load_config(settings=("strategy=random_search", *settings_of(options, seed)))
    data, space = dataset.summary(), config.space.build()
    shrinking = RandomSearch.from_config(config, data.input_shape, len(data.classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.NSGAIISampler(population_size=options.population, seed=seed)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    outcomes = []
    for number in range(options.networks):
        trial = study.ask()
        n_blocks = trial.suggest_int("n_blocks", 1, 5)
        network, *blocks = (
            {
                gene: alleles[trial.suggest_categorical(f"{where}{gene}", [*range(len(alleles))])]
                for gene, alleles in genes.items()
            }
            for where, genes in (
                ("", space.network_alleles()),
                *((f"blocks.{index}.", space.block_alleles(index)) for index in range(n_blocks)),
            )
        )
        genome = shrinking._fit(space.genome(network, blocks), Random(number))
        plan = decode(genome, data.input_shape, len(data.classes))
        task = EvaluationTask(number, plan, config.training, training_seed(seed, plan.fingerprint))
        outcome, _ = evaluate(task, dataset)
        outcomes.append(outcome)
        if outcome.fitness is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, (outcome.fitness, math.log10(outcome.n_parameters)))
    return outcomes


def main(arguments: Sequence[str] | None = None) -> None:
    """Search, and print a row for each seed, then the means."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--networks", type=int, default=100, help="trained by each search")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--population", type=int, default=16)
    parser.add_argument("--set", dest="settings", action="append", default=[], help="the images")
    parser.add_argument("--small", action="store_true", help="to see whether it works: seconds")
    options = parser.parse_args(arguments)
    if options.small:
        options.seeds, options.networks, options.epochs, options.population = 1, 4, 1, 2
        options.settings.append("data.train_limit=100")
    torch.set_num_threads(1)
    dataset = load_dataset(load_config(settings=options.settings).data)
    found: dict[str, list[list[Evaluation]]] = {}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for name, chosen in _SEARCHES.items():
            evaluator = InlineEvaluator(dataset)
            common = settings_of(options, seed)
            outcomes = run_search(evaluator, dataset.summary(), *common, *chosen).evaluations
            evaluator.close()
            found.setdefault(name, []).append([*outcomes])
        found.setdefault(_NSGA2, []).append(optuna_nsga2(dataset, options, seed))
        volumes = {name: f"{hypervolume(runs[-1]):.3f}" for name, runs in found.items()}
        print(f"seed {seed}: {volumes}", flush=True)
    print_table([_row(name, runs) for name, runs in found.items()])


def _row(name: str, runs: Sequence[Sequence[Evaluation]]) -> dict[str, str]:
    volumes = [hypervolume(outcomes) for outcomes in runs]
    spread = statistics.stdev(volumes) if len(volumes) > 1 else 0.0
    fittest = [max(one.fitness or 0.0 for one in outcomes) for outcomes in runs]
    return {
        "search": name,
        "hypervolume": f"{statistics.fmean(volumes):.3f} ± {spread:.3f}",
        "on the front": f"{statistics.fmean(len(front_of(outcomes)) for outcomes in runs):.1f}",
        "best accuracy": f"{statistics.fmean(fittest):.4f}",
    }


if __name__ == "__main__":
    main()
