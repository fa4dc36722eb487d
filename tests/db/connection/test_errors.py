"""Every exception that a driver raises in practice, met for real where that can be arranged."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import exc, func, insert, select, text

from db.connection.engine import build_engine, disposing, open_engine, reading, writing
from db.connection.errors import explain, store_errors
from db.schema.tables import candidates
from db.store import SqlStore
from tests.support import postgres
from tests.support.records import candidate, evaluation, record
from vlga.errors import StoreError, StoreUnavailable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database in a file, with one search."""
    store = SqlStore(f"sqlite:///{tmp_path}/vlga.db")
    store.create_search(record("first"))
    store.close()
    return tmp_path / "vlga.db"


class TestSqlite:
    def test_a_folder_must_exist(self, tmp_path):
        """A database below a file, or below nothing, cannot be made."""
        (tmp_path / "file").touch()

        for folder in ("file", "nothing"):
            with pytest.raises(StoreError, match="the folder must exist and be writable"):
                open_engine(f"sqlite:///{tmp_path}/{folder}/vlga.db", create=True)

    @pytest.mark.parametrize("create", [False, True])
    def test_a_file_must_be_a_database(self, tmp_path, create):
        """A file of something else is refused and left as it is."""
        file = tmp_path / "notes.txt"
        file.write_text("not a database, but long enough to be looked at\n" * 50)
        before = file.read_bytes()

        with pytest.raises(StoreError, match="must be an SQLite database, but it is something"):
            open_engine(f"sqlite:///{file}", create=create)
        assert file.read_bytes() == before

    def test_a_full_disk_is_named(self, file):
        """A database that can grow no further says so, and keeps what it had."""
        store = SqlStore(f"sqlite:///{file}")
        with store._engine.connect() as connection:  # the pool gives this connection out again
            connection.exec_driver_sql("PRAGMA max_page_count = 1")

        with pytest.raises(StoreError, match="the disk must have room, but it is full"):
            store.add_candidates("first", [candidate(number) for number in range(500)])
        assert store.evaluations("first") == []
        store.close()

    def test_a_damaged_file_is_named(self, file):
        """A database whose pages were overwritten says so and where to look."""
        pages = bytearray(file.read_bytes())
        pages[4096:] = b"\xff" * (len(pages) - 4096)
        file.write_bytes(pages)

        with pytest.raises(StoreError, match="must be whole, but it is damaged; run `vlga db"):
            open_engine(f"sqlite:///{file}")

    def test_a_constraint_is_named(self, file):
        """A row that the schema refuses is refused in one line."""
        engine = open_engine(f"sqlite:///{file}")

        with (
            pytest.raises(StoreError, match=r"agree with the schema.*FOREIGN KEY constraint"),
            writing(engine) as connection,
        ):
            connection.execute(
                insert(candidates).values(
                    search_id=99,
                    id=0,
                    genome={},
                    fingerprint="",
                    phase=0,
                    generation=0,
                    parents=[],
                    operator="",
                    depth=0,
                    rung=0,
                )
            )
        engine.dispose()

    def test_what_sqlite_cannot_hold_is_named(self, file):
        """A number beyond 64 bits and half of a surrogate pair are refused in one line."""
        engine = open_engine(f"sqlite:///{file}")

        for value in (2**64, "\ud800"):
            with (
                pytest.raises(StoreError, match="numbers must fit in 64 bits and text must be"),
                reading(engine) as connection,
            ):
                connection.execute(text("SELECT :value"), {"value": value})
        engine.dispose()

    def test_a_missing_table_is_reported_as_it_is(self, file):
        """What has no rule of its own is still a `StoreError` with the driver's words."""
        engine = open_engine(f"sqlite:///{file}")

        with (
            pytest.raises(StoreError, match=r"\(OperationalError: no such table: absent\)"),
            reading(engine) as connection,
        ):
            connection.execute(text("SELECT * FROM absent"))
        engine.dispose()


@pytest.mark.postgres
def test_a_deadlock_passes(empty_postgres):
    """Two who wait for each other: the server undoes one, who may try again at once."""
    both_hold, undone = Barrier(2), []

    def lock(first: int, second: int) -> None:
        try:
            with disposing(build_engine(empty_postgres)) as engine, writing(engine) as connection:
                connection.execute(select(func.pg_advisory_xact_lock(first)))
                both_hold.wait(timeout=30)
                connection.execute(select(func.pg_advisory_xact_lock(second)))
        except StoreUnavailable as error:
            undone.append(str(error))

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(lock, 1, 2), pool.submit(lock, 2, 1)]
    assert [one.result() for one in done] == [None, None]

    (said,) = undone
    assert "got into each other's way" in said


@pytest.mark.usefixtures("empty_postgres")
class TestPostgres:
    def test_a_server_must_answer(self, tmp_path):
        """No server at the address is said in one line."""
        with pytest.raises(StoreError, match="the server must be running and reachable"):
            open_engine(f"postgresql://ada:secret@/x?host={tmp_path}")
        with pytest.raises(
            StoreError, match=r"postgresql\+psycopg://ada:\*\*\*@127.0.0.1:1/x.*reach"
        ):
            open_engine("postgresql://ada:secret@127.0.0.1:1/x?connect_timeout=2")
        with pytest.raises(StoreError, match="the server must be running and reachable"):
            open_engine("postgresql://ada:secret@no-such-host.invalid/x")

    def test_a_database_must_exist(self):
        """A database that the server does not have is said in one line."""
        with pytest.raises(StoreError, match=r"must exist on the server.*make it with createdb"):
            open_engine(postgres.server().get_uri(database="nothing"))

    def test_a_user_must_exist(self, empty_postgres):
        """So is a user that it does not know."""
        url = empty_postgres.replace("postgres:@", "nobody:@")

        with pytest.raises(StoreError, match="user and password must be the server's"):
            open_engine(url)

    def test_a_password_must_be_right(self):
        """A wrong password is refused, and none is shown."""
        url = postgres.with_password("ada", "right")
        open_engine(url, create=True).dispose()

        with pytest.raises(StoreError, match=r"ada:\*\*\*@.*it refuses them") as caught:
            open_engine(url.replace("right", "wrong"))
        assert "wrong" not in str(caught.value)

    def test_a_lost_connection_is_named_and_made_again(self, empty_postgres):
        """A server that drops a connection costs one error at most; the next call goes through."""
        store = SqlStore(empty_postgres)
        store.create_search(record("first"))
        with reading(store._engine) as connection:
            process = connection.scalar(text("SELECT pg_backend_pid()"))
        with psycopg.connect(postgres.server().get_uri(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [process])

        assert store.find_search("first") == record("first")
        store.close()

    def test_what_postgres_refuses_is_named(self, empty_postgres):
        """A broken constraint and a number out of range are refused in one line."""
        store = SqlStore(empty_postgres)
        store.create_search(record("first"))

        with pytest.raises(StoreError, match=r"agree with the schema.*violates foreign key"):
            store.add_evaluations("first", [evaluation(7)])
        with pytest.raises(StoreError, match="numbers must fit in 64 bits"):
            store.update_search("first", best_candidate_id=2**40)
        store.close()


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        ("08006", "must be running and reachable"),
        ("22003", "must fit in 64 bits"),
        ("23503", "must agree with the schema"),
        ("25006", "must accept writes"),
        ("28P01", "user and password"),
        ("3D000", "must exist on the server"),
        ("42501", "must be allowed to read and write"),
        ("53100", "disk must have room"),
        ("53300", "must have a connection to spare"),
        ("57P01", "must be up"),
        ("42601", "must do what is asked"),
    ],
)
def test_postgres_codes_are_known(state, rule):
    """Each code that a server may answer with has its rule."""
    cause = psycopg.errors.lookup(state)("first line\nsecond line")
    error = exc.DBAPIError("SELECT 1", {}, cause)

    said = explain(error, "postgresql://host/x")
    assert said.startswith("database postgresql://host/x: ")
    assert rule in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("cause", "is_invalidated", "passes"),
    [
        *(
            (psycopg.errors.lookup(state)("words"), False, passes)
            for state, passes in {
                "08006": True, "57P01": True, "57P02": True, "57P03": True, "53300": True,
                "57014": False, "28P01": False, "3D000": False, "53100": False, "25006": False,
                "23503": False, "40001": True, "40P01": True,
            }.items()
        ),
        (psycopg.OperationalError("connection failed: FATAL: starting up"), False, True),
        (psycopg.OperationalError("failed to resolve host 'db'"), False, True),
        (psycopg.OperationalError("connection failed: no password supplied"), False, False),
        (psycopg.OperationalError("SSL SYSCALL error: EOF detected"), False, False),
        (psycopg.OperationalError("SSL SYSCALL error: EOF detected"), True, True),
    ],
)  # fmt: skip
def test_what_may_be_otherwise_in_a_moment_is_known(cause, is_invalidated, passes):
    """A server that is away, full of connections or restarting; not one that refuses."""
    error = exc.DBAPIError("SELECT 1", {}, cause, connection_invalidated=is_invalidated)

    with pytest.raises(StoreError) as caught, store_errors("here"):
        raise error
    assert isinstance(caught.value, StoreUnavailable) == passes


@pytest.mark.parametrize(
    "foreign",
    [
        exc.ArgumentError("bad argument"),
        exc.NoSuchModuleError("no dialect"),
        exc.InvalidRequestError("bad request"),
        exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError("disk I/O error")),
        exc.TimeoutError("the pool is empty"),
        sqlite3.DatabaseError("file is not a database"),
        ModuleNotFoundError("No module named 'psycopg'"),
        OverflowError("too large"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
)
def test_no_foreign_exception_comes_out(foreign):
    """Each becomes a `StoreError` in one line, with the foreign one as its cause."""
    one_line = pytest.raises(StoreError, match=r"^database here: .*must.*, but .*$")
    with one_line as caught, store_errors("here"):
        raise foreign

    assert caught.value.__cause__ is foreign


def test_our_own_errors_and_bugs_pass():
    """What is not a database's exception comes out as it is."""
    for own in (StoreError("ours"), TypeError("a bug")):
        with pytest.raises(type(own)) as caught, store_errors("here"):
            raise own
        assert caught.value is own
