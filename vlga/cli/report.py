"""``vlga report``: what a study says, as a table of amplified minus plain and the layers' story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from db.studies import study_runs
from vlga.cli.look import opened
from vlga.cli.options import db_option, format_option
from vlga.cli.output import as_csv, as_json, as_table
from vlga.study_report import ArmResult, LayerHistory, Run, arm_results, layer_histories

__all__ = ["report", "report_text"]

#: One character an epoch: nothing, then eighths.
_BARS = "·▁▂▃▄▅▆▇█"


@click.command()
@click.argument("study", metavar="STUDY")
@db_option
@format_option
def report(study: str, db_url: str, form: str) -> None:
    """Show what a study of vlga train found: each arm minus the plain one, with standard errors.

    Below the table: how steady each layer's gradients were (G) and in which epochs the layer was
    amplified, a character an epoch, averaged over seeds. "Better" and "worse" are by a paired
    Student's t test at 95 %: of twenty arms that change nothing, expect one.
    """
    with opened(db_url) as engine:
        runs = study_runs(engine, study)
    results = arm_results(runs)
    rows = [{**asdict(one), "verdict": one.verdict} for one in results]
    if form == "json":
        layers = [
            {"network": network, "learning_rate": rate, "arm": arm, **asdict(history)}
            for (network, rate, arm), histories in layer_histories(runs).items()
            for history in histories
        ]
        click.echo(as_json({"arms": rows, "layers": layers}))
    elif form == "csv":
        columns = ArmResult.__dataclass_fields__
        click.echo(as_csv(rows, [*columns, "verdict"]))
    else:
        click.echo(report_text(runs))


def report_text(runs: Sequence[Run]) -> str:
    """Give the table of arms, and below it the layers of each arm that has any."""
    if not runs:
        return "no training has ended yet"
    rows = [_row(one) for one in arm_results(runs)]
    parts = [as_table(rows, list(rows[0]))]
    parts += [_layers(*key, histories) for key, histories in layer_histories(runs).items()]
    return "\n\n".join(parts)


def _row(result: ArmResult) -> Mapping[str, Any]:
    """Give accuracies in percent, as the papers do."""
    return {
        "network": result.network,
        "learning_rate": f"{result.learning_rate:g}",
        "arm": result.arm,
        "seeds": result.n_completed,
        "failed": result.n_failed or None,
        "test": _percent(result.test_accuracy, result.test_sd),
        "validation": _percent(result.validation_accuracy),
        "minus_plain": _percent(result.minus_plain, result.minus_plain_se, sign="+"),
        "": result.verdict,
    }


def _percent(value: float | None, spread: float | None = None, sign: str = "") -> str | None:
    if value is None:
        return None
    text = f"{100 * value:{sign}.2f}"
    return text if spread is None else f"{text} ± {100 * spread:.2f}"


def _layers(network: str, rate: float, arm: str, histories: Sequence[LayerHistory]) -> str:
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
    return f"{network}, learning rate {rate:g}, {arm}:\n{as_table(rows, columns)}"


def _bar(share: float | None) -> str:
    """Give a number in [0, 1] as a character."""
    return _BARS[0] if share is None else _BARS[1 + round(7 * share)]
