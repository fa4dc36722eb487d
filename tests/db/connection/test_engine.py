from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from db.connection.engine import open_engine, reading, use_wal, writing
from db.schema.service import metadata
from db.schema.tables import HEAD
from db.schema.views import VIEWS
from db.store import SqlStore
from vlga.errors import SchemaVersionError, StoreError


def execute(file: Path, *statements: str) -> list[tuple]:
    """Run statements on an SQLite file from outside; give the last one's rows."""
    connection = sqlite3.connect(file)
    try:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        connection.commit()
    finally:
        connection.close()
    return rows


class TestOpening:
    def test_a_database_is_made_only_where_one_is_asked_for(self, url):
        """Opening without `create` refuses an empty place and leaves it empty."""
        with pytest.raises(StoreError, match=r"no database at .*; start a search first or give"):
            open_engine(url)

        open_engine(url, create=True).dispose()
        engine = open_engine(url)
        with reading(engine) as connection:
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
            assert version.scalar() == HEAD
        engine.dispose()

    def test_reading_makes_no_file(self, tmp_path):
        """A reading command leaves no empty file behind."""
        with pytest.raises(StoreError, match="no database at"):
            open_engine(f"sqlite:///{tmp_path}/vlga.db")

        assert list(tmp_path.iterdir()) == []

    def test_an_empty_file_is_no_database(self, tmp_path):
        """An empty file holds no search to read, and may become a database."""
        (tmp_path / "vlga.db").touch()
        url = f"sqlite:///{tmp_path}/vlga.db"

        with pytest.raises(StoreError, match="no database at"):
            open_engine(url)
        open_engine(url, create=True).dispose()

    def test_two_may_make_one_database(self, url, monkeypatch):
        """Of two processes that find nothing and make the schema, the second takes the first's."""
        monkeypatch.setattr("db.connection.engine.stored_revision", lambda *_: None)

        open_engine(url, create=True).dispose()
        open_engine(url, create=True).dispose()

    @pytest.mark.parametrize(
        ("revision", "way_out"),
        [("0000", "run vlga db upgrade with the same --db"), ("9999", "install a newer vlga")],
    )
    @pytest.mark.parametrize("create", [False, True])
    def test_another_version_is_refused(self, tmp_path, monkeypatch, revision, way_out, create):
        """A database of another version is refused with both versions and what to do."""
        monkeypatch.setattr("db.schema.revision.REVISIONS", ("0000", HEAD))
        file = tmp_path / "vlga.db"
        open_engine(f"sqlite:///{file}", create=True).dispose()
        execute(file, f"UPDATE alembic_version SET version_num = '{revision}'")

        with pytest.raises(
            SchemaVersionError, match=f"must have schema '{HEAD}'.* has '{revision}'; {way_out}"
        ):
            open_engine(f"sqlite:///{file}", create=create)

    @pytest.mark.parametrize("table", ["notes", "alembic_version"])
    def test_another_programs_database_is_left_alone(self, tmp_path, table):
        """A database with other tables is refused, and not a byte of it changes."""
        file = tmp_path / "notes.db"
        execute(file, f"CREATE TABLE {table} (text TEXT)")
        before = file.read_bytes()

        with pytest.raises(SchemaVersionError, match=rf"other tables \({table}\); give --db"):
            SqlStore(f"sqlite:///{file}")
        assert file.read_bytes() == before
        assert list(tmp_path.iterdir()) == [file]

    def test_a_postgres_of_others_is_left_alone(self, url):
        """So is a Postgres database with other tables."""
        engine = open_engine(url, create=True)
        with writing(engine) as connection:
            for view in VIEWS["postgresql"]:
                connection.exec_driver_sql(f"DROP VIEW {view}")
            metadata.drop_all(connection)
        engine.dispose()

        with pytest.raises(SchemaVersionError, match=r"other tables \(alembic_version\)"):
            open_engine(url, create=True)


class TestSqlite:
    def test_commits_are_on_the_disk(self, tmp_path):
        """Every connection syncs fully at a commit and enforces foreign keys."""
        engine = open_engine(f"sqlite:///{tmp_path}/vlga.db", create=True)
        with engine.connect() as one, engine.connect() as other:
            for connection in (one, other):
                assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        engine.dispose()

    def test_the_writer_lets_readers_go_on(self, tmp_path):
        """`use_wal` makes the file a WAL database for good."""
        engine = open_engine(f"sqlite:///{tmp_path}/vlga.db", create=True)
        use_wal(engine)
        engine.dispose()

        assert execute(tmp_path / "vlga.db", "PRAGMA journal_mode") == [("wal",)]

    def test_a_read_sees_one_moment(self, tmp_path):
        """What is written during `reading` is not seen in it."""
        url = f"sqlite:///{tmp_path}/vlga.db"
        engine = open_engine(url, create=True)
        use_wal(engine)
        with reading(engine) as reader:
            before = reader.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            with writing(engine) as writer:
                writer.exec_driver_sql("UPDATE alembic_version SET version_num = 'changed'")
            after = reader.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        engine.dispose()

        assert before == after == HEAD

    def test_writers_wait_for_each_other(self, tmp_path):
        """A second writer is told of the lock once its patience ends; readers are not held up."""
        url = f"sqlite:///{tmp_path}/vlga.db?timeout=0.05"
        engine = open_engine(url, create=True)
        use_wal(engine)
        with writing(engine):
            with reading(engine) as connection:
                assert connection.exec_driver_sql("SELECT 1").scalar() == 1
            with (
                pytest.raises(StoreError, match="one process writes at a time"),
                writing(engine),
            ):
                pass
        engine.dispose()

    def test_sqlites_own_uris_work(self, tmp_path):
        """A ``file:`` URI may open the database read-only, and a write is then refused."""
        url = f"sqlite:///{tmp_path}/vlga.db"
        open_engine(url, create=True).dispose()

        engine = open_engine(f"sqlite:///file:{tmp_path}/vlga.db?mode=ro&uri=true")
        with (
            pytest.raises(StoreError, match="must be writable, but they are read-only"),
            writing(engine) as connection,
        ):
            connection.exec_driver_sql("DELETE FROM searches")
        engine.dispose()


def test_a_postgres_server_that_the_network_hides_is_noticed(empty_postgres):
    """Within half a minute, or as the URL says: not after the hours that a system allows."""
    engine = open_engine(f"{empty_postgres}&keepalives_idle=7", create=True)
    with engine.connect() as connection:
        asked_for = connection.connection.driver_connection.info.get_parameters()
    engine.dispose()

    assert asked_for.items() >= {"tcp_user_timeout": "20000", "keepalives_idle": "7"}.items()
