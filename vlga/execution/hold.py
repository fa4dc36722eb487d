"""One process at a time runs a search: it holds the search, and hears requests to stop it.

The lease is a row in the database (`Leases.acquire`), and the database's clock says when it
expires, so a machine whose own clock jumps neither loses a search nor keeps it too long. A process
that lost its lease cannot write to its search any more (`LeaseLost`), however late it notices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from vlga.errors import SearchHeld, StoreError
from vlga.ports.lease import Lease, Leases, Stop, is_in_force, lives, this_process

__all__ = ["LEASE_SECONDS", "RENEW_SECONDS", "Hold", "held", "running"]

#: How long a search stays reserved for a process that has vanished with its machine.
LEASE_SECONDS = 60.0
#: How often a process with nothing to write renews its lease and looks for a request to stop.
RENEW_SECONDS = 2.0


class Hold:
    """A search that this process holds; call `check` often in everything that takes long."""

    def __init__(
        self, store: Leases, search: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._search = search
        self._clock = clock
        self._renewed = clock()
        self._stop: Stop | None = None

    def check(self) -> Stop | None:
        """Renew the lease if it is time; give how the search was asked to stop, or None.

        Raises:
            LeaseLost: another process has taken the search over.
        """
        now = self._clock()
        if abs(now - self._renewed) >= RENEW_SECONDS:
            self._renewed = now
            self.ask(self._store.renew(self._search))
        return self._stop

    def ask(self, stop: Stop | None) -> None:
        """Ask it to stop, from within the process; ``NOW`` replaces an earlier request."""
        if stop is Stop.NOW or self._stop is None:
            self._stop = stop


@contextmanager
def held(store: Leases, search: str) -> Iterator[Hold]:
    """Hold a search for the length of a block: no other process can write to it meanwhile.

    An expired lease is taken over, and so is that of a process known to be gone. The lease of a
    process known to be alive is not, even if a long training kept it from renewing.

    Raises:
        SearchHeld: another process runs the search.
        SearchNotFound: there is no such search.
    """
    lease = store.lease(search)
    alive = None if lease is None else lives(lease.holder)
    dead = lease.holder.token if lease is not None and alive is False else None
    if alive or not store.acquire(search, this_process(), LEASE_SECONDS, over=dead):
        by = store.lease(search) or lease
        raise SearchHeld(
            f"one process at a time may run a search, but {search!r} is run by {by}; "
            f"wait for it, or run: vlga stop {search}"
        )
    try:
        yield Hold(store, search)
    finally:
        # If this fails, the lease expires by itself.
        with suppress(StoreError):
            store.release(search)


def running(store: Leases, search: str) -> Lease | None:
    """Give the lease of a running search; None if no process runs it, or that process is gone.

    Raises:
        SearchNotFound: there is no such search.
    """
    lease = store.lease(search)
    return lease if lease is not None and is_in_force(lease) else None
