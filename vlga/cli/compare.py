"""``vlga compare``: several strategies on equal terms, by ordinary searches side by side."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from rich.markup import escape

from db.connection.engine import database_file, masked
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
from vlga.cli.completion import complete_strategies
from vlga.cli.live import TerminalObserver
from vlga.cli.options import (
    configuration_options,
    db_hint,
    db_option,
    format_option,
    worker_options,
)
from vlga.cli.run import overrides, run_in_terminal
from vlga.cli.screen import screen_width
from vlga.config.load import load_config
from vlga.errors import ConfigError, TooManyFailures, nearest
from vlga.execution.hold import held
from vlga.ports.data import DataSummary, fitness_label
from vlga.ports.evaluator import Evaluator
from vlga.ports.ledger import SearchRecord
from vlga.ports.names import check_name
from vlga.report.comparison.text import Comparison, budget_text, searches_text
from vlga.report.files import replace_file, require_own
from vlga.report.formats import at_a_time_text, number_of, seconds_text
from vlga.strategies import STRATEGIES, require_installed

if TYPE_CHECKING:
    from workers.rivals import BackgroundRivals

__all__ = ["compare", "typed"]


_BUDGETS = ("evaluations", "epochs", "seconds")
#: Settings that options replace.
_OPTIONS = {
    "budget": "--budget, which stands for all of it",
    **{f"budget.{key}": f"--budget {key}=N" for key in _BUDGETS},
    "strategy": "--strategies A,B,...",
}
#: Those that search. A study's grid, which looks at the test images, does not.
_COMPARABLE = tuple(name for name, strategy in STRATEGIES.items() if not strategy.scores_test)


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
        settings=(*_budget_settings(budgets), *_without_own_options(settings)),
        overrides=overrides(options),
        unused={"study": "studies are run by vlga train"},
    )
    chosen = _parse_strategies(strategies, base.strategy)
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


def _parse_strategies(text: str | None, own: str) -> tuple[str, ...]:
    """Read names parted by commas; None means all that are installed, and says which are not.

    What is to be compared with the others is named first: of all, the configuration's own.

    Raises:
        ConfigError: a name is unknown or there twice, or needs what is not installed.
    """
    if text is None:
        return tuple(sorted(_installed(), key=lambda name: name != own))
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in _COMPARABLE:
            raise ConfigError(
                f"--strategies must be known ones, but got {name!r}{nearest(name, _COMPARABLE)}"
            )
        if names.count(name) > 1:
            raise ConfigError(f"--strategies must name each once, but got {name!r} twice")
        require_installed(name)
    return names


def _installed() -> Iterator[str]:
    for name in _COMPARABLE:
        try:
            require_installed(name)
        except ConfigError as error:
            click.echo(f"without {name}: {error}", err=True)
        else:
            yield name


def _without_own_options(settings: tuple[str, ...]) -> tuple[str, ...]:
    """Give the settings, none of which is one that this command has an option for.

    Raises:
        ConfigError: one is.
    """
    for setting in settings:
        key = setting.partition("=")[0].strip()
        if key in _OPTIONS:
            raise ConfigError(f"--set {key} would be ignored here: give {_OPTIONS[key]}")
    return settings


def _budget_settings(texts: tuple[str, ...]) -> Iterator[str]:
    """Turn ``epochs=120,seconds=600`` into settings.

    Raises:
        ConfigError: one is not ``key=...``, or the key is no budget that strategies can share.
    """
    for text in ",".join(texts).split(","):
        key, equals, number = (part.strip() for part in text.partition("="))
        if not equals:
            raise ConfigError(f"--budget must be key=number, but got {text!r}")
        if key not in _BUDGETS:
            raise ConfigError(
                f"--budget must be of evaluations, epochs or seconds, but got {key!r}"
                f"{nearest(key, _BUDGETS)}"
            )
        yield f"budget.{key}={number}"


def typed(context: click.Context, name: str) -> str:
    """Give the command as it was typed, with the comparison's name and without a password."""
    words, left_out = ["vlga", "compare"], ("name", "db_url")
    for parameter in context.command.params:
        key = parameter.name or ""
        if key in left_out or context.get_parameter_source(key) != ParameterSource.COMMANDLINE:
            continue
        value = context.params[key]
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(parameter, click.Option):
                words.append(parameter.opts[0])
            if one is not True:
                words.append(str(one))
    return shlex.join([*words, "--name", name]) + db_hint(context.params["db_url"])


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
            final = outcome.final.winner
            accuracy = final.accuracy_on_test
            score = str(final.reason) if accuracy is None else f"{accuracy:.4f}"
            tested = f"test accuracy {score}  "
        took = seconds_text(time.monotonic() - started)
        terminal.console.print(f"{head}{measure} {winner.accuracy:.4f}  {tested}[dim]\\[{took}][/]")
    return failed
