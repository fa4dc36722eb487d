"""``vlga compare``: several strategies on equal terms, by ordinary searches side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from db.connection.engine import database_file
from db.connection.urls import masked
from db.read.comparison import compared
from db.store import SqlStore
from vlga.app.comparisons import (
    Plan,
    ended_early,
    fresh_name,
    known_searches,
    make_plan,
    sizes_of_known,
    unfinished,
)
from vlga.app.evaluators import finding_rivals, load_data, make_evaluator, with_image_size
from vlga.app.searches import ReadySearch
from vlga.app.sizes import choose_sizes, machine_of, require_room, sizes_text
from vlga.cli.compare_options import (
    budget_settings,
    parse_strategies,
    typed,
    without_own_options,
)
from vlga.cli.completion import complete_strategies
from vlga.cli.live import TerminalObserver
from vlga.cli.options import (
    configuration_options,
    db_option,
    format_option,
    worker_options,
)
from vlga.cli.run import overrides, run_in_terminal
from vlga.cli.screen import screen_width
from vlga.config.load import load_config
from vlga.errors import TooManyFailures
from vlga.execution.hold import held
from vlga.ports.data import DataSummary, fitness_label
from vlga.ports.evaluator import Evaluator
from vlga.ports.ledger import SearchRecord
from vlga.ports.names import check_name
from vlga.report.comparison.text import Comparison, budget_text, searches_text
from vlga.report.files import replace_file, require_own
from vlga.report.formats import at_a_time_text, number_of, seconds_text

if TYPE_CHECKING:
    from workers.rivals import BackgroundRivals

__all__ = ["compare"]


@click.command()
@configuration_options
@click.option(
    "--strategies",
    metavar="A,B,...",
    shell_complete=complete_strategies,
    help="Which strategies, the first beside each other one; all that are installed if not given.",
)
@click.option(
    "--seeds",
    "n_seeds",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="Searches with each strategy, with seeds counted up from --seed.",
)
@click.option(
    "--budget",
    "budgets",
    multiple=True,
    metavar="KEY=N",
    default=("epochs=120",),
    show_default=True,
    help="What each search may use: evaluations, epochs or seconds; repeatable.",
)
@click.option("--name", help="Name of the comparison; that of an earlier one continues it.")
@click.option(
    "--plot-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Folder for the page with the figure, NAME.html.",
)
@db_option
@worker_options
@format_option
@click.pass_context
def compare(
    context: click.Context,
    /,
    *,
    file: Path | None,
    preset: str,
    settings: tuple[str, ...],
    strategies: str | None,
    n_seeds: int,
    budgets: tuple[str, ...],
    name: str | None,
    plot_dir: Path,
    db_url: str,
    form: str,
    **options: Any,
) -> None:
    """Compare strategies: the same budget, data and settings for each, with several seeds.

    Every search is an ordinary one, named NAME-STRATEGY-SEED. The same command with --name goes on
    after an interruption, adds seeds or strategies, and prints a complete comparison again.
    --budget replaces the whole [budget] of preset and file.

    \b
    vlga compare --strategies random_search,ladder --seeds 5 --budget epochs=120
    vlga compare --data my_images/ --budget evaluations=200 --name mine
    """  # noqa: D301  # \b keeps click from filling the examples
    if name is not None:
        check_name(name)
    base = load_config(
        preset=preset,
        file=file,
        drop=("budget",),
        settings=(*budget_settings(budgets), *without_own_options(settings)),
        overrides=overrides(options),
        unused={"study": "studies are run by vlga train"},
    )
    chosen = parse_strategies(strategies, base.strategy)
    dataset = load_data(base)
    data = dataset.summary()
    base = with_image_size(base, data)
    with closing(SqlStore(db_url)) as store:
        name = name or fresh_name(store)
        plot_dir.mkdir(parents=True, exist_ok=True)
        page = plot_dir / f"{name}.html"
        require_own(
            "a file of --plot-dir",
            page,
            database_file(store.engine),
            way_out="move it away, or choose another --name or --plot-dir",
        )
        base = sizes_of_known(store, name, base)
        failed: list[str] = []
        with ExitStack() as stack:
            evaluator = None
            if base.auto:
                evaluator = stack.enter_context(closing(make_evaluator(base, dataset)))
                base = choose_sizes(base, data, machine_of(evaluator, base))
            require_room(base, data)
            plan = make_plan(name, base, chosen, n_seeds, typed(context, name))
            known = known_searches(store, plan, data)
            if any(one not in known or known[one].status != "completed" for one in plan.searches):
                rivals = stack.enter_context(finding_rivals(base, dataset))
                if evaluator is None:
                    evaluator = stack.enter_context(closing(make_evaluator(base, dataset)))
                del dataset  # the evaluator has it
                _introduce(plan, known, data, evaluator, db_url)
                failed = _run_all(plan, known, data, store, evaluator, rivals=rivals)
        outcomes = [
            {**one, "ended_early": ended_early(one, plan.searches[one["name"]])}
            for one in compared(store.engine, list(plan.searches))
        ]
    comparison = Comparison(name, base, chosen, plan.seeds, outcomes)
    click.echo(comparison.text(form, screen_width()))
    replace_file("a file of --plot-dir", page, comparison.page(plan.command).encode())
    click.echo(f"wrote {page}", err=True)
    if failed:
        raise TooManyFailures(
            f"{len(failed)} of {searches_text(len(plan.searches))} failed and are left out: "
            f"{', '.join(failed)}"
        )


def _introduce(
    plan: Plan,
    known: Mapping[str, SearchRecord],
    data: DataSummary,
    evaluator: Evaluator,
    db_url: str,
) -> None:
    """Say what is going to happen, and how to go on if it is interrupted."""
    n_done = sum(record.status == "completed" for record in known.values())
    done = f" ({n_done} done before)" if n_done else ""
    at_a_time = at_a_time_text(evaluator.n_slots, evaluator.machines)
    click.echo(
        f"{plan.name}  {', '.join(plan.strategies)}; {number_of(len(plan.seeds), 'seed')} from "
        f"{plan.seeds[0]}: {searches_text(len(plan.searches))}{done} of "
        f"{budget_text(plan.base.budget)}; {data.label}: {data.n_train:,} + {data.n_validation:,} "
        f"images; {sizes_text(plan.base)}; {at_a_time}; {masked(db_url)}\n"
        f"if interrupted, go on with: {plan.command}",
        err=True,
    )


def _run_all(
    plan: Plan,
    known: Mapping[str, SearchRecord],
    data: DataSummary,
    store: SqlStore,
    evaluator: Evaluator,
    *,
    rivals: BackgroundRivals | None,
) -> list[str]:
    """Run what is not complete, one search after the other; give the names of those that failed."""
    failed, began, n_run = [], time.monotonic(), 0
    measure = fitness_label(plan.base.fitness, data.fitness_on)
    done = {name for name, one in known.items() if one.status == "completed"}
    for number, record in unfinished(store, plan, known, data):
        name = record.name
        count = f"{number} of {len(plan.searches)}"
        started = time.monotonic()
        n_left = sum(one not in done for one in [*plan.searches][number:])
        one_of = f"search {count}, {name}"
        if n_run and n_left:
            left = n_left * (started - began) / n_run
            one_of += f"; about {seconds_text(left)} for the {n_left} after it"
        n_run += 1
        terminal = TerminalObserver(name, record.data, one_of=one_of)
        head = f"{count}  [bold]{escape(name)}[/]  "
        try:
            with held(store, name) as hold:
                ready = ReadySearch(record, hold, store, evaluator, rivals)
                outcome = run_in_terminal(ready, terminal=terminal, go_on=plan.command)
        except TooManyFailures as error:
            failed.append(name)
            terminal.console.print(f"{head}[red]failed[/]: {escape(str(error))}")
            continue
        if outcome.has_failed:
            failed.append(name)
            terminal.console.print(f"{head}[red]failed[/]: {escape(outcome.ended_by)}")
            continue
        winner, tested = outcome.winner, ""
        if outcome.final is not None:
            final, committee = outcome.final.winner, outcome.final.committee
            accuracy = committee.test_accuracy if committee else final.accuracy_on_test
            score = str(final.reason) if accuracy is None else f"{accuracy:.4f}"
            tested = f"test accuracy {score}  "
        took = seconds_text(time.monotonic() - started)
        terminal.console.print(f"{head}{measure} {winner.accuracy:.4f}  {tested}[dim]\\[{took}][/]")
    return failed
