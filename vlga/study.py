"""A study: fixed networks trained in several ways, arm beside arm, seed by seed.

It answers what a search cannot: does gradient amplification help this network, by how much, at
which learning rate? A study is run as a search is (strategies/grid.py): each of its trainings is a
candidate whose "genome" is a `Trial`, so that it has the same evaluators, the same ledger and the
same resume.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vlga.errors import ConfigError, GenomeError
from vlga.genetics.genome import Allele, Genome
from vlga.models import MODELS, ModelPlan
from vlga.phenotype import decode
from vlga.plan import AmplificationPlan, NetworkPlan, OptimizerPlan, Shape, fields_of
from vlga.study_settings import ArmConfig, StudyConfig

__all__ = ["Plan", "Trial", "arm_label", "heritage_from_dict", "plan_of", "trials"]

Plan = NetworkPlan | ModelPlan

TRIAL_VERSION = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of a study.

    Attributes:
        network: its name in the study: a key of `vlga.models.MODELS`, or ``SEARCH:ID``.
        genome: what a searched network decodes from; None for a named model.
        arm: says in words how it is amplified; equal for trials that differ in nothing else but
            network, optimizer and seed.
        optimizer: learning rate, momentum and weight decay.
        amplification: None for the plain arm.
        seed: which repetition, from 0; trials of one seed share initial weights, order of images
            and augmentation, so that arms can be compared in pairs.
    """

    network: str
    genome: Genome | None
    arm: str
    optimizer: OptimizerPlan
    amplification: AmplificationPlan | None
    seed: int

    def genes(self) -> dict[str, Allele]:
        """Give what tells the trial from others, as `Genome.genes` does."""
        return {
            "network": self.network,
            "arm": self.arm,
            "learning_rate": self.optimizer.learning_rate,
            "momentum": self.optimizer.momentum,
            "weight_decay": self.optimizer.weight_decay,
            "seed": self.seed,
        }

    @property
    def depth(self) -> int:
        """Number of convolutions, those of skip connections not counted."""
        return MODELS[self.network].depth if self.genome is None else self.genome.depth

    def to_dict(self) -> dict[str, Any]:
        """Give a JSON-ready dictionary, with its format's version."""
        amplification = self.amplification and fields_of(self.amplification)
        return {
            "trial_version": TRIAL_VERSION,
            "network": self.network,
            "genome": self.genome and self.genome.to_dict(),
            "arm": self.arm,
            "optimizer": fields_of(self.optimizer),
            "amplification": amplification and {**amplification, "window": [*self._window]},
            "seed": self.seed,
        }

    @property
    def _window(self) -> tuple[float, float]:
        assert self.amplification is not None
        return self.amplification.window

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trial:
        """Read what `to_dict` wrote.

        Raises:
            GenomeError: the version is unknown; a field is missing or unknown.
        """
        if data.get("trial_version") != TRIAL_VERSION:
            raise GenomeError(
                f"a trial must have trial_version={TRIAL_VERSION}, but got "
                f"{data.get('trial_version')!r}; it was written by another version of vlga"
            )
        try:
            amplification = data["amplification"]
            if amplification is not None:
                amplification = {**amplification, "window": tuple(amplification["window"])}
            return cls(
                network=data["network"],
                genome=None if data["genome"] is None else Genome.from_dict(data["genome"]),
                arm=data["arm"],
                optimizer=OptimizerPlan(**data["optimizer"]),
                amplification=amplification and AmplificationPlan(**amplification),
                seed=data["seed"],
            )
        except (KeyError, TypeError) as error:
            raise GenomeError(f"a trial must have exactly the known fields: {error}") from error


def heritage_from_dict(data: Mapping[str, Any]) -> Genome | Trial:
    """Read what a candidate is, a genome or a study's trial, from the ledger."""
    return Trial.from_dict(data) if "trial_version" in data else Genome.from_dict(data)


def plan_of(heritage: Genome | Trial, input_shape: Shape, n_classes: int) -> Plan:
    """Give the network and the training that a genome or a trial describes.

    Raises:
        ConfigError: a trial's model is unknown, or too deep for images of this shape.
    """
    if isinstance(heritage, Genome):
        return decode(heritage, input_shape, n_classes)
    if heritage.genome is not None:
        return replace(
            decode(heritage.genome, input_shape, n_classes),
            optimizer=heritage.optimizer,
            amplification=heritage.amplification,
        )
    return ModelPlan(
        heritage.network, input_shape, n_classes, heritage.optimizer, heritage.amplification
    )


def trial_fingerprint(trial: Trial, input_shape: Shape, n_classes: int) -> str:
    """Name a trial: 16 hexadecimal digits, equal exactly if plan and seed are."""
    plan = plan_of(trial, input_shape, n_classes).fingerprint
    return hashlib.sha256(f"{plan}/{trial.seed}".encode()).hexdigest()[:16]


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


def arm_label(plan: AmplificationPlan | None) -> str:
    """Say how gradients are amplified in a few words, every setting that differs from its default.

    Equal exactly for equal plans.
    """
    if plan is None:
        return "plain"
    default = AmplificationPlan(plan.mode)
    words = [plan.mode, plan.kind, f"x{plan.factor:g}"]
    if plan.mode == "random":
        words.append(f"ratio={plan.ratio:g}")
    else:
        words += [str(plan.measure), str(plan.threshold)]
    words += [
        f"{name}={value[0]:g}-{value[1]:g}" if name == "window" else f"{name}={value}"
        for name, value in fields_of(plan).items()
        if name in ("window", "redraw", "select", "threshold_k", "side")
        and value != getattr(default, name)
    ]
    return " ".join(words)


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
