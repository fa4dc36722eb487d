"""The page of a search that a process runs, as that process tells where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.store import SqlStore
from tests.support.records import candidate, record
from tests.vlga.app.test_live import BEST, PROGRESS, Clock
from tests.vlga.service.pages.conftest import app_with
from vlga.app.live import ProgressWriter
from vlga.execution.hold import held
from vlga.ports.observer import FinalEnded, FinalStarted, Submitted, Updated


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[TestClient, ProgressWriter, Clock]]:
    """A search that this process holds, its page and what tells of it."""
    store = SqlStore(f"sqlite:///{tmp_path}/vlga.db")
    store.create_search(record("mine"))
    store.add_candidates("mine", [candidate(0), candidate(1)])
    clock = Clock()
    with held(store, "mine"), TestClient(app_with(store, "write")) as client:
        yield client, ProgressWriter("mine", store, clock), clock
    store.close()


def test_what_is_in_training_is_shown_with_its_time(running):
    """Before and after the first network has a fitness."""
    client, tell, clock = running
    tell(Submitted(candidate(1)))
    clock.now += 65
    tell(Updated(PROGRESS))
    page = client.get("/s/mine").text

    assert "The first networks are being trained." in page
    assert "Training now" in page
    assert "1:05" in page
    assert client.get("/s/mine?part=running&part=status&part=best").status_code == 200


def test_the_winner_s_longer_training_is_told(running):
    """By its number, its epochs and the time that it should take."""
    client, tell, clock = running
    tell(Updated(PROGRESS))
    clock.now += 10
    tell(FinalStarted(BEST, 30, 12.5))

    assert (
        "is trained for 30 epochs on all training images, about 0:12"
        in client.get("/s/mine?part=running").text
    )


def test_of_several_at_a_time_the_first_that_runs_is_told(running):
    """With which of the committee it is."""
    client, tell, _ = running
    tell(Updated(PROGRESS))
    other = replace(BEST, candidate=replace(BEST.candidate, id=1))
    tell(FinalStarted(BEST, 30, 12.5, 1, 2))
    tell(FinalStarted(other, 20, 12.5, 2, 2))
    page = client.get("/s/mine?part=running").text
    assert "The winner" in page
    assert ", 1 of 2, is trained for 30 epochs" in page

    tell(FinalEnded(BEST, BEST.evaluation))
    page = client.get("/s/mine?part=running").text
    assert "The winner" not in page
    assert ", 2 of 2, is trained for 20 epochs" in page


@pytest.mark.parametrize("what", ["best", "genes"])
def test_a_search_that_is_not_entered_has_charts_of_nothing(client: TestClient, what: str):
    """The page asks for them while it waits."""
    assert client.get(f"/s/waiting/figures/{what}").json() == {"data": [], "layout": {}}
