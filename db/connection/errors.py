"""What a database driver raises, said in one line as a `StoreError`.

`store_errors` is the one place where foreign exceptions become ours; everything in this package
that talks to a database does so inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Error as SqliteError

from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from vlga.errors import StoreError, StoreUnavailable

__all__ = ["explain", "store_errors"]

_UNREACHABLE = "the server must be running and reachable from here, but it does not answer"
_REFUSED = "user and password must be the server's, but it refuses them; correct --db or VLGA_DB"
_CONSTRAINT = "what is written must agree with the schema, but it does not"
_STARTING = "the server must be up, but it is starting or stopping; try again later"
_CROWDED = "the server must have a connection to spare, but all are taken; try again later"
_LOCKED = (
    "one process writes at a time, but another holds the lock for too long; "
    "wait for it, or use Postgres for many searches at once"
)
_CONFLICT = "others may write at the same time, but this got into each other's way; try again"
_NO_HOST = "the server must have a name that a host can have; correct --db or VLGA_DB"
_RANGE = "numbers must fit in 64 bits and text must be Unicode, but something written is neither"

#: SQLite's result codes, by the start of their names (extended codes add to them).
_SQLITE_RULES = {
    "SQLITE_CANTOPEN": "the folder must exist and be writable, but the file cannot be opened; "
    "make the folder or give --db another path",
    "SQLITE_NOTADB": "the file must be an SQLite database, but it is something else; "
    "give --db another path",
    "SQLITE_READONLY": "the file and its folder must be writable, but they are read-only; "
    "give --db another path",
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_FULL": "the disk must have room, but it is full; free some, then resume the search",
    "SQLITE_IOERR": "the disk must be readable and writable, but it gives an input/output error; "
    "see that it has room and is sound, then resume the search",
    "SQLITE_CORRUPT": "the file must be whole, but it is damaged; run `vlga db check`, "
    "then go back to a copy",
    "SQLITE_CONSTRAINT": _CONSTRAINT,
    "SQLITE_TOOBIG": _RANGE,
}

#: Postgres' SQLSTATE codes, whole or by class (the first two characters).
_POSTGRES_RULES = {
    "28": _REFUSED,
    "3D": "the database must exist on the server, but it does not; make it with createdb",
    "53100": "the server's disk must have room, but it is full; free some, then resume the search",
    "53300": _CROWDED,
    "25006": "the server must accept writes, but it is read-only; give --db its primary",
    "42501": "the user must be allowed to read and write, but is not; ask for the rights",
    "57P": _STARTING,
    "40001": _CONFLICT,  # a serialization failure
    "40P01": _CONFLICT,  # a deadlock, of which the server has undone one side
    "08": _UNREACHABLE,
    "22": _RANGE,
    "23": _CONSTRAINT,
}

#: Postgres' refusals before a connection is made, which often carry no code: words of the message.
_CONNECTION_RULES = {
    "password authentication failed": _REFUSED,
    "no password supplied": _REFUSED,
    "pg_hba.conf": _REFUSED,
    'role "': _REFUSED,
    'database "': _POSTGRES_RULES["3D"],
    "too many clients": _CROWDED,
    "connection": _UNREACHABLE,
    "resolve": _UNREACHABLE,
}


#: What may be otherwise in a moment, whatever anybody does.
_PASSING = (_UNREACHABLE, _STARTING, _CROWDED, _LOCKED, _CONFLICT)


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn every exception of SQLAlchemy and the drivers into a `StoreError`.

    Into a `StoreUnavailable` if the same may succeed in a moment.

    Args:
        where: the database's URL with its password masked.
    """
    try:
        yield
    except (
        SQLAlchemyError,
        SqliteError,
        ModuleNotFoundError,  # the driver is not installed
        OverflowError,  # a number that SQLite cannot hold
        UnicodeError,  # text with half a surrogate pair, or a host whose name no host has
    ) as error:
        kind = StoreUnavailable if _rule(error) in _PASSING else StoreError
        raise kind(explain(error, where)) from error


def explain(error: BaseException, where: str) -> str:
    """Say in one line what a foreign exception means: where, the rule, the value, the way out."""
    cause = _cause(error)
    return f"database {where}: {_rule(error)} ({type(cause).__name__}: {_detail(cause)})"


def _rule(error: BaseException) -> str:
    cause = _cause(error)
    if isinstance(cause, (OverflowError, UnicodeEncodeError)):
        return _RANGE
    if isinstance(cause, UnicodeError):
        return _NO_HOST
    if isinstance(cause, (ModuleNotFoundError, NoSuchModuleError)):
        return "its driver must be installed, but it is not; run: pip install 'vlga'"
    if isinstance(cause, SqliteError):
        name = getattr(cause, "sqlite_errorname", "")
        rules = [rule for start, rule in _SQLITE_RULES.items() if name.startswith(start)]
    else:
        state = getattr(cause, "sqlstate", None) or ""
        rules = [rule for start, rule in _POSTGRES_RULES.items() if state.startswith(start)]
        if not state:
            detail = _detail(cause)
            rules = [rule for words, rule in _CONNECTION_RULES.items() if words in detail]
    if not rules and isinstance(error, DBAPIError) and error.connection_invalidated:
        return _UNREACHABLE  # a connection may break in more words than anybody knows
    return rules[0] if rules else "the database must do what is asked, but it does not"


def _cause(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


def _detail(cause: BaseException) -> str:
    return " ".join(str(cause).split())[:200]
