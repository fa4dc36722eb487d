"""A study's trial: one fixed network trained in one way, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlga.errors import GenomeError
from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele
from vlga.networks.named import MODELS
from vlga.networks.plan import fields_of
from vlga.networks.training import AmplificationPlan, OptimizerPlan

__all__ = ["Trial", "arm_label"]

TRIAL_VERSION = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of a study.

    Attributes:
        network: its name in the study: a key of `vlga.networks.named.MODELS`, or ``SEARCH:ID``.
        genome: what a searched network decodes from; None for a named model.
        arm: says in words how it is amplified; equal for trials that differ in nothing else but
            network, optimizer and seed.
        optimizer: learning rate, momentum and weight decay.
        amplification: None for the plain arm.
        seed: which repetition, from 0; trials of one seed share initial weights, order of images
            and augmentation, so that arms can be compared in pairs.
        epochs: of the training, at least 1; None for those of all trainings of the search.
    """

    network: str
    genome: Genome | None
    arm: str
    optimizer: OptimizerPlan
    amplification: AmplificationPlan | None
    seed: int
    epochs: int | None = None

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
            **({} if self.epochs is None else {"epochs": self.epochs}),
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
                epochs=data.get("epochs"),
            )
        except (KeyError, TypeError) as error:
            raise GenomeError(f"a trial must have exactly the known fields: {error}") from error


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
