"""What gets the events of every search besides the search's own observer.

A listener is a function that gives an observer for a search that is about to run. Write it here and
add it to `_LISTENERS`; nothing else needs to know it.
"""

from __future__ import annotations

from vlga.ports.ledger import SearchRecord
from vlga.ports.observer import Observer, ignore, tell_each

__all__ = ["listening"]


def listening(record: SearchRecord) -> Observer:
    """Give an observer that tells every listener of a search."""
    return tell_each(*(listener(record) for listener in _LISTENERS))


def _prometheus(record: SearchRecord) -> Observer:
    """Count in Ray's own metrics, if the search runs on Ray."""
    if record.config.workers.inline:
        return ignore
    from workers.cluster.metrics import RayMetrics

    return RayMetrics(record.name)


_LISTENERS = (_prometheus,)
