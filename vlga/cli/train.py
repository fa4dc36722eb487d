"""``vlga train``: fixed networks, with and without amplified gradients."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from db.connection.engine import opened
from db.connection.urls import masked
from db.read.studies import study_runs
from db.store import SqlStore
from vlga.app.evaluators import load_data, make_evaluator, with_image_size
from vlga.app.searches import ReadySearch, enter, refuse_taken
from vlga.app.sizes import choose_sizes, machine_of
from vlga.app.studies import planned, with_genomes
from vlga.cli.completion import complete_data, complete_networks
from vlga.cli.live import TerminalObserver
from vlga.cli.options import db_hint, db_option, result_option, set_option, worker_options
from vlga.cli.run import overrides, run_in_terminal
from vlga.cli.screen import screen_width
from vlga.config.load import load_config
from vlga.errors import ConfigError, TooManyFailures
from vlga.execution.hold import held
from vlga.networks.named import MODELS
from vlga.ports.names import check_name
from vlga.report.formats import at_a_time_text, number_of
from vlga.report.study.text import study_text

__all__ = ["run_study", "train"]

#: Over the default preset: no search, and a training as the papers' networks have it.
_DEFAULTS: dict[str, Any] = {
    "strategy": "grid",
    "budget": {},
    "limits.max_macs": None,
    "limits.max_activation_bytes": None,
    "final.epochs": 0,
    "training.epochs": 30,
    "training.batch_size": 128,
    "training.base_batch_size": None,
    "training.initialization": "he",
    "training.norm_bias_rate": 1.0,
    "training.label_smoothing": 0.0,
    "population.founders": [],
}

_UNUSED = {
    "strategy": "a study has none; searches are run by vlga search",
    "fitness": "a study gives accuracies and chooses no network; leave it out",
    "population": "a study has no population; searches are run by vlga search",
    "space": "a study has no space; its networks are named by MODEL, SEARCH[:ID] or [study]",
}

#: Options of the one arm that the command line describes, and what they mean.
_ARM_KEYS = {
    "amplify": "Gradient amplification: off, random, intelligent; own: as a searched network's "
    "genes say.",
    "kind": "Layers: batch_norm (default), activation, conv or any.",
    "factor": "Multiplier of a layer's gradient, at least 1; default 2.",
    "side": "output (default), input or parameters of a layer.",
    "ratio": "random: share of the layers, in (0, 1]; default 0.5.",
    "redraw": "random: draw layers once, each epoch (default) or step.",
    "measure": "intelligent: G1 (default) or G2.",
    "threshold": "intelligent: mean (default) or mean_std.",
    "select": "intelligent: consistent (default) or fluctuating.",
}


def _arm_options(command: Any) -> Any:
    for key, about in reversed(_ARM_KEYS.items()):
        kind = float if key in ("factor", "ratio") else str
        command = click.option(f"--{key}", type=kind, help=about)(command)
    return command


@click.command()
@click.argument(
    "network",
    metavar="[MODEL|SEARCH[:ID]]",
    required=False,
    shell_complete=complete_networks,
)
@click.option("--grid", type=click.Path(path_type=Path), help="A study: a TOML file with [study].")
@_arm_options
@click.option(
    "--window",
    "windows",
    multiple=True,
    metavar="UNTIL:RATE:on|off",
    help="Up to epoch UNTIL: factor for the learning rate, and amplification; repeatable.",
)
@click.option("--against-plain", is_flag=True, help="Train without amplification too.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the images, 30 if not set.")
@click.option("--learning-rate", type=float, help="Peak, 0.1 or the searched network's own.")
@click.option("--seeds", type=click.IntRange(min=1), help="Repetitions, 1 if not set.")
@click.option(
    "--data",
    shell_complete=complete_data,
    help="A known data set, an .npz file or a folder of class folders.",
)
@click.option(
    "--data-dir", envvar="VLGA_DATA", help="Folder of torchvision's files; also VLGA_DATA."
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the study.")
@set_option("Any setting; repeatable.")
@click.option("--name", help="Name of the study; made up from the network if not given.")
@db_option
@worker_options
@result_option
def train(
    network: str | None,
    grid: Path | None,
    name: str | None,
    db_url: str,
    form: str,
    **options: Any,
) -> None:
    """Train a known network or a search's winner, with or without gradient amplification.

    \b
    vlga train resnet18 --data cifar10 --amplify random --against-plain
    vlga train digits-1 --against-plain --seeds 5  does it help the winner?
    vlga train --grid study.toml                   networks x rates x arms x seeds
    """  # noqa: D301  # \b keeps click from filling the examples
    arm = {key: value for key in _ARM_KEYS if (value := options.pop(key)) is not None}
    against_plain, settings = options.pop("against_plain"), options.pop("settings")
    rate = options.pop("learning_rate")
    if name is not None:
        check_name(name)
    given = {
        "training.epochs": options.pop("epochs"),
        "training.windows": [_window(text) for text in options.pop("windows")] or None,
        "study.seeds": options.pop("seeds"),
        "study.learning_rates": None if rate is None else [rate],
        **overrides(options),
    }
    if grid is None:
        if network is None:
            raise click.UsageError(f"give a MODEL ({', '.join(MODELS)}), a SEARCH or --grid FILE")
        arm.setdefault("amplify", "off" if network in MODELS else "own")
        given["study.networks"] = [network]
        given["study.arms"] = _arms(arm, against_plain)
    elif network is not None or arm or against_plain:
        extra = network or f"--{next(iter(arm), 'against-plain')}"
        raise click.UsageError(f"--grid describes networks and arms itself: leave {extra} out")
    config = load_config(
        file=grid, settings=settings, overrides=given, defaults=_DEFAULTS, unused=_UNUSED
    )
    config = with_genomes(config, db_url)
    dataset = load_data(config)
    data = dataset.summary()
    config = with_image_size(config, data)
    config = planned(config, data, asks_for_cpus=options["cpus_per_evaluation"] is not None)
    with closing(SqlStore(db_url)) as store:
        if name is not None:
            refuse_taken(store, name)
        with closing(make_evaluator(config, dataset)) as evaluator:
            del dataset  # the evaluator has it
            config = choose_sizes(config, data, machine_of(evaluator, config))
            stem = "study" if network is None else config.study.networks[0].replace(":", "-")
            record = enter(store, name, config, data, stem=stem)
            with held(store, record.name) as hold:
                run_study(ReadySearch(record, hold, store, evaluator), db_url, form)


def run_study(ready: ReadySearch, db_url: str, form: str) -> None:
    """Say what is trained, run it, and print what came out."""
    record, evaluator = ready.record, ready.evaluator
    name, config, data = record.name, record.config, record.data
    terminal = TerminalObserver(name, data)
    print_ = terminal.console.print
    study = config.study
    at_a_time = at_a_time_text(evaluator.n_slots, evaluator.machines)
    head = (
        f"[bold]{escape(name)}[/]  {number_of(config.budget.evaluations or 0, 'training')} of "
        f"{number_of(config.training.epochs, 'epoch')}: {escape(', '.join(study.networks))}; "
        f"{number_of(len(study.arms), 'arm')}, {number_of(study.seeds, 'seed')}, "
        f"on {escape(data.label)}: {data.n_train:,} + {data.n_validation:,} images; "
        f"{at_a_time}; {escape(masked(db_url))}"
    )
    hint = db_hint(db_url)
    outcome = run_in_terminal(
        ready, terminal=terminal, go_on=f"vlga resume {shlex.quote(name)}{hint}", head=head
    )
    with opened(db_url) as engine:
        runs = study_runs(engine, name)
    click.echo(study_text(runs, form, screen_width()))
    print_(f"next:  vlga report {escape(shlex.quote(name) + hint)}")
    print_(f"       vlga individual {escape(shlex.quote(name))} 0{escape(hint)}")
    if outcome.has_failed:
        raise TooManyFailures(outcome.ended_by)


def _arms(arm: dict[str, Any], against_plain: bool) -> list[dict[str, Any]]:
    if not against_plain:
        return [arm]
    if arm["amplify"] == "off":
        raise ConfigError(
            "--against-plain compares with training without amplification, but --amplify is off; "
            "add --amplify random or intelligent"
        )
    return [{"amplify": "off"}, arm]


def _window(text: str) -> dict[str, Any]:
    """Read one window, such as ``100:0.1:on``."""
    parts = text.split(":")
    try:
        until, rate, switch = parts
        return {
            "until": float(until),
            "rate": float(rate),
            "amplify": {"on": True, "off": False}[switch],
        }
    except (ValueError, KeyError):
        raise ConfigError(
            f"--window must be UNTIL:RATE:on or UNTIL:RATE:off, such as 50:1:off, but got {text!r}"
        ) from None
