"""``vlga search`` and ``vlga resume``: one search, from the images to the winner."""

from __future__ import annotations

import shlex
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from db.connection.engine import masked
from db.read.searches import show_search
from db.store import SqlStore
from vlga.app.evaluators import finding_rivals, load_data, make_evaluator
from vlga.app.founders import with_founders_of
from vlga.app.resume import changed_record, moved_record
from vlga.app.searches import Outcome, check_name, enter, refuse_taken
from vlga.app.sizes import choose_sizes, machine_of, sizes_text
from vlga.cli.completion import complete_data, search_argument
from vlga.cli.live import TerminalObserver
from vlga.cli.options import (
    configuration_options,
    db_hint,
    db_option,
    result_option,
    worker_options,
)
from vlga.cli.run import data_name, overrides, run_in_terminal, worker_overrides
from vlga.config.load import load_config
from vlga.config.strategies import STUDIES
from vlga.errors import ConfigError, DataError, TooManyFailures
from vlga.execution.hold import Hold, held
from vlga.networks.phenotype import plan_of
from vlga.ports.evaluator import Evaluator
from vlga.ports.ledger import SearchRecord
from vlga.report.formats import as_json, at_a_time_text, count_text, number_of
from vlga.report.rivals import accuracy_text, rivals_lines

if TYPE_CHECKING:
    from workers.data.dataset import Dataset
    from workers.rivals import BackgroundRivals

__all__ = ["resume", "search"]


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
    began = time.monotonic()
    if name is not None:
        check_name(name)
    config = load_config(
        preset=preset,
        file=file,
        settings=settings,
        overrides=overrides(options),
        unused={"study": "studies are run by vlga train"},
    )
    if config.strategy in STUDIES:
        raise ConfigError(
            f"strategy must be one that searches, but got {config.strategy!r}, of a study; "
            "studies are run by vlga train"
        )
    dataset = load_data(config)
    data = dataset.summary()
    with closing(SqlStore(db_url)) as store:
        if name is not None:
            refuse_taken(store, name)
        if like is not None:
            config = with_founders_of(like, config, data, store)
        with (
            finding_rivals(config, dataset) as rivals,
            closing(make_evaluator(config, dataset)) as evaluator,
        ):
            del dataset  # the evaluator has it
            config = choose_sizes(config, data, machine_of(evaluator, config))
            record = enter(store, name, config, data, seconds=time.monotonic() - began)
            with held(store, record.name) as hold:
                _run(record, hold, store, evaluator, db_url, rivals=rivals, form=form)


@click.command()
@search_argument("name")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change budget, final, workers or some limits; repeatable.",
)
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
    vlga resume mine-1 --data new/place/my_images       the same images, which were moved
    """  # noqa: D301  # \b keeps click from filling the examples
    with closing(SqlStore(db_url, create=False)) as store, held(store, name) as hold:
        record = changed_record(store, name, settings, worker_overrides(options))
        if data is not None:
            record = moved_record(record, data_name(data))
        dataset = _same_images(record)
        with (
            finding_rivals(record.config, dataset, record.rivals) as rivals,
            closing(make_evaluator(record.config, dataset)) as evaluator,
        ):
            del dataset  # the evaluator has it
            store.update_search(
                name, config=record.config, status="running", test_accuracy=record.test_accuracy
            )
            if record.config.strategy in STUDIES:
                from vlga.cli.train import run_study

                run_study(record, hold, store, evaluator, db_url, form=form)
                return
            _run(record, hold, store, evaluator, db_url, rivals=rivals, form=form)


def _same_images(record: SearchRecord) -> Dataset:
    """Read the images of a search that has begun.

    Raises:
        DataError: they are not there, or are others.
    """
    name = record.name
    try:
        dataset = load_data(record.config)
    except DataError as error:
        if not Path(record.config.data.name).is_absolute():
            raise
        hint = f"; if they were moved: vlga resume {shlex.quote(name)} --data PATH"
        raise DataError(f"{error}{hint}") from error
    if dataset.fingerprint != record.data.fingerprint:
        raise DataError(
            f"{name!r} must be resumed on the images it was started on, but "
            f"{record.config.data.name!r} has others; bring them back, or start another search"
        )
    return dataset


def _run(
    record: SearchRecord,
    hold: Hold,
    store: SqlStore,
    evaluator: Evaluator,
    db_url: str,
    *,
    rivals: BackgroundRivals | None,
    form: str,
) -> None:
    """Print what is searched, run it, and print the winner."""
    name, config, data = record.name, record.config, record.data
    terminal = TerminalObserver(name, data)
    at_a_time = at_a_time_text(evaluator.n_slots, evaluator.machines)
    head = (
        f"[bold]{escape(name)}[/]  {config.strategy}, seed {config.seed}, on {escape(data.label)}: "
        f"{data.n_train:,} + {data.n_validation:,} images of {'x'.join(map(str, data.input_shape))}"
        f", {len(data.classes)} classes; {sizes_text(config)}; {at_a_time}; "
        f"{escape(masked(db_url))}"
    )
    hint = db_hint(db_url)
    outcome = run_in_terminal(
        record,
        hold,
        store=store,
        evaluator=evaluator,
        terminal=terminal,
        go_on=f"vlga resume {shlex.quote(name)}{hint}",
        head=head,
        rivals=rivals,
    )
    if terminal.n_taken_over:
        n_taken = number_of(terminal.n_taken_over, "training")
        terminal.console.print(f"{n_taken} taken over from other searches of this database")
    if form == "json":
        click.echo(as_json(show_search(store.engine, name)))
    else:
        _conclude(outcome, record)
        shown = escape(shlex.quote(name))
        terminal.console.print(
            f"next:  vlga individual {shown} {outcome.winner.id}{escape(hint)}\n"
            f"       vlga top {shown}{escape(hint)}"
        )
    if outcome.has_failed:
        raise TooManyFailures(outcome.ended_by)


def _conclude(outcome: Outcome, record: SearchRecord) -> None:
    """Print the winner and its score on the test images: what a file is to have, on stdout."""
    winner, final, data = outcome.winner, outcome.final, record.data
    plan = plan_of(winner.candidate.genome, data.input_shape, len(data.classes))
    scored_on = "TEST" if data.fitness_on == "test" else "validation"
    print_ = Console(highlight=False, soft_wrap=True).print
    print_()
    if not outcome.has_failed:
        print_(f"ended: {escape(outcome.ended_by)}")
    print_(
        f"[bold green]winner #{winner.id}[/]  {scored_on} accuracy {winner.accuracy:.4f}, "
        f"{number_of(plan.depth, 'convolution')}, {count_text(plan.n_parameters)} parameters, "
        f"{count_text(plan.n_macs)} MACs an image"
    )
    fittest = outcome.fittest
    if fittest.candidate.fingerprint != winner.candidate.fingerprint:
        print_(
            f"chosen over #{fittest.id} with {fittest.accuracy:.4f}, which {data.n_validation:,} "
            "images cannot tell from it: it computes more, as pays in a longer training"
        )
    if final is not None and final.fitness is not None:
        which = "images never used before"
        if data.fitness_on == "test":
            which = "images that it was also chosen by, so it says nothing about other images"
        print_(
            f"test accuracy [bold]{accuracy_text(final.fitness, data.n_test)}[/] on "
            f"{data.n_test:,} {which}, after {number_of(final.epochs, 'epoch')} on all others"
        )
        rivals = outcome.rivals and asdict(outcome.rivals)
        shown = {"rivals": rivals, "images": data.images, "input_shape": data.input_shape}
        for line in rivals_lines(shown, final.fitness):
            print_(line)
    elif final is not None:
        print_(f"[bold red]its longer training failed[/] ({final.reason}): {escape(final.message)}")
