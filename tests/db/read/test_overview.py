"""The list of searches: those that wait and the entered ones, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, insert

from db.connection.engine import writing
from db.read.overview import searches_page
from db.schema.service import progress
from db.service.queue import SqlQueue
from tests.support.records import record
from vlga.errors import ConfigError
from vlga.ports.queue import Submission, Wish


def _submit(engine: Engine, *names: str, **values: Any) -> None:
    settings = record("any").config.model_dump(mode="json")
    for name in names:
        SqlQueue(engine).submit(Submission(name, settings, created_by="me", **values))


def _names(engine: Engine, **filters: Any) -> list[str]:
    return [row["name"] for row in searches_page(engine, limit=50, **filters).items]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_what_waits_comes_first_then_the_newest(engine: Engine, limit: int):
    """Pages of any length give each search once; one that is entered does not wait any more."""
    _submit(engine, "old", "new")
    names: list[str] = []
    cursor = None
    while True:
        page = searches_page(engine, limit=limit, cursor=cursor)
        names += [row["name"] for row in page.items]
        cursor = page.next
        if cursor is None:
            break

    assert names == ["new", "old", "digits-1", "empty"]


def test_a_row_tells_what_is_wanted_and_what_is_so(engine: Engine):
    """A waiting search has the keys of an entered one."""
    _submit(engine, "one", priority=3)
    with writing(engine) as connection:
        said = {"search_id": 2, "moment": 7.5, "body": {"phase": 1}}
        connection.execute(insert(progress).values(**said))
    waiting, entered, _ = searches_page(engine, limit=50).items

    assert waiting.keys() == entered.keys()
    assert (waiting["state"], waiting["status"], waiting["data"]) == ("queued", None, "digits")
    assert (waiting["wanted"], waiting["priority"], waiting["created_by"]) == ("run", 3, "me")
    assert entered == entered | {
        "state": "completed",
        "status": "completed",
        "evaluations": {"completed": 4, "failed": 1, "reused": 1},
        "best_fitness": 0.75,
        "n_parameters": 1000,
        "test_accuracy": None,
        "seconds": 12.5,
        "created_by": "the command line",
        "progress": {"phase": 1, "moment": 7.5},
    }


def test_searches_can_be_filtered(engine: Engine):
    """By state, strategy, data and a part of the name, in whatever case."""
    _submit(engine, "Waits_1")
    SqlQueue(engine).change("empty", "me", "paused", wanted=Wish.PAUSE)

    assert _names(engine, state="queued") == ["Waits_1"]
    assert _names(engine, state="completed") == ["digits-1"]
    assert _names(engine, state="paused") == ["empty"]
    assert _names(engine, strategy="ladder", data="digits") == ["Waits_1", "digits-1", "empty"]
    assert _names(engine, strategy="random_search") == []
    assert _names(engine, data="mnist") == []
    assert _names(engine, text="S_") == ["Waits_1"]
    assert _names(engine, text="%") == []
    with pytest.raises(ConfigError, match="state must be a search's state, but got 'runing'; did"):
        searches_page(engine, limit=1, state="runing")
