"""Every error that vlga raises on purpose.

    VlgaError                        exit code 1
    ├─ ConfigError(ValueError)       a setting is missing, unknown or contradictory; exit code 2
    │  └─ DataError                  a data set is missing, unreadable or unusable; exit code 2
    ├─ GenomeError(ValueError)       a genome is malformed or outside its space
    ├─ ProtocolError(RuntimeError)   ask/tell called out of order, or told what was not asked for
    ├─ TooManyFailures(RuntimeError) nothing can be trained; carries the last reasons
    ├─ SoftwareChanged(RuntimeError) a resumed search would be another one; exit code 2
    ├─ SearchStopped(RuntimeError)   somebody asked the search to stop; exit code 130
    ├─ ExportError(RuntimeError)     a network cannot be written in a format
    ├─ AccessDenied                  a token is wrong, has expired or was revoked; exit code 2
    ├─ EvaluatorError(RuntimeError)  there are no workers: no cluster, no such resources; exit 2
    └─ StoreError                    the database cannot be used; exit 2
       ├─ SearchNotFound(LookupError)
       ├─ NoIndividual(LookupError)
       ├─ SearchExists
       ├─ SearchDone              it has nothing left to do
       ├─ QueueFull               too many searches wait; one that ends makes room
       ├─ SearchHeld              another process runs the search
       ├─ LeaseLost               another process has taken the search over; exit code 1
       ├─ StoreUnavailable        it does not answer at the moment; another try may succeed
       ├─ StoreFailed             it or the disk failed during a search; exit code 1
       └─ SchemaVersionError         written by another version; names the command that helps

A failed *training* is not an error: it is an `Evaluation` with a reason (ports/evaluation.py).
A message says in one line where, the rule, the value and the way out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = [
    "AccessDenied",
    "ConfigError",
    "DataError",
    "EvaluatorError",
    "ExportError",
    "GenomeError",
    "LeaseLost",
    "NoIndividual",
    "ProtocolError",
    "QueueFull",
    "SchemaVersionError",
    "SearchDone",
    "SearchExists",
    "SearchHeld",
    "SearchNotFound",
    "SearchStopped",
    "SoftwareChanged",
    "StoreError",
    "StoreFailed",
    "StoreUnavailable",
    "TooManyFailures",
    "VlgaError",
    "nearest",
    "plain",
    "shown",
]

#: What a terminal obeys instead of showing it, and what is no text at all.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class VlgaError(Exception):
    """Base of all errors that vlga raises on purpose; `exit_code` is the command line's."""

    exit_code = 1


class ConfigError(VlgaError, ValueError):
    """A setting is missing, unknown, mistyped or contradictory."""

    exit_code = 2


class DataError(ConfigError):
    """A data set is missing, unreadable or unusable."""


class GenomeError(VlgaError, ValueError):
    """A genome is malformed or outside its space."""


class ProtocolError(VlgaError, RuntimeError):
    """ask/tell was called out of order, or told something that was not asked for."""


class TooManyFailures(VlgaError, RuntimeError):
    """So many evaluations failed that the search cannot go on; the message holds the reasons."""


class SoftwareChanged(VlgaError, RuntimeError):
    """A resumed search would make other candidates than those recorded: its software is another."""

    exit_code = 2


class SearchStopped(VlgaError, RuntimeError):
    """The search was asked to stop and did; what had ended by then is recorded."""

    exit_code = 130


class ExportError(VlgaError, RuntimeError):
    """A trained network cannot be written in a format, or what was written is another network."""


class EvaluatorError(VlgaError, RuntimeError):
    """There are no workers: no cluster at the address, or it lacks the resources asked for."""

    exit_code = 2


class EvaluatorLost(EvaluatorError):
    """The workers are gone during a search; others can train again what they were training."""

    exit_code = 1


class AccessDenied(VlgaError):
    """A token is wrong, has expired or was revoked."""

    exit_code = 2


class StoreError(VlgaError):
    """The database cannot be reached, read or written."""

    exit_code = 2


class SearchNotFound(StoreError, LookupError):
    """No search of that name is in the database."""


class NoIndividual(StoreError, LookupError):
    """A search has no individual of that number."""


class SearchExists(StoreError):
    """A search of that name is in the database already."""


class SearchDone(StoreError):
    """The search has nothing left to do, or cannot do what is asked as it is."""


class QueueFull(StoreError):
    """Too many searches wait."""


class SearchHeld(StoreError):
    """The search is run by another process."""


class LeaseLost(StoreError):
    """Another process has taken the search over; this one may no longer write to it."""

    exit_code = 1


class StoreUnavailable(StoreError):
    """The database does not answer at the moment; another try may succeed."""


class StoreFailed(StoreError):
    """The database or the disk failed during a search, which can be resumed."""

    exit_code = 1


class SchemaVersionError(StoreError):
    """The database was made by another version of vlga."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant.

    Returns:
        ``"; did you mean 'x'?"``, or the list of all known words if none is similar.
    """
    known = sorted(known)
    match = difflib.get_close_matches(word, known, n=1)
    if match:
        return f"; did you mean {match[0]!r}?"
    more = ", ..." if len(known) > 30 else ""
    return f"; known: {', '.join(known[:30])}{more}"


def shown(value: object) -> str:
    """Give a value for a message: its ``repr``, at most 200 characters of it."""
    try:
        text = repr(value)
    except ValueError:  # a number of more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= 200 else f"{text[:199]}…"


def plain(text: str) -> str:
    """Give text with each control character, which a terminal would obey, as its escape."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
