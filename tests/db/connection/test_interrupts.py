"""Ctrl-C in the middle of a transaction: it waits, what is written stays, and nothing is locked."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event, text

from db.connection.engine import build_engine, writing
from db.connection.interrupts import interrupt, uninterrupted
from vlga.errors import StoreError


@pytest.fixture
def engine(tmp_path) -> Iterator[Engine]:
    """Give a file with a table; whoever finds it locked does not wait."""
    engine = build_engine(f"sqlite:///{tmp_path}/some.db?timeout=0")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def pressed() -> Iterator[None]:
    """Let SIGINT do what it does in a search."""
    before = signal.signal(signal.SIGINT, lambda *_: interrupt())
    yield
    signal.signal(signal.SIGINT, before)


def press(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def write(engine: Engine, number: int) -> None:
    with writing(engine) as connection:
        connection.execute(text(f"INSERT INTO numbers VALUES ({number})"))


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT number FROM numbers")))


@pytest.mark.parametrize("moment", ["checkout", "after_cursor_execute", "commit", "checkin"])
def test_it_waits_for_the_end_of_a_write(engine, moment):
    event.listen(engine, moment, press)
    with pytest.raises(KeyboardInterrupt):
        write(engine, 1)
    event.remove(engine, moment, press)

    write(engine, 2)  # while the exception may still be known to somebody
    assert numbers(engine) == [1, 2]


def test_it_waits_for_the_end_of_a_write_that_fails(engine):
    with pytest.raises(KeyboardInterrupt) as raised, writing(engine) as connection:
        press()
        connection.execute(text("INSERT INTO nothing VALUES (1)"))

    assert isinstance(raised.value.__context__, StoreError)
    write(engine, 2)
    assert numbers(engine) == [2]


def test_it_is_raised_once():
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        press()
        with uninterrupted():
            press()
    with uninterrupted():
        pass


def test_elsewhere_it_is_raised_at_once():
    with pytest.raises(KeyboardInterrupt):
        press()


def test_another_thread_in_a_transaction_does_not_hold_it_back():
    with ThreadPoolExecutor(1) as pool:
        block = uninterrupted()
        pool.submit(block.__enter__).result()
        with pytest.raises(KeyboardInterrupt):
            press()
        pool.submit(block.__exit__, None, None, None).result()
