"""Beginning a search from Python, opening one of a database, going on with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from db.connection.engine import opened
from db.connection.urls import require_lasting
from db.read.searches import show_search
from vlga.app.ready import new_search, reopened_search
from vlga.app.searches import Outcome, ReadySearch, run_search
from vlga.cli.live import TerminalObserver
from vlga.cli.options import DEFAULT_DB
from vlga.cli.run import data_name
from vlga.cli.search import conclude, head_text
from vlga.config.load import load_config
from vlga.errors import SearchStopped, TooManyFailures
from vlga.notebook.interrupt import interrupted_once
from vlga.notebook.live import NotebookObserver, in_notebook
from vlga.notebook.result import SearchResult

__all__ = ["open_search", "resume", "run_shown", "search"]


def search(
    images: str | os.PathLike[str],
    *,
    seconds: float | None = None,
    name: str | None = None,
    db: str | None = None,
    preset: str = "default",
    settings: Mapping[str, Any] | None = None,
    **tables: Any,
) -> SearchResult:
    """Search for a network for images, train the winner longer and test it, as ``vlga search``.

        result = vlga.search("my_images/", seconds=600)
        result = vlga.search("digits", seed=1, settings={"budget.epochs": 100})

    What happens and what came out are printed as on the command line; a notebook has it in one
    output. Ctrl-C, or a notebook's stop button, ends the search: what is finished is saved, and the
    result has what was found by then.

    Args:
        images: a folder of class folders, an ``.npz`` file, or the name of a known data set.
        seconds: that it may take, the winner's longer training included; the preset's if None.
        name: of the search; made up from the data if None.
        db: the database's URL; if None, ``VLGA_DB``, or ``vlga.db`` in the current folder.
        preset: settings to start from.
        settings: dotted names to values, such as ``{"training.augment": "crop"}``.
        tables: settings by their first name, such as ``seed=1`` or ``workers={"inline": True}``.

    Raises:
        ConfigError: a setting is unknown or has a wrong value, or the name is taken.
        DataError: the images cannot be read.
        TooManyFailures: no network could be trained.
        StoreError: the database is away, or an outcome could not be recorded.
    """
    url = _url(db)
    config = load_config(
        preset=preset,
        overrides={
            "data.name": data_name(os.fspath(images)),
            "budget.seconds": seconds,
            **(settings or {}),
            **dict(_flat(tables)),
        },
    )
    return _run(new_search(config, url, name=name), url)


def resume(
    result: SearchResult, seconds: float | None, settings: Mapping[str, Any] | None
) -> SearchResult:
    """Go on with a search, see `SearchResult.resume`."""
    overrides = {"budget.seconds": seconds, **(settings or {})}
    return _run(reopened_search(result.db, result.name, overrides=overrides), result.db)


def open_search(name: str, *, db: str | None = None) -> SearchResult:
    """Open a search of a database, whoever began it; it may still be running.

        result = vlga.open("digits-1", db="postgresql+psycopg://me@host/searches")

    Args:
        name: of the search.
        db: the database's URL; if None, ``VLGA_DB``, or ``vlga.db`` in the current folder.

    Raises:
        SearchNotFound: there is no such search.
        StoreError: there is no such database.
    """
    url = _url(db)
    with opened(url) as engine:
        show_search(engine, name)
    return SearchResult(name, url)


def run_shown(ready: ReadySearch, url: str) -> Outcome:
    """Run a search to its end as `run_search`, and show what happens and what came out.

    Args:
        ready: the search; its evaluator is left open.
        url: of its database.
    """
    record, is_cell = ready.record, in_notebook()
    observer = (NotebookObserver if is_cell else TerminalObserver)(record.name, record.data)
    with observer:
        observer.console.print(head_text(ready, url))
        try:
            outcome = run_search(ready, observer)
        except (KeyboardInterrupt, SearchStopped):
            observer.console.print(f"{record.name} is interrupted; what is finished is saved")
            raise
        if is_cell:
            conclude(outcome, record, observer.console)
    if not is_cell:
        conclude(outcome, record)
    return outcome


def _run(making: AbstractContextManager[ReadySearch], url: str) -> SearchResult:
    """Run a search to its end, or until somebody stops it."""
    with interrupted_once(), making as ready:
        result = SearchResult(ready.record.name, url)
        try:
            outcome = run_shown(ready, url)
        except (KeyboardInterrupt, SearchStopped):
            return result
    if outcome.has_failed:
        raise TooManyFailures(outcome.ended_by)
    return result


def _url(db: str | None) -> str:
    url = db or os.environ.get("VLGA_DB") or DEFAULT_DB
    require_lasting(url)
    return url


def _flat(tables: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Give nested settings by their dotted names."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value) if isinstance(value, Path) else value
