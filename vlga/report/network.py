"""What there is to say of one network: its origin, its layers and each of its trainings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlga.config.fitness import fitness_words
from vlga.networks.phenotype import Plan, heritage_from_dict, plan_of
from vlga.networks.training import AmplificationPlan
from vlga.networks.trial import Trial
from vlga.ports.data import fitness_label
from vlga.report.formats import count_text, number_of

__all__ = ["layer_rows", "network_facts", "network_plan", "training_text"]


def network_plan(found: Mapping[str, Any], data: Mapping[str, Any]) -> Plan:
    """Give the plan of a network.

    Args:
        found: as `db.read.searches.individual` gives it.
        data: its search, as `db.read.searches.show_search` gives it.
    """
    heritage = heritage_from_dict(found["genome"])
    return plan_of(heritage, tuple(data["input_shape"]), len(data["classes"]))


def layer_rows(plan: Plan) -> list[dict[str, Any]]:
    """Give a network's layers as rows of `layer what shape parameters macs`."""
    return [
        {
            "layer": row.name,
            "what": row.kind,
            "shape": "x".join(map(str, row.output_shape)),
            "parameters": row.n_parameters,
            "macs": row.n_macs,
        }
        for row in plan.layer_table()
    ]


def network_facts(found: Mapping[str, Any], plan: Plan) -> dict[str, str]:
    """Say where a network comes from, what it is and how it is trained, a line for each word."""
    heritage = heritage_from_dict(found["genome"])
    parents = " and ".join(f"#{parent}" for parent in found["parents"])
    operator, *more = found["operator"].replace("_", " ").split("+")
    origin = f"{operator} from {parents}" if parents else operator
    if isinstance(heritage, Trial):
        origin = f"{heritage.network}, seed {heritage.seed} of a study"
    optimizer = plan.optimizer
    inherits = found["weights_from"]
    size = f"{count_text(plan.n_parameters)} parameters, {count_text(plan.n_macs)} MACs an image"
    regularization = f"momentum {optimizer.momentum:g}, weight decay {optimizer.weight_decay:g}"
    return {
        "made by": ", then ".join([origin, *more])
        + (f", with the trained layers of #{inherits}" if inherits is not None else ""),
        "network": f"{number_of(plan.depth, 'convolution')}, {size}",
        "training": f"learning rate {optimizer.learning_rate:g}, {regularization}",
        "amplified": _amplification(plan.amplification),
        "plan": found["fingerprint"],
    }


def training_text(evaluation: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Say in one line what a training was and what came of it.

    Args:
        evaluation: one of those that `db.read.searches.individual` gives.
        data: its search, as `db.read.searches.show_search` gives it.
    """
    kind = "final training" if evaluation["is_final"] else "training"
    measure = fitness_label(data["fitness"], data["fitness_on"])
    if evaluation["is_final"]:
        measure = f"test {fitness_words(data['fitness'])}"
    if evaluation["reused"]:
        where = " in another search" if evaluation["on_budget"] else ""
        text = f"training of an equal network{where}"
    elif evaluation["status"] == "completed":
        epochs, seconds = number_of(evaluation["epochs"], "epoch"), evaluation["train_seconds"]
        text = f"{kind} of {epochs} in {seconds:.1f} s"
        if not evaluation["epochs"]:
            text = f"committee of {count_text(evaluation['parameters'])} parameters"
    else:
        text = kind
    if evaluation["fitness"] is None:
        text += f" failed ({evaluation['reason']}): {evaluation['message']}"
    else:
        text += f": {measure} {evaluation['fitness']:.4f}"
        text += f" ({evaluation['message']})" if evaluation["message"] else ""
    if evaluation["test_accuracy"] is not None and measure != "test accuracy":
        text += f", test accuracy {evaluation['test_accuracy']:.4f}"
    return text


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
