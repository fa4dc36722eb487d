"""What gets the events of every search besides the search's own observer.

A listener is a function of a search that is about to run, by its record and the store that it is
entered in, and gives an observer. Write it here and add it to `_LISTENERS`; nothing else needs to
know it.
"""

from __future__ import annotations

from db.store import SqlStore
from vlga.app.live import ProgressWriter
from vlga.ports.ledger import SearchRecord
from vlga.ports.observer import Observer, ignore, tell_each

__all__ = ["listening"]


def listening(record: SearchRecord, store: SqlStore) -> Observer:
    """Give an observer that tells every listener of a search."""
    return tell_each(*(listener(record, store) for listener in _LISTENERS))


def _prometheus(record: SearchRecord, _store: SqlStore) -> Observer:
    """Count in Ray's own metrics, if the search runs on Ray."""
    if record.config.workers.inline:
        return ignore
    from workers.cluster.metrics import RayMetrics

    return RayMetrics(record.name)


def _progress(record: SearchRecord, store: SqlStore) -> Observer:
    """Tell the database where the search stands, for whoever watches it from elsewhere."""
    return ProgressWriter(record.name, store)


_LISTENERS = (_prometheus, _progress)
