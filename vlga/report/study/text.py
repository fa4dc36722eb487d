"""What ``vlga report`` says of a study: the differences between arms, and the layers over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from vlga.report.formats import as_csv, as_json, as_table
from vlga.report.study.summary import (
    ArmResult,
    LayerHistory,
    Run,
    arm_results,
    layer_histories,
    learning_curves,
)

__all__ = ["report_page", "report_text", "study_text"]

#: One character for an epoch: a dot for no value, then eight heights.
_BARS = "·▁▂▃▄▅▆▇█"
_EXPLANATION = (
    "Test: mean ± sample standard deviation over the seeds. Minus plain: the mean difference from "
    "the plain arm, which has no amplification, with the same seed ± its standard error. Better or "
    "worse: clearly so, by a paired Student's t test at 95 %."
)
_DIFFERENCES = (
    "Test accuracy minus that of the plain arm with the same seed: the mean over the seeds, with a "
    "bar of a standard error to each side. Filled where it is clearly better or worse."
)
_LEARNING = (
    "{key}. Accuracy on the validation images after each epoch, the mean over the seeds that "
    "completed."
)
_LAYERS = (
    "{key}. Each row is a layer, each column an epoch. G, from 0 to 1, says how steady the layer's "
    "gradients were; it is blank where it was not measured."
)


def study_text(runs: Sequence[Run], form: str, width: int | None = None) -> str:
    """Give what a study found as ``table``, ``json`` (keys `arms layers`) or ``csv`` (the arms)."""
    rows = [{**asdict(one), "verdict": one.verdict} for one in arm_results(runs)]
    if form == "json":
        layers = [
            {"network": network, "learning_rate": rate, "arm": arm, **asdict(history)}
            for (network, rate, arm), histories in layer_histories(runs).items()
            for history in histories
        ]
        return as_json({"arms": rows, "layers": layers})
    if form == "csv":
        return as_csv(rows, [*ArmResult.__dataclass_fields__, "verdict"])
    return report_text(runs, width)


def report_page(name: str, data: str, runs: Sequence[Run]) -> str:
    """Give the study as one HTML page: the table of arms, their curves, maps of their layers."""
    from vlga.report import html
    from vlga.report.study.figures import differences_figure, layers_figure, learning_figure

    results = arm_results(runs)
    rows = [_row(one) for one in results]
    parts = [html.paragraph("No training has ended yet.")]
    if rows:
        columns = list(rows[0])
        cells = [["-" if row[key] is None else str(row[key]) for key in columns] for row in rows]
        headers = [key.replace("_", " ") for key in columns]
        parts = [html.table(headers, cells), html.paragraph(_EXPLANATION)]
    if any(one.minus_plain is not None for one in results):
        parts += [
            html.heading("Differences from plain"),
            html.figure(differences_figure(results), _DIFFERENCES),
        ]
    learned = learning_curves(runs)
    if learned:
        parts.append(html.heading("Learning curves"))
    for (network, rate), curves in learned.items():
        caption = _LEARNING.format(key=f"{network}, learning rate {rate:g}")
        parts.append(html.figure(learning_figure(curves), caption, _curves_table(curves)))
    layers = layer_histories(runs)
    if layers:
        parts.append(html.heading("Layers"))
    for (network, rate, arm), histories in layers.items():
        caption = _LAYERS.format(key=f"{network}, learning rate {rate:g}, {arm}")
        parts.append(html.figure(layers_figure(histories), caption))
    return html.page(f"{name}: a study on {data}", *parts)


def _curves_table(curves: Mapping[str, Sequence[float]]) -> str:
    from vlga.report import html

    rows = [
        [str(epoch), *("-" if one is None else f"{100 * one:.2f}" for one in values)]
        for epoch, values in enumerate(zip_longest(*curves.values()), start=1)
    ]
    return html.table(["epoch", *curves], rows)


def report_text(runs: Sequence[Run], width: int | None = None) -> str:
    """Give the table of arms, and below it the amplified or measured layers of each arm."""
    if not runs:
        return "no training has ended yet"
    rows = [_row(one) for one in arm_results(runs)]
    spare = ("failed", "validation_%", "seeds", "learning_rate", "network")
    parts = [as_table(rows, list(rows[0]), width=width, spare=spare)]
    parts += [_layers(*key, histories, width) for key, histories in layer_histories(runs).items()]
    return "\n\n".join(parts)


def _row(result: ArmResult) -> Mapping[str, Any]:
    """Give accuracies in percent, as the papers do: the answer first, then what it is about.

    Differences are in percentage points.
    """
    return {
        "arm": result.arm,
        "minus_plain": _percent(result.minus_plain, result.minus_plain_se, sign="+"),
        "verdict": result.verdict,
        "test_%": _percent(result.test_accuracy, result.test_sd),
        "validation_%": _percent(result.validation_accuracy),
        "network": result.network,
        "learning_rate": f"{result.learning_rate:g}",
        "seeds": result.n_completed,
        "failed": result.n_failed or None,
    }


def _percent(value: float | None, spread: float | None = None, sign: str = "") -> str | None:
    if value is None:
        return None
    text = f"{100 * value:{sign}.2f}"
    return text if spread is None else f"{text} ± {100 * spread:.2f}"


def _layers(
    network: str, rate: float, arm: str, histories: Sequence[LayerHistory], width: int | None
) -> str:
    """Draw each layer's G, from the arm's lowest to its highest, and when it was amplified."""
    measured = [g for history in histories for g in history.measures if g is not None]
    low, high = (min(measured), max(measured)) if measured else (0.0, 0.0)
    title = f"G, {low:.2f} to {high:.2f}"
    rows = [
        {
            "layer": history.layer,
            title: "".join(
                _bar(None if g is None else (g - low) / ((high - low) or 1))
                for g in history.measures
            ),
            "amplified": "".join(_bar(share or None) for share in history.chosen),
        }
        for history in histories
    ]
    columns = ["layer", *([title] if measured else []), "amplified"]
    return f"{network}, learning rate {rate:g}, {arm}:\n{as_table(rows, columns, width=width)}"


def _bar(share: float | None) -> str:
    """Give a number in [0, 1] as a character."""
    return _BARS[0] if share is None else _BARS[1 + round(7 * share)]
