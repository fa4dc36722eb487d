"""The trainings of a study, all of them in order: fixed networks trained in several ways.

It answers what a search cannot: does gradient amplification help this network, by how much, at
which learning rate? A study is run as a search is: each of its trainings is a candidate whose
"genome" is a `Trial`, so that it has the same evaluators, the same ledger and the same resume.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

from vlga.config.settings import SearchConfig
from vlga.config.study import ArmConfig, StudyConfig
from vlga.errors import ConfigError
from vlga.genetics.genome import Genome
from vlga.networks.layers import Shape
from vlga.networks.phenotype import decode, plan_of, trial_fingerprint
from vlga.networks.plan import NetworkPlan
from vlga.networks.training import AmplificationPlan, OptimizerPlan
from vlga.networks.trial import Trial, arm_label
from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.base import Strategy

__all__ = ["Grid", "trials"]


def trials(study: StudyConfig, input_shape: Shape, n_classes: int) -> Iterator[Trial]:
    """Give a study's trainings, seeds outermost, so that an unfinished study is balanced.

    Raises:
        ConfigError: a network is unknown or does not suit the images; an arm needs what a network
            has not.
    """
    for seed in range(study.seeds):
        for network in study.networks:
            genome = _genome(study, network)
            own = None if genome is None else decode(genome, input_shape, n_classes)
            rates: list[float] | list[None] = study.learning_rates or [None]
            for learning_rate in rates:
                for arm in study.arms:
                    amplification = _amplification(arm, network, own)
                    if own is None:
                        optimizer = OptimizerPlan(
                            0.1 if learning_rate is None else learning_rate,
                            study.momentum,
                            study.weight_decay,
                        )
                    elif learning_rate is None:
                        optimizer = own.optimizer
                    else:
                        optimizer = replace(own.optimizer, learning_rate=learning_rate)
                    label = arm_label(amplification)
                    trial = Trial(network, genome, label, optimizer, amplification, seed)
                    plan_of(trial, input_shape, n_classes)  # refuses what cannot be built
                    yield trial


def _genome(study: StudyConfig, network: str) -> Genome | None:
    """Give a searched network's genome; a named model has none, and `ModelPlan` refuses others."""
    return Genome.from_dict(study.genomes[network]) if network in study.genomes else None


def _amplification(
    arm: ArmConfig, network: str, own: NetworkPlan | None
) -> AmplificationPlan | None:
    if arm.amplify == "own":
        if own is None:
            raise ConfigError(
                f"[study.arms] amplify='own' needs a searched network, but {network!r} is a named "
                "model; say random or intelligent"
            )
        return own.amplification
    return arm.plan()


class Grid(Strategy):
    """Gives the trials of ``[study]`` in their order, and nothing more.

    Raises:
        ConfigError: the study has no network, or as `vlga.strategies.grid.trials`.
    """

    has_generations = False
    scores_test = True

    def __init__(self, study: StudyConfig, seed: int, input_shape: Shape, n_classes: int) -> None:
        super().__init__(seed)
        self.trials: tuple[Trial, ...] = tuple(trials(study, input_shape, n_classes))
        self._images = input_shape, n_classes

    @classmethod
    def from_config(cls, config: SearchConfig, input_shape: Shape, n_classes: int) -> Self:
        """Give a configuration's study of networks for images of this shape."""
        return cls(config.study, config.seed, input_shape, n_classes)

    def training_seed(self, candidate: Candidate) -> int:
        """Give all arms of one repetition the same seed, so that they differ in nothing else."""
        assert isinstance(candidate.genome, Trial)
        text = f"{self.seed}/study/{candidate.genome.seed}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:  # noqa: ARG002  # it learns nothing
        if self._n_made:
            self.ended_by = "all trainings of the study are done"
            return []
        made = [
            Candidate(
                id=number,
                genome=trial,
                fingerprint=trial_fingerprint(trial, *self._images),
                phase=0,
                generation=0,
                parents=(),
                operator="grid",
            )
            for number, trial in enumerate(self.trials)
        ]
        self._n_made = len(made)
        return made
