"""What a study found: each arm compared with the plain one, and which layers were amplified when.

Pure functions from rows to rows; `db.read.studies` gives the rows and `vlga report` prints them.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from vlga.report.paired import PairedDifference, paired_difference

__all__ = [
    "PLAIN",
    "ArmResult",
    "LayerHistory",
    "Run",
    "arm_results",
    "layer_histories",
    "learning_curves",
]

#: The arm without amplification.
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Run:
    """One training of a study, as recorded.

    Attributes:
        id: the candidate's number.
        network: its name in the study.
        arm: in words.
        learning_rate: peak.
        seed: which repetition.
        test_accuracy: in [0, 1], or None if it failed or has not ended.
        validation_accuracy: likewise.
        reason: why it failed, or None.
        amplified: for each epoch, the amplified layers.
        measures: for each epoch, G in [0, 1] of the layers in which it was measured.
        accuracies: for each epoch, the validation accuracy after it in [0, 1], or None.
    """

    id: int
    network: str
    arm: str
    learning_rate: float
    seed: int
    test_accuracy: float | None
    validation_accuracy: float | None
    reason: str | None
    amplified: Sequence[Sequence[str]] = ()
    measures: Sequence[Mapping[str, float]] = ()
    accuracies: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm of one network at one learning rate, over its seeds.

    Attributes:
        network: its name.
        learning_rate: peak.
        arm: in words.
        n_completed: trainings that gave an accuracy.
        n_failed: trainings that did not.
        test_accuracy: mean over the completed, in [0, 1], or None.
        test_sd: their sample standard deviation; None for fewer than two.
        validation_accuracy: mean, or None.
        minus_plain: its test accuracy minus that of the plain arm with the same seed, as mean over
            the seeds that both completed; None for the plain arm, or if there is no such seed.
        minus_plain_se: its standard error; None for fewer than two such seeds.
        n_pairs: number of such seeds.
    """

    network: str
    learning_rate: float
    arm: str
    n_completed: int
    n_failed: int
    test_accuracy: float | None
    test_sd: float | None
    validation_accuracy: float | None
    minus_plain: float | None
    minus_plain_se: float | None
    n_pairs: int

    @property
    def verdict(self) -> str:
        """Say whether it is better than plain, by Student's t test (paired.py)."""
        if self.minus_plain is None or self.minus_plain_se is None:
            return ""
        if not PairedDifference(self.minus_plain, self.minus_plain_se, self.n_pairs).is_clear:
            return "no clear difference"
        return "better" if self.minus_plain > 0 else "worse"


@dataclass(frozen=True, slots=True)
class LayerHistory:
    """One layer of one arm over the epochs, averaged over seeds.

    Attributes:
        layer: its name in the network.
        measures: for each epoch, its mean G in [0, 1], or None if it was not measured.
        chosen: for each epoch, the share of the seeds that amplified it, in [0, 1].
    """

    layer: str
    measures: tuple[float | None, ...]
    chosen: tuple[float, ...]


def arm_results(runs: Sequence[Run]) -> list[ArmResult]:
    """Give a row for every network, learning rate and arm, in the order of their first training."""
    groups: dict[tuple[str, float, str], list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda one: one.id):
        groups[run.network, run.learning_rate, run.arm].append(run)
    keys = list(groups)
    firsts = {network: i for i, (network, _, _) in reversed(list(enumerate(keys)))}
    order = sorted(keys, key=lambda key: (firsts[key[0]], key[1], keys.index(key)))
    return [_result(key, groups[key], groups.get((key[0], key[1], PLAIN), [])) for key in order]


def layer_histories(runs: Sequence[Run]) -> dict[tuple[str, float, str], list[LayerHistory]]:
    """Give the layers of every arm that amplified or measured some, by network, rate and arm.

    Layers are in the order of their names, numbers in them counted as numbers.
    """
    histories = {}

    def key(run: Run) -> tuple[str, float, str]:
        return run.network, run.learning_rate, run.arm

    for group, members in groupby(sorted(runs, key=key), key=key):
        some = list(members)
        layers = {
            layer for run in some for names in (*run.measures, *run.amplified) for layer in names
        }
        if layers:
            ordered = sorted(layers, key=_natural)
            histories[group] = [_history(layer, some) for layer in ordered]
    return histories


def learning_curves(runs: Sequence[Run]) -> dict[tuple[str, float], dict[str, list[float]]]:
    """Give each arm's validation accuracy after each epoch, by network and rate, then by arm.

    It is the mean over the seeds that completed. An arm without any has no curve.
    """
    groups: dict[tuple[str, float], dict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in sorted(runs, key=lambda one: one.id):
        if run.reason is None and run.accuracies and None not in run.accuracies:
            groups[run.network, run.learning_rate][run.arm].append(run)
    return {
        group: {arm: _mean_curve(members) for arm, members in arms.items()}
        for group, arms in groups.items()
    }


def _mean_curve(runs: Sequence[Run]) -> list[float]:
    """Give the mean over some runs after each epoch that all have."""
    by_epoch = zip(*(one.accuracies for one in runs), strict=False)
    return [statistics.fmean(one for one in values if one is not None) for values in by_epoch]


def _natural(layer: str) -> list[tuple[int, str]]:
    """Give what sorts layers as they are numbered: features.4 before features.11."""
    parts = (int(one) if one.isdigit() else one for one in layer.split("."))
    return [(one, "") if isinstance(one, int) else (-1, one) for one in parts]


def _result(key: tuple[str, float, str], runs: Sequence[Run], plain: Sequence[Run]) -> ArmResult:
    network, learning_rate, arm = key
    tests = [run.test_accuracy for run in runs if run.test_accuracy is not None]
    validations = [run.validation_accuracy for run in runs if run.validation_accuracy is not None]
    others = {run.seed: run.test_accuracy for run in plain}
    differences = [
        run.test_accuracy - other
        for run in runs
        if run.test_accuracy is not None and (other := others.get(run.seed)) is not None
    ]
    if arm == PLAIN:
        differences = []
    paired = paired_difference(differences) if differences else None
    return ArmResult(
        network=network,
        learning_rate=learning_rate,
        arm=arm,
        n_completed=len(tests),
        n_failed=sum(run.reason is not None for run in runs),
        test_accuracy=statistics.fmean(tests) if tests else None,
        test_sd=statistics.stdev(tests) if len(tests) > 1 else None,
        validation_accuracy=statistics.fmean(validations) if validations else None,
        minus_plain=None if paired is None else paired.mean,
        minus_plain_se=None if paired is None else paired.standard_error,
        n_pairs=len(differences),
    )


def _history(layer: str, runs: Sequence[Run]) -> LayerHistory:
    n_epochs = max(len(run.amplified) for run in runs)
    measures, chosen = [], []
    for epoch in range(n_epochs):
        there = [run for run in runs if epoch < len(run.amplified)]
        measured = [run.measures[epoch][layer] for run in there if layer in run.measures[epoch]]
        measures.append(statistics.fmean(measured) if measured else None)
        chosen.append(statistics.fmean(layer in run.amplified[epoch] for run in there))
    return LayerHistory(layer, tuple(measures), tuple(chosen))
