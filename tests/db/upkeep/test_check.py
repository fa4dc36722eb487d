from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.read.folder import files_folder
from db.upkeep.check import Finding, check
from vlga.errors import StoreError


def weights_of(engine: Engine) -> str:
    with engine.connect() as connection:
        path: str = connection.exec_driver_sql("SELECT path FROM artifacts").scalar_one()
        return str(files_folder(engine) / path)


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_a_sound_database_has_no_findings(engine: Engine):
    """A database as a search leaves it is sound."""
    assert check(url_of(engine)) == ()


def test_a_missing_file_is_found(engine: Engine):
    """An artifact whose file is gone is named."""
    path = weights_of(engine)
    Path(path).unlink()

    expected = Finding(path, "the file cannot be read: No such file or directory")
    assert check(url_of(engine)) == (expected,)


def test_a_folder_that_is_elsewhere_is_one_finding(engine: Engine):
    """A server's files are in the folder of the searches; a copied database has none."""
    folder = files_folder(engine)
    folder.parent.rename("elsewhere")

    (finding,) = check(url_of(engine))
    assert finding.where == str(folder)
    assert finding.what.startswith("files of weights, 1 of them, should be in this folder, but")


def test_a_file_that_no_row_names_is_found(engine: Engine):
    """And nobody is told to delete it."""
    orphan = files_folder(engine) / "digits-1" / "notes.txt"
    orphan.write_text("mine")

    expected = Finding(str(orphan), "no search of this database names this file")
    assert check(url_of(engine)) == (expected,)


def test_a_changed_file_is_found(engine: Engine):
    """An artifact whose file has other contents is named with both checksums."""
    path = weights_of(engine)
    Path(path).write_bytes(b"other")

    (finding,) = check(url_of(engine))
    assert finding.where == path
    assert finding.what.startswith("its SHA-256 should be 9")


def test_wrong_counts_are_found(engine: Engine):
    """A search whose kept counts are not its rows' is named with both."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE searches SET n_failed = 9 WHERE name = 'digits-1'")

    assert check(url_of(engine)) == (
        Finding(
            "search 'digits-1'",
            "completed, failed and reused should be (4, 1, 1), but are kept as (4, 9, 1)",
        ),
    )


class TestSqlite:
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        """Only SQLite lets one break it."""
        return f"sqlite:///{tmp_path}/vlga.db"

    def test_a_dangling_row_is_found(self, engine: Engine):
        """A row whose parent was deleted behind the schema's back is named."""
        raw = sqlite3.connect(engine.url.database)
        raw.execute("DELETE FROM candidates WHERE id = 3")
        raw.commit()
        raw.close()

        assert check(url_of(engine)) == (
            Finding("table evaluations", "row 4 refers to no row of candidates"),
        )

    def test_damage_is_found(self, engine: Engine):
        """A page that lost its contents is reported in SQLite's words."""
        with engine.connect() as connection:
            page = connection.exec_driver_sql(
                "SELECT rootpage FROM sqlite_master WHERE name = 'ix_candidates_fingerprint'"
            ).scalar_one()
        engine.dispose()
        with Path(engine.url.database).open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(bytes.fromhex("0a 0000 0000 1000 00"))  # an index page without entries

        findings = check(url_of(engine))
        assert {one.where for one in findings} == {"the database's file"}
        assert "row 1 missing from index ix_candidates_fingerprint" in {
            one.what for one in findings
        }


def test_a_database_that_is_not_there_is_an_error(tmp_path):
    """There is nothing to check where there is no database."""
    with pytest.raises(StoreError, match="no database at"):
        check(f"sqlite:///{tmp_path}/vlga.db")
