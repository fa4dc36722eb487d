"""Which layers are amplified in which epochs: pure functions of settings, seed and measures."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence

from vlga.errors import ConfigError
from vlga.networks.training import AmplificationPlan
from workers.amplification.layers import KINDS
from workers.amplification.measure import MEASURES

__all__ = ["THRESHOLDS", "check_plan", "choose_by_measure", "draw", "threshold", "window_epochs"]

THRESHOLDS = ("mean", "mean_std")


def window_epochs(window: tuple[float, float], n_epochs: int) -> range:
    """Give the epochs with amplification on.

    Args:
        window: [first, last) as fractions of the training; each end is rounded to a whole epoch.
        n_epochs: of the training.
    """
    first, last = window
    return range(round(first * n_epochs), round(last * n_epochs))


def draw(
    names: Sequence[str], ratio: float, *, seed: int, epoch: int, step: int | None = None
) -> tuple[str, ...]:
    """Draw layers at random: ``max(1, round(ratio * n))`` of n, in their order in `names`.

    The same arguments give the same layers; the global random state is neither read nor changed.

    Args:
        names: of the eligible layers, at least one.
        ratio: share of them to draw, in (0, 1].
        seed: of the training.
        epoch: from 0.
        step: from 0 within the epoch, if each step has its own draw.
    """
    where = f"{epoch}" if step is None else f"{epoch}/{step}"
    rng = random.Random(f"{seed}/amplification/{where}")
    drawn = set(rng.sample(names, max(1, round(ratio * len(names)))))
    return tuple(name for name in names if name in drawn)


def threshold(measures: Sequence[float], kind: str, k: float) -> float:
    """Give the threshold over the eligible layers' measures.

    Args:
        measures: at least one, in [0, 1].
        kind: ``mean``, or ``mean_std`` for the mean plus k (population) standard deviations.
        k: in standard deviations; unused by ``mean``.
    """
    mean = statistics.mean(measures)  # exact: equal measures have themselves as their mean
    return mean if kind == "mean" else mean + k * statistics.pstdev(measures)


def choose_by_measure(measures: Mapping[str, float], plan: AmplificationPlan) -> tuple[str, ...]:
    """Choose layers by the last epoch's measures; none if there are none or no layer qualifies.

    A measure that is not finite (its gradients overflowed) neither counts nor qualifies.

    Args:
        measures: in [0, 1] by layer, 1 for gradients that kept their direction.
        plan: whose `threshold`, `threshold_k` and `select` decide: layers at or above the
            threshold (``consistent``) or below it (``fluctuating``).
    """
    finite = {name: value for name, value in measures.items() if math.isfinite(value)}
    if not finite:
        return ()
    limit = threshold(list(finite.values()), str(plan.threshold), plan.threshold_k)
    wanted = plan.select == "consistent"
    return tuple(name for name, value in finite.items() if (value >= limit) == wanted)


def check_plan(plan: AmplificationPlan) -> None:
    """Check the settings.

    Raises:
        ConfigError: a setting is unknown or out of range, or one that the mode needs is None.
    """
    _one_of("mode", plan.mode, ("random", "intelligent"))
    _one_of("kind", plan.kind, tuple(KINDS))
    _one_of("side", plan.side, ("output", "input", "parameters"))
    if not (math.isfinite(plan.factor) and plan.factor >= 1):
        raise ConfigError(
            f"[amplification] factor must be finite and at least 1, but got factor={plan.factor!r}"
        )
    if not 0 <= plan.window[0] <= plan.window[1] <= 1:
        raise ConfigError(
            "[amplification] window must be two fractions of the training in rising order, "
            f"such as (0.25, 0.85), but got window={plan.window!r}"
        )
    if plan.mode == "random":
        _one_of("redraw", plan.redraw, ("once", "epoch", "step"))
        if plan.ratio is None or not 0 < plan.ratio <= 1:
            raise ConfigError(
                "[amplification] ratio must be above 0 and at most 1 for mode='random', "
                f"but got ratio={plan.ratio!r}"
            )
    else:
        _one_of("measure", plan.measure, tuple(MEASURES))
        _one_of("threshold", plan.threshold, THRESHOLDS)
        _one_of("select", plan.select, ("consistent", "fluctuating"))


def _one_of(name: str, value: str | None, known: Sequence[str]) -> None:
    if value not in known:
        raise ConfigError(
            f"[amplification] {name} must be one of {', '.join(known)}, but got {name}={value!r}"
        )
