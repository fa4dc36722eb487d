"""Deleting a search: its rows, then its files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from db.upkeep.delete import delete_search

__all__ = ["Deleted", "delete_with_files"]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of the files of a deleted search.

    Attributes:
        n_files: that are deleted.
        missing: that were not there.
        left: why others could not be deleted, a line for each.
    """

    n_files: int
    missing: tuple[Path, ...]
    left: tuple[str, ...]


def delete_with_files(engine: Engine, name: str) -> Deleted:
    """Delete a search with all its rows, its submission, and the files that only it names.

    Raises:
        SearchNotFound: no search of that name is entered; a submission of that name is left alone.
        ConfigError: it is running.
    """
    files = delete_search(engine, name)
    missing = tuple(path for path in files if not path.exists())
    left = tuple(error for path in files if (error := _remove(path)))
    return Deleted(len(files) - len(left) - len(missing), missing, left)


def _remove(file: Path) -> str | None:
    """Delete a file, and the folders of its search and of all files if they are empty now.

    Says what went wrong, if anything.
    """
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        return f"{str(file)!r} must be deleted by hand, but: {error.strerror}"
    with suppress(OSError):  # other files are in it
        for folder in file.parents[:3]:
            folder.rmdir()
    return None
