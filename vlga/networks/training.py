"""How a network is trained, as values: the optimizer, and the amplification of gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["AmplificationPlan", "OptimizerPlan"]


@dataclass(frozen=True, slots=True)
class OptimizerPlan:
    """SGD with Nesterov momentum; ranges as in `NetworkGenes`."""

    learning_rate: float
    momentum: float
    weight_decay: float

    def scaled(self, batch_size: int, base_batch_size: int | None) -> OptimizerPlan:
        """Give the settings as torch takes them, for batches of this size.

        With a base the learning rate is proportional to the batch, and weight decay, momentum,
        learning rate and batch size do not depend on each other: the decay is what a step of
        `base_batch_size` images at the peak rate takes of a weight (torch multiplies it by the
        rate).

        Args:
            batch_size: images in a step.
            base_batch_size: the batch that these settings are for; None: it is this one, in torch's
                terms.
        """
        if base_batch_size is None:
            return self
        return replace(
            self,
            learning_rate=self.learning_rate * batch_size / base_batch_size,
            weight_decay=self.weight_decay / self.learning_rate,
        )


@dataclass(frozen=True, slots=True)
class AmplificationPlan:
    """How gradients are amplified in a training, by OUR definitions.

    Gradient amplification is from Basodi, Ji, Zhang, Pan: "Gradient amplification: an efficient way
    to train deep neural networks" (2020, https://arxiv.org/abs/2006.10560); the intelligent choice
    from Basodi, Pusuluri, Xiao, Pan (2023, https://arxiv.org/abs/2305.18445). We could not read
    their full texts, so every quantity is a setting.

    Attributes:
        mode: ``random`` draws the layers, ``intelligent`` measures them.
        kind: eligible layers, ``batch_norm | activation | conv | any``.
        ratio: share of eligible layers drawn by ``random``, in (0, 1]; None for ``intelligent``.
        factor: multiplier of the gradient arriving at an amplified layer's output, at least 1.
        measure: ``G1 | G2`` of ``intelligent``, else None.
        threshold: ``mean | mean_std`` of ``intelligent``, else None.
        window: epochs with amplification on, as fractions [first, last) of the training.
        redraw: when ``random`` draws anew, ``once | epoch | step``.
        select: what ``intelligent`` amplifies, layers at or above the threshold (``consistent``) or
            below it (``fluctuating``).
        threshold_k: standard deviations added to the mean by ``mean_std``.
        side: ``output`` (the layer's gradients and all upstream), ``input`` (only what leaves
            toward earlier layers) or ``parameters`` (only the layer's own; nothing compounds).
    """

    mode: Literal["random", "intelligent"]
    kind: str = "batch_norm"
    ratio: float | None = 0.5
    factor: float = 2.0
    measure: str | None = None
    threshold: str | None = None
    window: tuple[float, float] = (0.25, 0.85)
    redraw: str = "epoch"
    select: str = "consistent"
    threshold_k: float = 0.5
    side: str = "output"
