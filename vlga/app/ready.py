"""Making a search ready to run: images read, sizes chosen, entered, held, and what trains it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.store import SqlStore
from vlga.app.evaluators import (
    finding_rivals,
    load_data,
    make_evaluator,
    say_if_uneven,
    with_image_size,
)
from vlga.app.founders import with_founders_of
from vlga.app.listeners import require_tools
from vlga.app.resume import changed_record, moved_record
from vlga.app.searches import ReadySearch, enter, refuse_taken
from vlga.app.sizes import choose_sizes, machine_of
from vlga.config.settings import SearchConfig
from vlga.config.strategies import STUDIES
from vlga.errors import ConfigError, DataError
from vlga.execution.hold import held
from vlga.ports.ledger import SearchRecord
from vlga.ports.names import check_name
from vlga.strategies import require_installed

if TYPE_CHECKING:
    from workers.data.dataset import Dataset

__all__ = ["new_search", "reopened_search"]


@contextmanager
def new_search(
    config: SearchConfig,
    db_url: str,
    *,
    name: str | None = None,
    like: str | None = None,
    dataset: Dataset | None = None,
    is_submitted: bool = False,
) -> Iterator[ReadySearch]:
    """Enter a search in the database; it is held, and can train, while the block runs.

    The time that this takes counts as the search's.

    Args:
        config: as it was asked for.
        db_url: of the database where it is entered.
        name: of the search; made up from the data if None.
        like: a search of the database whose best networks are tried first, or None.
        dataset: the images of a program that has them already, which then has its own simple
            methods to compare with, too; if None, the configuration says which to read.
        is_submitted: whether the name is that of a submission, which is now entered.

    Raises:
        ConfigError: the name is none, or taken; the strategy is a study's; `like` does not fit; a
            limit is too small for any network.
        DataError: the images cannot be read.
        EvaluatorError: there is nothing to train on as it was asked for.
    """
    from workers.data.split import class_counts

    began = time.monotonic()
    if config.strategy in STUDIES:
        raise ConfigError(
            f"strategy must be one that searches, but got {config.strategy!r}, of a study; "
            "studies are run by vlga train"
        )
    require_installed(config.strategy)
    if name is not None:
        check_name(name)
    given = dataset
    dataset = load_data(config) if given is None else given
    again = None if given is None else lambda: given
    data = dataset.summary()
    say_if_uneven(config, data.name, class_counts(dataset.train_labels, dataset.n_classes).tolist())
    if given is None:
        config = with_image_size(config, data)
    with closing(SqlStore(db_url)) as store:
        if name is not None:
            refuse_taken(store, name, is_submitted=is_submitted)
        if like is not None:
            config = with_founders_of(like, config, data, store)
        with (
            finding_rivals(config, dataset) if given is None else nullcontext() as rivals,
            closing(make_evaluator(config, dataset, again)) as evaluator,
        ):
            del dataset  # the evaluator has it
            config = choose_sizes(config, data, machine_of(evaluator, config))
            record = enter(store, name, config, data, seconds=time.monotonic() - began)
            with held(store, record.name) as hold:
                yield ReadySearch(record, hold, store, evaluator, rivals)


@contextmanager
def reopened_search(
    db_url: str,
    name: str,
    *,
    settings: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    data_name: str | None = None,
) -> Iterator[ReadySearch]:
    """Go on with a search, or a study, that is in the database.

    Args:
        db_url: of the database where it is.
        name: of the search.
        settings: ``dotted.key=value`` that change.
        overrides: dotted keys to values that change; None means not given.
        data_name: where its images are now, if they were moved.

    Raises:
        ConfigError: a setting may not change, or the search is completed and has nothing to do.
        DataError: the images are not there, or are others.
        SearchHeld: another process runs it.
        SearchNotFound: there is no such search.
    """
    with closing(SqlStore(db_url, create=False)) as store, held(store, name) as hold:
        record = changed_record(store, name, settings, overrides or {})
        require_installed(record.config.strategy)
        require_tools(record.config)
        if data_name is not None:
            record = moved_record(record, data_name)
        dataset = _same_images(record)
        with (
            finding_rivals(record.config, dataset, record.rivals) as rivals,
            closing(make_evaluator(record.config, dataset)) as evaluator,
        ):
            del dataset  # the evaluator has it
            store.update_search(
                name, config=record.config, status="running", test_accuracy=record.test_accuracy
            )
            yield ReadySearch(record, hold, store, evaluator, rivals)


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
