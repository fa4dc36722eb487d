"""``vlga individual``: one network: its layers, its origin and its learning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from db.connection.engine import opened
from db.read import searches
from vlga.cli.completion import search_argument
from vlga.cli.options import INDIVIDUAL_ID, db_option, format_option
from vlga.cli.screen import screen_width
from vlga.networks.phenotype import Plan, heritage_from_dict, plan_of
from vlga.networks.training import AmplificationPlan
from vlga.networks.trial import Trial
from vlga.report.formats import as_csv, as_json, as_table, count_text, filled, number_of

__all__ = ["individual"]


_COLUMNS = ("layer", "what", "shape", "parameters", "macs")


@click.command()
@search_argument("search")
@click.argument("id_", metavar="ID", type=INDIVIDUAL_ID)
@db_option
@format_option
def individual(search: str, id_: int, db_url: str, form: str) -> None:
    """Show one individual: its origin, its layers with shapes and parameters, how it learned."""
    with opened(db_url) as engine:
        found = searches.individual(engine, search, id_)
        data = searches.show_search(engine, search)
    heritage = heritage_from_dict(found["genome"])
    plan = plan_of(heritage, tuple(data["input_shape"]), len(data["classes"]))
    layers = [
        {
            "layer": row.name,
            "what": row.kind,
            "shape": "x".join(map(str, row.output_shape)),
            "parameters": row.n_parameters,
            "macs": row.n_macs,
        }
        for row in plan.layer_table()
    ]
    scored_on = "TEST" if data["fitness_on"] == "test" else "validation"
    if form == "json":
        click.echo(as_json({**found, "layers": layers}))
    elif form == "csv":
        click.echo(as_csv(layers, _COLUMNS))
    else:
        parts = [
            filled(
                _story(search, found, plan, heritage if isinstance(heritage, Trial) else None),
                screen_width(),
                indent=11,
            ),
            as_table(layers, _COLUMNS, width=screen_width(), spare=("macs", "what")),
            *(_learning(one, scored_on) for one in found["evaluations"]),
            "\n".join(
                f"{artifact['kind'].replace('_', ' '):13}  {artifact['path']}"
                for artifact in found["artifacts"]
            ),
        ]
        click.echo("\n\n".join(part for part in parts if part))


def _story(search: str, found: Mapping[str, Any], plan: Plan, trial: Trial | None) -> str:
    """Describe where an individual comes from and how it is trained."""
    parents = " and ".join(f"#{parent}" for parent in found["parents"])
    operator, *more = found["operator"].replace("_", " ").split("+")
    origin = f"{operator} from {parents}" if parents else operator
    if trial is not None:
        origin = f"{trial.network}, seed {trial.seed} of a study"
    optimizer = plan.optimizer
    inherits = found["weights_from"]
    size = f"{count_text(plan.n_parameters)} parameters, {count_text(plan.n_macs)} MACs an image"
    regularization = f"momentum {optimizer.momentum:g}, weight decay {optimizer.weight_decay:g}"
    lines = [
        f"#{found['id']} of {search}, phase {found['phase']} generation {found['generation']}"
        + (f", rung {found['rung']}" if found["rung"] else ""),
        f"made by    {', then '.join([origin, *more])}"
        + (f", with the trained layers of #{inherits}" if inherits is not None else ""),
        f"network    {number_of(plan.depth, 'convolution')}, {size}",
        f"training   learning rate {optimizer.learning_rate:g}, {regularization}",
        f"amplified  {_amplification(plan.amplification)}",
        f"plan       {found['fingerprint']}",
    ]
    return "\n".join(lines)


def _amplification(plan: AmplificationPlan | None) -> str:
    """Describe which layers' gradients are amplified, when and by how much."""
    if plan is None:
        return "nothing"
    kind = plan.kind.replace("_", " ")
    if plan.mode == "random":
        whose = f"{plan.ratio:.0%} of the {kind} layers, drawn at random"
    else:
        whose = f"{kind} layers with {plan.measure} at or above {plan.threshold}"
    first, last = plan.window
    return f"gradients of {whose}, by {plan.factor:g}, from {first:.0%} to {last:.0%} of the epochs"


def _learning(evaluation: Mapping[str, Any], scored_on: str) -> str:
    """Describe a training epoch by epoch, with a bar for the accuracy."""
    kind = "final training" if evaluation["is_final"] else "training"
    score = "test" if evaluation["is_final"] else scored_on
    if evaluation["reused"]:
        where = " in another search" if evaluation["on_budget"] else ""
        head = f"training of an equal network{where}"
    elif evaluation["status"] == "completed":
        epochs, seconds = number_of(evaluation["epochs"], "epoch"), evaluation["train_seconds"]
        head = f"{kind} of {epochs} in {seconds:.1f} s"
    else:
        head = kind
    if evaluation["fitness"] is None:
        head += f" failed ({evaluation['reason']}): {evaluation['message']}"
    else:
        head += f": {score} accuracy {evaluation['fitness']:.4f}"
        head += f" ({evaluation['message']})" if evaluation["message"] else ""
    if evaluation["test_accuracy"] is not None:
        head += f", test accuracy {evaluation['test_accuracy']:.4f}"
    return "\n".join([head, *_curve(evaluation["curve"])])


def _curve(curve: Sequence[Mapping[str, Any]]) -> list[str]:
    if not curve:
        return []
    rows = []
    # a longer training is scored at its end only, which its head tells
    is_scored = all(point["validation_accuracy"] is not None for point in curve)
    for point in curve:
        measured = point["validation_accuracy"]
        accuracy = measured if is_scored else point["train_accuracy"]
        rows.append(
            {
                "epoch": point["epoch"] + 1,
                "learning rate": f"{point['learning_rate']:.4f}",
                "train loss": point["train_loss"],
                "train": point["train_accuracy"],
                "score": measured,
                "": "█" * round(20 * accuracy) or "▏",
                "amplified": len(point["amplified_layers"]) or None,
            }
        )
    columns = list(rows[0])
    if not is_scored:
        columns.remove("score")
    spare = ("learning rate", "amplified")
    return as_table(rows, columns, width=screen_width(), spare=spare).splitlines()
