"""Networks proposed by Optuna's TPE: a search space of its kind made of ours.

TPE is that of Bergstra et al.: "Algorithms for Hyper-Parameter Optimization" (2011,
https://proceedings.neurips.cc/paper/4443), as Optuna has it (Akiba et al., 2019,
https://arxiv.org/abs/1907.10902), multivariate and grouped, which suits networks of several
lengths: the genes of one block are a group. The length is drawn first, then every gene of that many
blocks that has a choice.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vlga.errors import ConfigError
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Individual

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from vlga.genetics.rules import Allele

__all__ = ["Tpe", "require_optuna"]

_DEPTH = "n_blocks"


def require_optuna() -> None:
    """Refuse to go on without Optuna.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            "optuna_tpe and optuna_tpe_asha need Optuna, which is not installed; "
            "pip install 'vlga[bench]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class Tpe:
    """Proposes genomes; each proposal depends on the arguments of `suggest` alone.

    A gene whose alleles are numbers is a whole number to Optuna, an allele's place by size; any
    other gene is categorical.

    Args:
        space: where genomes come from.
        max_blocks: blocks of the longest genome, at least 1.
        top_rung: of whole trainings; those on a rung below count as pruned.
    """

    def __init__(self, space: SearchSpace, max_blocks: int, top_rung: int) -> None:
        require_optuna()
        self._space = space
        self._max_blocks = max_blocks
        self._top_rung = top_rung
        self._study: optuna.Study | None = None
        self._in_study: list[Individual] = []

    def suggest(self, known: Sequence[Individual], out: Sequence[Genome], seed: int) -> Genome:
        """Give the genome to train next.

        Args:
            known: the networks whose outcome is known, at least one, in the order of telling.
            out: those that are in training; TPE takes them for bad ones (its constant liar), so
                that it does not propose the same again.
            seed: in [0, 2**32).
        """
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        study = self._study_of(known)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is grouped is experimental
            study.sampler = TPESampler(
                multivariate=True, group=True, constant_liar=True, n_startup_trials=0, seed=seed
            )
        first = len(study.get_trials(deepcopy=False))
        study.add_trials([self._trial(genome, state=TrialState.RUNNING) for genome in out])
        trial = study.ask()
        n_blocks = trial.suggest_int(_DEPTH, 1, self._max_blocks)
        network = {
            gene: _suggested(trial, gene, alleles)
            for gene, alleles in self._space.network_alleles().items()
        }
        blocks = [
            {
                gene: _suggested(trial, f"blocks.{index}.{gene}", alleles)
                for gene, alleles in self._space.block_alleles(index).items()
            }
            for index in range(n_blocks)
        ]
        for number in range(first, trial.number + 1):
            study.tell(number, state=TrialState.FAIL)  # of no account any more
        return self._space.genome(network, blocks)

    def _study_of(self, known: Sequence[Individual]) -> optuna.Study:
        """Give a study of these networks: the last one with what is new, as far as it holds."""
        import optuna

        n = len(self._in_study)
        if self._study is None or self._in_study != [*known[:n]]:
            self._study, self._in_study, n = optuna.create_study(direction="maximize"), [], 0
        for one in known[n:]:
            self._study.add_trial(self._outcome(one))
            self._in_study.append(one)
        return self._study

    def _outcome(self, one: Individual) -> FrozenTrial:
        from optuna.trial import TrialState

        if one.candidate.rung == self._top_rung:
            return self._trial(one.genome, state=TrialState.COMPLETE, value=one.accuracy)
        rungs = {one.candidate.rung: one.accuracy}
        return self._trial(one.genome, state=TrialState.PRUNED, intermediate_values=rungs)

    def _trial(self, genome: Genome, **outcome: Any) -> FrozenTrial:
        from optuna.distributions import IntDistribution
        from optuna.trial import create_trial

        own = genome.genes()
        params: dict[str, Any] = {_DEPTH: len(genome.blocks)}
        distributions: dict[str, BaseDistribution] = {_DEPTH: IntDistribution(1, self._max_blocks)}
        for gene, alleles in self._space.varied_genes(len(genome.blocks)).items():
            params[gene] = _ordered(alleles).index(own[gene])
            distributions[gene] = _distribution(alleles)
        return create_trial(params=params, distributions=distributions, **outcome)


def _suggested(trial: optuna.Trial, gene: str, alleles: Sequence[Allele]) -> Allele:
    if len(alleles) == 1:
        return alleles[0]
    if _are_numbers(alleles):
        index = trial.suggest_int(gene, 0, len(alleles) - 1)
    else:
        index = trial.suggest_categorical(gene, [*range(len(alleles))])
    allele: Allele = _ordered(alleles)[index]
    return allele


def _distribution(alleles: Sequence[Allele]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if _are_numbers(alleles):
        return IntDistribution(0, len(alleles) - 1)
    return CategoricalDistribution([*range(len(alleles))])


def _ordered(alleles: Sequence[Allele]) -> list[Any]:
    """Give alleles in the order in which Optuna numbers them."""
    numbers: list[Any] = [*alleles]
    return sorted(numbers) if _are_numbers(alleles) else numbers


def _are_numbers(alleles: Sequence[Allele]) -> bool:
    return all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in alleles)
