"""What a database driver raises, said in one line as a `StoreError`.

`store_errors` is the one place where foreign exceptions become ours; everything in this package
that talks to a database does so inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Error as SqliteError

from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from vlga.errors import StoreError

__all__ = ["explain", "store_errors"]

_UNREACHABLE = "the server must be running and reachable from here, but it does not answer"
_REFUSED = "user and password must be the server's, but it refuses them; correct --db or VLGA_DB"
_CONSTRAINT = "what is written must agree with the schema, but it does not"
_RANGE = "numbers must fit in 64 bits and text must be Unicode, but something written is neither"

#: SQLite's result codes, by the start of their names (extended codes add to them).
_SQLITE_RULES = {
    "SQLITE_CANTOPEN": "the folder must exist and be writable, but the file cannot be opened; "
    "make the folder or give --db another path",
    "SQLITE_NOTADB": "the file must be an SQLite database, but it is something else; "
    "give --db another path",
    "SQLITE_READONLY": "the file and its folder must be writable, but they are read-only; "
    "give --db another path",
    "SQLITE_BUSY": "one process writes at a time, but another holds the lock for too long; "
    "wait for it, or use Postgres for many searches at once",
    "SQLITE_FULL": "the disk must have room, but it is full; free some, then resume the search",
    "SQLITE_IOERR": "the disk must be readable and writable, but it gives an input/output error",
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
    "53300": "the server must have a connection to spare, but all are taken; try again later",
    "25006": "the server must accept writes, but it is read-only; give --db its primary",
    "42501": "the user must be allowed to read and write, but is not; ask for the rights",
    "57": "the server must be up, but it is starting or stopping; try again later",
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
    "too many clients": _POSTGRES_RULES["53300"],
    "connection": _UNREACHABLE,
    "resolve": _UNREACHABLE,
}


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn every exception of SQLAlchemy and the drivers into a `StoreError`.

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
        UnicodeEncodeError,  # text with half a surrogate pair
    ) as error:
        raise StoreError(explain(error, where)) from error


def explain(error: BaseException, where: str) -> str:
    """Say in one line what a foreign exception means: where, the rule, the value, the way out."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    detail = " ".join(str(cause).split())[:200]
    return f"database {where}: {_rule(cause, detail)} ({type(cause).__name__}: {detail})"


def _rule(cause: BaseException, detail: str) -> str:
    if isinstance(cause, (OverflowError, UnicodeEncodeError)):
        return _RANGE
    if isinstance(cause, (ModuleNotFoundError, NoSuchModuleError)):
        return "its driver must be installed, but it is not; run: pip install 'vlga'"
    if isinstance(cause, SqliteError):
        name = getattr(cause, "sqlite_errorname", "")
        rules = [rule for start, rule in _SQLITE_RULES.items() if name.startswith(start)]
    else:
        state = getattr(cause, "sqlstate", None) or ""
        rules = [rule for start, rule in _POSTGRES_RULES.items() if state.startswith(start)]
        if not state:
            rules = [rule for words, rule in _CONNECTION_RULES.items() if words in detail]
    return rules[0] if rules else "the database must do what is asked, but it does not"
