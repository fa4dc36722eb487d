"""Entering a search in the database and running it to its end: a winner, trained longer, tested."""

from __future__ import annotations

import functools
import platform
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from db.connection.outage import Patience
from db.read.folder import files_folder
from db.service.queue import SqlQueue
from db.store import SqlStore
from vlga import __version__
from vlga.app.listeners import listening, require_tools
from vlga.config.settings import SearchConfig
from vlga.errors import (
    SearchExists,
    SearchStopped,
    SoftwareChanged,
    StoreError,
    VlgaError,
)
from vlga.execution.artifacts import ArtifactFolder
from vlga.execution.driver import Search
from vlga.execution.ending import Final, finish
from vlga.execution.hold import Hold
from vlga.execution.run import Run
from vlga.ports.candidate import Individual
from vlga.ports.data import DataSummary
from vlga.ports.evaluator import Evaluator
from vlga.ports.lease import Stop
from vlga.ports.ledger import SearchRecord
from vlga.ports.names import made_up_name
from vlga.ports.observer import Ended, Observer, StopRequested, tell_each
from vlga.ports.rivals import Rivals

if TYPE_CHECKING:
    from workers.rivals import BackgroundRivals

__all__ = [
    "Outcome",
    "ReadySearch",
    "enter",
    "new_record",
    "refuse_taken",
    "run_search",
]

#: How long a running search waits for a database that does not answer.
_OUTAGE_SECONDS = 120.0

#: How long an ended search waits for its rivals.
_RIVALS_SECONDS = 20

_LIBRARIES = ("torch", "torchvision", "ray", "deap", "sqlalchemy", "numpy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a search.

    Attributes:
        winner: as `choose_winner` has it.
        fittest: the individual with the highest fitness, mostly the winner.
        final: what came of its longer training and its committee's; None if there was none.
        ended_by: why the search ended, in words.
        has_failed: whether failures ended it that may not happen again once the cause is mended.
        rivals: what simple methods reach on the same images, or None if that is not known.
    """

    winner: Individual
    fittest: Individual
    final: Final | None
    ended_by: str
    has_failed: bool
    rivals: Rivals | None = None


@dataclass(frozen=True, slots=True)
class ReadySearch:
    """What a search needs to run.

    Attributes:
        record: the search as the store has it; if it ran before, the rest of it is done.
        hold: this process's hold on the search.
        store: where the search is entered.
        evaluator: trains on its images.
        rivals: on the same images, to be recorded if the search does not have them yet.
    """

    record: SearchRecord
    hold: Hold
    store: SqlStore
    evaluator: Evaluator
    rivals: BackgroundRivals | None = None


def new_record(
    name: str, config: SearchConfig, data: DataSummary, seconds: float = 0.0
) -> SearchRecord:
    """Give the record of a search that starts now, with the versions that it runs on.

    Args:
        name: of the search.
        config: with a number for every setting that was ``auto`` (`choose_sizes`).
        data: the images.
        seconds: that it has taken to get this far; they count as the search's.

    Raises:
        ConfigError: a tool that is to be told of trainings is not installed.
    """
    require_tools(config)
    assert not config.auto, config.auto
    return SearchRecord(name, config, data, {**_versions()}, seconds=seconds)


@functools.cache
def _versions() -> dict[str, str]:
    """Give the versions of Python, of vlga and of the libraries that a search depends on."""
    own = {"python": platform.python_version(), "vlga": __version__}
    return own | {lib: version(lib) for lib in _LIBRARIES}


def refuse_taken(store: SqlStore, name: str, *, is_submitted: bool = False) -> None:
    """Refuse a name that is taken, before anything is started.

    Args:
        store: where the search would be entered.
        name: of the search.
        is_submitted: whether the submission of that name, if there is one, is meant.
    """
    with suppress(LookupError):
        is_entered = SqlQueue(store.engine).find(name).seen.status is not None
        if is_entered or not is_submitted:
            hint = f", or go on with: vlga resume {shlex.quote(name)}" if is_entered else ""
            raise SearchExists(
                f"--name must be new in its database, but {name!r} is taken; choose another{hint}"
            )


def enter(
    store: SqlStore,
    name: str | None,
    config: SearchConfig,
    data: DataSummary,
    *,
    stem: str | None = None,
    seconds: float = 0.0,
) -> SearchRecord:
    """Enter a search; without a name it gets the stem (or the data's name) and a free number.

    The other arguments are `new_record`'s.
    """
    stem = made_up_name(stem or Path(data.name).stem)
    number = 1
    while True:
        record = new_record(name or f"{stem}-{number}", config, data, seconds)
        try:
            if name is None:
                refuse_taken(store, record.name)
            store.create_search(record)
        except SearchExists:
            if name is not None:
                raise
            number += 1
        else:
            return record


def run_search(ready: ReadySearch, observer: Observer) -> Outcome:
    """Run a search to its end, and train its winner longer.

    Whatever happens, finished trainings, the search's status and its time are saved. If the
    database does not answer, the search waits for it.

    Args:
        ready: the search; its evaluator is left open.
        observer: gets the events; `Ended` comes before the status is saved.

    Raises:
        SearchStopped: the search was asked to stop. Ctrl-C raises `KeyboardInterrupt` as usual.
        TooManyFailures: nothing completed.
        StoreError: an outcome could not be recorded.
        EvaluatorLost: the workers are gone for good.
        LeaseLost: another process has taken the search over.
        SoftwareChanged: it was begun by software that makes other candidates.
    """
    record, store, name = ready.record, ready.store, ready.record.name
    store.patience = Patience(_OUTAGE_SECONDS)
    observer = tell_each(observer, listening(record, store))
    run = Run(
        record,
        store,
        ArtifactFolder(files_folder(store.engine), name),
        ready.evaluator,
        observer,
        _announced(ready.hold, observer),
    )
    status, message = "failed", ""
    try:
        store.update_search(name, status="running", message="")
        search = Search(run)
        winner = search.run()
        final = None
        if record.config.final.epochs:
            final = finish(run, search.best_networks(record.config.final.committee))
        found = _found_rivals(run, ready.rivals)
        message = search.ended_by
        status = "failed" if search.has_failed else "completed"
    except (KeyboardInterrupt, SearchStopped):
        status = "interrupted"
        raise
    except SoftwareChanged as error:  # nothing was told: the right software can go on
        status = "failed" if record.status == "failed" else "interrupted"
        message = str(error)
        raise
    except VlgaError as error:
        message = str(error)
        raise
    finally:
        observer(Ended(status))
        with suppress(StoreError):
            store.update_search(name, status=status, message=message, seconds=run.elapsed_seconds)
    return Outcome(winner, search.strategy.best or winner, final, message, search.has_failed, found)


def _found_rivals(run: Run, rivals: BackgroundRivals | None) -> Rivals | None:
    """Give the rivals, recorded; they are there already unless the search was very short."""
    found = run.record.rivals
    if rivals is not None and found is None:
        for _ in range(_RIVALS_SECONDS):
            found = rivals.wait(1.0)
            if found is not None or run.asked_to_stop() is not None:
                break
        if found is not None:
            run.store.update_search(run.name, rivals=found)
    return found


def _announced(hold: Hold, observer: Observer) -> Callable[[], Stop | None]:
    """Give `Hold.check`, made to tell the observer once when the search is asked to stop."""
    is_told = False

    def check() -> Stop | None:
        nonlocal is_told
        asked = hold.check()
        if asked is not None and not is_told:
            is_told = True
            observer(StopRequested(asked))
        return asked

    return check
