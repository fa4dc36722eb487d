"""URLs of databases: which there are, and how one is shown."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from vlga.errors import StoreError, plain, shown

__all__ = ["masked", "parse_url", "require_lasting", "sqlite_file"]

#: An ``@`` of a password, which should be ``%40``: all but the last.
_AT_SIGN = re.compile(r"(?<=.)@(?=.*@)")

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parse_url(url: str) -> URL:
    """Read a database's URL.

    Raises:
        StoreError: it is not ``sqlite:///FILE``, ``sqlite://`` (in memory) or
            ``postgresql+psycopg://...`` (``postgresql://`` and ``postgres://`` mean the same).
    """
    if url != plain(url):
        raise StoreError(_url_rule(plain(url)))
    try:
        parsed = make_url(_AT_SIGN.sub("%40", url))
    except (ArgumentError, ValueError) as error:
        hint = "" if "://" in url else f"; for a file write sqlite:///{url}"
        if not url:  # as of "$VLGA_DB" where that is not set
            hint = "; to type no password, set VLGA_DB to the URL"
        raise StoreError(_url_rule(url) + hint) from error
    if parsed.drivername not in _DRIVERS:
        raise StoreError(_url_rule(url))
    parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    if parsed.drivername == "sqlite":
        _check_sqlite(parsed)
    return parsed


def _check_sqlite(url: URL) -> None:
    """Refuse what SQLAlchemy or SQLite would ignore, and a path that no file can have."""
    name = url.database or ""
    for option in url.query:
        if option != "timeout" and not name.startswith("file:"):
            raise StoreError(
                f"--db takes no {option!r} after the ? of an SQLite file, but got {masked(url)!r}; "
                "leave it out"
            )
    if url.host or url.username or url.password or url.port:
        raise StoreError(_url_rule(str(masked(url))))
    try:
        Path(name).exists()
    except OSError as error:
        raise StoreError(
            f"--db must name a file that can exist, but got {shown(masked(url))}: {error.strerror}"
        ) from error


def require_lasting(url: str) -> None:
    """Refuse a database in memory.

    Raises:
        StoreError: it is one, or the URL is malformed.
    """
    parsed = parse_url(url)
    if parsed.drivername == "sqlite" and (
        (sqlite_file(parsed) is None and not (parsed.database or "").startswith("file:"))
        or parsed.query.get("mode") == "memory"
        or ":memory:" in (parsed.database or "")
    ):
        raise StoreError(
            "--db must be a database that outlives the command, but "
            f"{masked(url)!r} is in memory; for a file write sqlite:///FILE"
        )


def _url_rule(url: str) -> str:
    return (
        "--db must be sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME, "
        f"but got {masked(url)!r}"
    )


def masked(url: str | URL) -> str:
    """Give the URL with its password, if any, as ``***``.

    A pattern instead of a parser, since it must hold for malformed URLs too: what stands between
    the user and the last ``@`` is hidden, so that a password with an ``@`` in it is hidden whole.
    """
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    text = re.sub(r"://([^:/]*):.*@", r"://\1:***@", text)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1***", text)


def sqlite_file(url: URL) -> Path | None:
    """Give an SQLite URL's file; None in memory and for SQLite's own ``file:`` URIs."""
    name = url.database or ":memory:"
    return None if name == ":memory:" or name.startswith("file:") else Path(name)
