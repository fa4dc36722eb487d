"""Running a search at a terminal: what ``search``, ``resume``, ``compare`` and ``train`` share."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.markup import escape

from vlga.app.searches import Outcome, ReadySearch, run_search
from vlga.cli.live import TerminalObserver
from vlga.cli.signals import ignore_signals, obeying_signals
from vlga.errors import EvaluatorLost, LeaseLost, SearchStopped, StoreError, StoreFailed
from vlga.ports.observer import Ended, Event, tell_each

__all__ = ["data_name", "overrides", "run_in_terminal", "worker_overrides"]


def overrides(options: dict[str, Any]) -> dict[str, Any]:
    """Map the command line's `configuration_options` and `worker_options` to settings."""
    options = dict(options)
    data = options.pop("data")
    return {
        "data.name": None if data is None else data_name(data),
        "data.dir": options.pop("data_dir"),
        "seed": options.pop("seed"),
        **worker_overrides(options),
    }


def data_name(data: str) -> str:
    """Give what `--data` names as a setting holds it: a path from the root, or a known name."""
    with suppress(OSError, ValueError):  # a name that no file can have is an unknown name
        if Path(data).exists():
            return str(Path(data).absolute())
    return data


def worker_overrides(options: dict[str, Any]) -> dict[str, Any]:
    """Map the command line's `worker_options` to settings.

    Raises:
        click.UsageError: one of them would be ignored.
    """
    source = click.get_current_context().get_parameter_source
    for name in ("address", "workers") if options["inline"] else ():
        if source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--inline trains in this process, one at a time: leave out --{name}, or --inline"
            )
    return {f"workers.{key}": value for key, value in options.items()}


def run_in_terminal(
    ready: ReadySearch, *, terminal: TerminalObserver, go_on: str, head: str = ""
) -> Outcome:
    """Run a search that is in the store to its end, as `run_search`, for a person at a terminal.

    On SIGTERM, or when the terminal is closed, it has a few seconds for the running trainings; a
    second SIGTERM, or Ctrl-C, gives them up. The process ends within ten seconds, by force if
    something hangs (`obeying_signals`).

    Args:
        ready: the search; its evaluator is left open.
        terminal: shows what happens.
        go_on: the command that is printed when the search is stopped.
        head: what is printed first, as soon as signals are heard.

    Raises:
        click.Abort: on Ctrl-C, SIGTERM and SIGHUP, and if the search was asked to stop.
        TooManyFailures: nothing completed.
        StoreFailed: an outcome could not be recorded; the command to go on with is printed.
        EvaluatorLost: the workers are gone; the command to go on with is printed.
        LeaseLost: another process has taken the search over.
    """
    store, name, print_ = ready.store, ready.record.name, terminal.console.print
    interrupted = f"interrupted; what is finished is saved. Go on with: {escape(go_on)}"

    def last_words() -> None:
        """Leave a terminal, and a search, that somebody can go on with."""
        terminal.__exit__()
        print_(interrupted)
        store.release(name)

    try:
        with obeying_signals(ready.hold, last_words), terminal:
            if head:
                print_(head)
            return run_search(ready, tell_each(terminal, _ignore_signals_at_the_end))
    except (KeyboardInterrupt, SearchStopped):
        ignore_signals()
        print_(interrupted)
        raise click.Abort from None
    except LeaseLost:
        raise
    except (StoreError, EvaluatorLost) as error:
        print_(f"stopped; what is recorded is kept. Go on with: {escape(go_on)}")
        if isinstance(error, EvaluatorLost):
            raise
        raise StoreFailed(str(error)) from error


def _ignore_signals_at_the_end(event: Event) -> None:
    """Ignore further signals once the search is interrupted, so that it can save its state."""
    if event == Ended("interrupted"):
        ignore_signals()
