"""Learning rates and amplification over a training, as pure functions of step and epoch."""

from __future__ import annotations

from collections.abc import Sequence

from vlga.config.training import WindowConfig
from vlga.networks.training import AmplificationPlan
from workers.amplification.choice import window_epochs

__all__ = ["amplified_epochs", "is_early", "learning_rate_at", "window_of"]


def learning_rate_at(
    step: int,
    n_steps: int,
    peak: float,
    warmup_fraction: float,
    window: WindowConfig | None = None,
) -> float:
    """Give the learning rate of a step: a straight line up to the peak, then one down towards 0.

    Args:
        step: in [0, n_steps).
        n_steps: of the whole training, at least 1.
        peak: the largest learning rate.
        warmup_fraction: share of the steps that rise, in [0, 1]; with 0 the first step has `peak`.
        window: that the step lies in, if any: the learning rate is then the same in all of it.

    Returns:
        Above 0 and at most `peak`, also for the first and the last step.
    """
    if window:
        return peak * window.rate
    n_warmup = round(warmup_fraction * n_steps)
    if step < n_warmup:
        return peak * (step + 1) / n_warmup
    return peak * (n_steps - step) / (n_steps - n_warmup)


def is_early(epoch: int, n_epochs: int) -> bool:
    """Tell whether an epoch, from 0, is in the first half of a training of so many."""
    return epoch < n_epochs // 2


def window_of(epoch: int, n_epochs: int, windows: Sequence[WindowConfig]) -> WindowConfig | None:
    """Give the window that an epoch lies in: the training strategy of Basodi et al. 2020 and 2023.

    Windows follow each other; their ends are scaled so that the last one's is the training's end,
    and rounded to whole epochs. A shorter training thus has the same windows, shorter; in one of
    fewer epochs than windows some are left out.

    Args:
        epoch: in [0, n_epochs).
        n_epochs: of the training.
        windows: with rising `until`; without any there is none to lie in.
    """
    if not windows:
        return None
    scale = n_epochs / windows[-1].until
    return next(one for one in windows if epoch < round(one.until * scale))


def amplified_epochs(
    n_epochs: int, windows: Sequence[WindowConfig], plan: AmplificationPlan | None
) -> Sequence[int]:
    """Give the epochs with amplification on: by the windows, or without any by the plan."""
    if windows:
        found = [window_of(epoch, n_epochs, windows) for epoch in range(n_epochs)]
        return [epoch for epoch, one in enumerate(found) if one and one.amplify]
    return () if plan is None else window_epochs(plan.window, n_epochs)
