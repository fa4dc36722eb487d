"""Writing a page without destroying what a person, or the database, has there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from vlga.errors import ConfigError

__all__ = ["MARK", "replace_file", "require_own"]

#: In the head of every page of vlga, by which it is known again.
MARK = 'name="generator" content="vlga '
#: Within how many bytes of a file's beginning its mark is.
_N_BYTES = 1000
#: What SQLite keeps beside a database.
_SQLITE_FILES = ("", "-wal", "-shm", "-journal")


def require_own(
    option: str, file: Path, database: Path | None, *, way_out: str, force: bool = False
) -> None:
    """Refuse a file that may not be written: to be called before what goes into it is computed.

    Args:
        option: names the file on the command line.
        file: to be written later; a new one, or a page that vlga has made.
        database: the file of the database in use, if it is one.
        way_out: what to do about a file that vlga has not made.
        force: whether such a file is overwritten all the same.

    Raises:
        ConfigError: it is the database in use, or exists and was not made by vlga, or its folder
            does not exist.
    """
    if database is not None and any(
        _is_same(file, database.with_name(database.name + end)) for end in _SQLITE_FILES
    ):
        raise ConfigError(
            f"{option} must not be the database in use, but got {str(file)!r}; choose another name"
        )
    try:
        if not file.exists():
            file.parent.stat()
            return
        start = b""
        if file.is_file():
            with file.open("rb") as opened:
                start = opened.read(_N_BYTES)
    except OSError as error:
        raise _unwritable(option, file, error) from error
    if not force and MARK.encode() not in start:
        raise ConfigError(
            f"{option} must be a new file or one that vlga has made, but {str(file)!r} is another; "
            f"{way_out}"
        )


def replace_file(option: str, file: Path, data: bytes) -> None:
    """Write a file whole or not at all: beside its place first, under another name.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        if file.exists() and not file.is_file():  # a device or a pipe, which is no place to move to
            file.write_bytes(data)
            return
        place = file.resolve()  # a link stays one
        partial = place.with_name(f".vlga-{os.getpid()}.partial")
        try:
            partial.write_bytes(data)
            partial.replace(place)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise
    except OSError as error:
        raise _unwritable(option, file, error) from error


def _is_same(one: Path, other: Path) -> bool:
    """Tell whether two paths lead, or would lead, to one file."""
    with suppress(OSError):
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _unwritable(option: str, file: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{option} must be a file that can be written, but {str(file)!r} cannot: {error.strerror}"
    )
