"""What a person would do without a search: one known network, and the whole budget to train it.

The rival that a search has to beat. Its network is a small ResNet (`vlga.networks.named`), the
widest that `limits.max_macs` allows, with the learning rate 0.1, momentum 0.9 and weight decay 5e-4
that such networks usually have, and the schedule of all trainings, up and down once.

How it is counted: its one training has as many epochs as the budget allows all trainings of a
search together: `budget.epochs`, or `budget.evaluations` times `training.epochs`. As every winner
it is then trained on for `final.epochs` from its own weights, on training and validation images.
Both have thus trained equally many epochs. What it lacks is a choice: it has tried nothing else.

With `budget.seconds` alone its training has `training.epochs`, as the longest of others, on the
CPUs of one training (`workers.cpus_per_evaluation`), also where others train several at a time. The
longer training that follows has all the time that is left, on all CPUs. Without a longer training
(`final.epochs` is 0) a second one, from the beginning, has as many epochs as fit in nine tenths of
what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

from vlga.config.settings import SearchConfig
from vlga.networks.layers import Shape
from vlga.networks.named import ModelPlan
from vlga.networks.phenotype import trial_fingerprint
from vlga.networks.training import OptimizerPlan
from vlga.networks.trial import Trial, arm_label
from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.base import Inherits, Strategy

__all__ = ["HandMade", "small_resnet"]

#: From the widest to the narrowest.
_NETWORKS = ("small_resnet_32", "small_resnet_16")
_OPTIMIZER = OptimizerPlan(learning_rate=0.1, momentum=0.9, weight_decay=5e-4)
#: The batch that its learning rate is for, where rates are in proportion to the batch.
_BATCH_SIZE = 64
#: Of the time left, how much a training is planned to take: what it takes varies.
_SHARE = 0.9


def small_resnet(input_shape: Shape, n_classes: int, max_macs: int | None) -> str:
    """Give the name of the widest small ResNet within a limit, or of the narrowest there is."""
    for name in _NETWORKS:
        n_macs = ModelPlan(input_shape, n_classes, _OPTIMIZER, None, name).n_macs
        if max_macs is None or n_macs <= max_macs:
            return name
    return _NETWORKS[-1]


def _optimizer(base_batch_size: int | None) -> OptimizerPlan:
    """Give settings that are the usual ones in torch's terms at a batch of 64, or at any.

    Args:
        base_batch_size: as `OptimizerPlan.scaled` takes it; None: at any.
    """
    if base_batch_size is None:
        return _OPTIMIZER
    rate = _OPTIMIZER.learning_rate * base_batch_size / _BATCH_SIZE
    return replace(_OPTIMIZER, learning_rate=rate, weight_decay=_OPTIMIZER.weight_decay * rate)


class HandMade(Strategy):
    """Trains one known network with the whole budget.

    Args:
        config: of the search.
        input_shape: of its images.
        n_classes: of them.
    """

    inherits: ClassVar[Inherits] = "parent"  # its final training goes on from its weights

    def __init__(self, config: SearchConfig, input_shape: Shape, n_classes: int) -> None:
        super().__init__(config.seed)
        self._images = input_shape, n_classes
        self._network = small_resnet(input_shape, n_classes, config.limits.max_macs)
        epochs, budget = config.training.epochs, config.budget
        limits = [
            *([] if budget.epochs is None else [budget.epochs]),
            *([] if budget.evaluations is None else [budget.evaluations * epochs]),
        ]
        self._epochs = min(limits, default=epochs)
        self._seconds = None if limits or config.final.epochs else budget.seconds
        self._optimizer = _optimizer(config.training.base_batch_size)

    @classmethod
    def from_config(cls, config: SearchConfig, input_shape: Shape, n_classes: int) -> Self:
        """Take the budget and the limits of a configuration."""
        return cls(config, input_shape, n_classes)

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        if self._n_made == 0:
            return [self._candidate(self._epochs)]
        if self._n_made == 1 and self._seconds is not None and told:
            first = told[0].evaluation
            left = _SHARE * (self._seconds - first.train_seconds)
            epochs = int(left * first.epochs / max(first.train_seconds, 1e-3))
            if epochs > first.epochs:
                return [self._candidate(epochs)]
        self.ended_by = "its one network is trained"
        return []

    def _candidate(self, epochs: int) -> Candidate:
        trial = Trial(self._network, None, arm_label(None), self._optimizer, None, 0, epochs)
        self._n_made += 1
        return Candidate(
            id=self._n_made - 1,
            genome=trial,
            fingerprint=trial_fingerprint(trial, *self._images),
            phase=0,
            generation=self._n_made - 1,
            parents=(),
            operator="hand_made",
        )
