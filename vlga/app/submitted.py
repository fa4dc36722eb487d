"""Making a submitted search ready to run: entered if it is not, else gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from db.connection.engine import opened
from db.service.queue import SqlQueue
from vlga.app.ready import new_search, reopened_search
from vlga.app.searches import ReadySearch
from vlga.config.change import change_config
from vlga.config.load import parse_config
from vlga.errors import SearchStopped, StoreError, plain
from vlga.ports.queue import Submission, Watched, Wish

__all__ = ["note_failure", "submitted_search"]

#: Characters of a reason that are kept.
_LONGEST_NOTE = 1000


@contextmanager
def submitted_search(
    db_url: str, name: str, *, overrides: Mapping[str, Any]
) -> Iterator[ReadySearch | None]:
    """Make what was submitted ready, with the changes that came since; it is held by the block.

    Args:
        db_url: of the database where it was submitted.
        name: of the search.
        overrides: dotted keys to values that a service forces; None means not given.

    Yields:
        None if it is completed and nothing has changed.

    Raises:
        SearchStopped: it is not, or no longer, wanted to run.
        SearchExists: another process has just entered it.
        SearchNotFound: it is neither submitted nor entered.
        VlgaError: as `new_search` and `reopened_search`.
    """
    with opened(db_url) as engine:
        queue = SqlQueue(engine)
        watched = queue.find(name)
        _require_wanted(watched.submission)
        changes = watched.submission.changes
        if watched.seen.status == "completed" and not changes:
            yield None
            return
        with _entered(watched, db_url, overrides) as ready:
            submission = queue.find(name).submission
            _require_wanted(submission)  # the images may have taken minutes
            while submission.changes == changes and not queue.note(submission, changes=()):
                submission = queue.find(name).submission
            yield ready


def note_failure(db_url: str, name: str, error: Exception) -> None:
    """Leave the reason of a failure with the submission, as far as that is possible."""
    reason = plain(" ".join(str(error).split()))[:_LONGEST_NOTE]
    with suppress(StoreError), opened(db_url) as engine:
        queue = SqlQueue(engine)
        submission = queue.find(name).submission
        if _is_wanted(submission):
            queue.note(submission, note=reason)


@contextmanager
def _entered(watched: Watched, db_url: str, overrides: Mapping[str, Any]) -> Iterator[ReadySearch]:
    """Enter the search, or go on with it."""
    submission = watched.submission
    name, changes = submission.name, submission.changes
    if watched.seen.status is not None:
        with reopened_search(db_url, name, settings=changes, overrides=overrides) as ready:
            yield ready
        return
    asked = parse_config(submission.settings)
    config = change_config(asked, settings=changes, overrides=overrides)
    with new_search(config, db_url, name=name, is_submitted=True) as ready:
        yield ready


def _is_wanted(submission: Submission) -> bool:
    return submission.wanted is Wish.RUN and not submission.is_settled


def _require_wanted(submission: Submission) -> None:
    if not _is_wanted(submission):
        raise SearchStopped(
            f"a submitted search must be wanted to run, but {submission.name!r} is not; "
            f"to run it here: vlga resume {submission.name}"
        )
