"""Where the files of a database are: weights, which its rows name by paths relative to there."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, select

from db.connection.engine import database_file, reading
from db.schema.tables import identity

__all__ = ["files_folder"]


def files_folder(engine: Engine) -> Path:
    """Give the folder of this database's files, absolute; it need not exist.

    ``FILE-files/ID`` beside an SQLite file, ``vlga-files/ID`` in the current folder otherwise. The
    id was drawn when the database was made: another one that takes its place, or is used from the
    same folder, has another. The file's name keeps a copy of the database from its files.

    Raises:
        StoreError: the database cannot be read.
    """
    file = database_file(engine)
    with reading(engine) as connection:
        number: str = connection.execute(select(identity.c.id)).scalar_one()
    beside = Path("vlga-files") if file is None else file.with_name(f"{file.name}-files")
    return beside.absolute() / number
