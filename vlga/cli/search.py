"""``vlga search`` and ``vlga resume``: one search, from the images to the winner."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from db.connection.urls import masked
from db.read.searches import show_search
from vlga.app.ready import new_search, reopened_search
from vlga.app.searches import Outcome, ReadySearch
from vlga.app.sizes import sizes_text
from vlga.cli.completion import complete_data, search_argument
from vlga.cli.live import TerminalObserver
from vlga.cli.options import (
    configuration_options,
    db_hint,
    db_option,
    result_option,
    set_option,
    worker_options,
)
from vlga.cli.run import data_name, overrides, run_in_terminal, worker_overrides
from vlga.config.load import load_config
from vlga.config.strategies import STUDIES
from vlga.errors import TooManyFailures
from vlga.execution.winner import known_network
from vlga.networks.phenotype import plan_of
from vlga.ports.data import fitness_label
from vlga.ports.ledger import SearchRecord
from vlga.report.committee import committee_text
from vlga.report.formats import as_json, at_a_time_text, count_text, number_of
from vlga.report.rivals import rivals_lines, scores_text

__all__ = ["conclude", "head_text", "resume", "run_ready", "search"]


@click.command()
@configuration_options
@click.option("--name", help="Name of the search; made up from the data if not given.")
@click.option(
    "--like",
    metavar="SEARCH",
    help="Try the four best networks of this search of the database before any other.",
)
@db_option
@worker_options
@result_option
def search(
    *,
    file: Path | None,
    preset: str,
    name: str | None,
    like: str | None,
    settings: tuple[str, ...],
    db_url: str,
    form: str,
    **options: Any,
) -> None:
    """Search for a network for your images, then train the winner longer and test it.

    \b
    vlga search                                         digits, a few minutes
    vlga search --data my_images/ --set budget.seconds=28800
    vlga search --preset xiao2020 --data cifar10
    """  # noqa: D301  # \b keeps click from filling the examples
    config = load_config(
        preset=preset,
        file=file,
        settings=settings,
        overrides=overrides(options),
        unused={"study": "studies are run by vlga train"},
    )
    with new_search(config, db_url, name=name, like=like) as ready:
        run_ready(ready, db_url, form)


@click.command()
@search_argument("name")
@set_option("Change budget, final, workers or some limits; repeatable.")
@click.option(
    "--data",
    shell_complete=complete_data,
    help="Where the search's images are now, if they were moved.",
)
@db_option
@worker_options
@result_option
def resume(
    name: str, settings: tuple[str, ...], data: str | None, db_url: str, form: str, **options: Any
) -> None:
    """Go on with an interrupted search, from what is recorded.

    A completed search whose evaluations, epochs or seconds were used up goes on with more of them.

    \b
    vlga resume digits-1
    vlga resume digits-1 --set budget.seconds=28800 --workers 8
    vlga resume mine-1 --data new/place/my_images    the same images, moved
    """  # noqa: D301  # \b keeps click from filling the examples
    with reopened_search(
        db_url,
        name,
        settings=settings,
        overrides=worker_overrides(options),
        data_name=None if data is None else data_name(data),
    ) as ready:
        run_ready(ready, db_url, form)


def run_ready(ready: ReadySearch, db_url: str, form: str) -> None:
    """Print what is searched, run it, and print the winner; or what a study's kind prints."""
    if ready.record.config.strategy in STUDIES:
        from vlga.cli.train import run_study

        run_study(ready, db_url, form)
        return
    name, hint = ready.record.name, db_hint(db_url)
    terminal = TerminalObserver(name, ready.record.data)
    outcome = run_in_terminal(
        ready,
        terminal=terminal,
        go_on=f"vlga resume {shlex.quote(name)}{hint}",
        head=head_text(ready, db_url),
    )
    if terminal.n_taken_over:
        n_taken = number_of(terminal.n_taken_over, "training")
        terminal.console.print(f"{n_taken} taken over from other searches of this database")
    if form == "json":
        click.echo(as_json(show_search(ready.store.engine, name)))
    else:
        conclude(outcome, ready.record)
        shown = escape(shlex.quote(name))
        terminal.console.print(
            f"next:  vlga individual {shown} {outcome.winner.id}{escape(hint)}\n"
            f"       vlga top {shown}{escape(hint)}"
        )
    if outcome.has_failed:
        raise TooManyFailures(outcome.ended_by)


def head_text(ready: ReadySearch, db_url: str) -> str:
    """Say what is searched, and how, in rich's markup."""
    name, config, data = ready.record.name, ready.record.config, ready.record.data
    evaluator, by = ready.evaluator, ""
    if config.fitness != "accuracy":
        by = f"; fitness: {fitness_label(config.fitness, data.fitness_on)}"
    return (
        f"[bold]{escape(name)}[/]  {config.strategy}, seed {config.seed}, on {escape(data.label)}: "
        f"{data.n_train:,} + {data.n_validation:,} images of {'x'.join(map(str, data.input_shape))}"
        f", {len(data.classes)} classes{by}; {sizes_text(config)}; "
        f"{at_a_time_text(evaluator.n_slots, evaluator.machines)}; {escape(masked(db_url))}"
    )


def conclude(outcome: Outcome, record: SearchRecord, console: Console | None = None) -> None:
    """Print the winner and its score on the test images.

    Args:
        outcome: of the search.
        record: the search as the store has it.
        console: to print to; if None, stdout, since this is what a file is to have.
    """
    winner, data = outcome.winner, record.data
    final = None if outcome.final is None else outcome.final.winner
    plan = plan_of(winner.candidate.genome, data.input_shape, len(data.classes))
    fitness = record.config.fitness
    print_ = (console or Console(highlight=False, soft_wrap=True)).print
    print_()
    if not outcome.has_failed:
        print_(f"ended: {escape(outcome.ended_by)}")
    print_(
        f"[bold green]winner #{winner.id}[/]  {fitness_label(fitness, data.fitness_on)} "
        f"{winner.accuracy:.4f}, "
        f"{number_of(plan.depth, 'convolution')}, {count_text(plan.n_parameters)} parameters, "
        f"{count_text(plan.n_macs)} MACs an image"
    )
    fittest = outcome.fittest
    if fittest.candidate.fingerprint != winner.candidate.fingerprint:
        why = "computes more, as pays in a longer training"
        if winner.candidate.fingerprint == known_network(record.config, data):
            why = "is the first of the known networks, seldom worse in the end"
        if len(record.config.objectives) > 1:
            why = "costs less, which is an objective"
        print_(
            f"chosen over #{fittest.id} with {fittest.accuracy:.4f}, which {data.n_validation:,} "
            f"images cannot tell from it: it {why}"
        )
    if final is not None and final.fitness is not None:
        which = "images never used before"
        if data.fitness_on == "test":
            which = "images that it was also chosen by, so it says nothing about other images"
        alone = {"test_accuracy": final.accuracy_on_test, "test_fitness": final.fitness}
        tested = scores_text(alone, data.n_test, fitness)
        epochs = f"after {number_of(final.epochs, 'epoch')} on all others"
        committee = outcome.final and outcome.final.committee
        if committee is None:
            print_(f"test accuracy [bold]{tested}[/] on {data.n_test:,} {which}, {epochs}")
        else:
            mean = asdict(committee)
            print_(
                f"test accuracy [bold]{scores_text(mean, data.n_test, fitness)}[/] on "
                f"{data.n_test:,} {which}, {committee_text(mean)}"
            )
            print_(f"the winner alone: test accuracy {tested}, {epochs}")
        rivals = outcome.rivals and asdict(outcome.rivals)
        images = {"images": data.images, "input_shape": data.input_shape}
        shown = {"rivals": rivals, **images, "fitness": fitness}
        for line in rivals_lines(shown, committee.test_fitness if committee else final.fitness):
            print_(line)
    elif final is not None:
        print_(f"[bold red]its longer training failed[/] ({final.reason}): {escape(final.message)}")
