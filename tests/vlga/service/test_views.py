"""A search and a network in full, as the service shows them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from db.read.searches import show_search
from db.service.queue import SqlQueue
from tests.support.records import record
from vlga.errors import NoIndividual, SearchNotFound
from vlga.ports.queue import Submission, Wish
from vlga.service.views import network_view, search_view


def test_a_search_has_the_keys_of_show_and_what_is_wanted(engine: Engine):
    """With its state, and who did what."""
    queue = SqlQueue(engine)
    queue.change("empty", "me", "paused", wanted=Wish.PAUSE)
    view = search_view(engine, queue, "empty")

    assert view.items() >= show_search(engine, "empty").items()
    assert (view["state"], view["wanted"], view["progress"]) == ("paused", "pause", None)
    assert [(one["who"], one["what"]) for one in view["actions"]] == [("me", "paused")]
    assert json.loads(json.dumps(view)) == view
    with pytest.raises(SearchNotFound, match="did you mean 'empty'"):
        search_view(engine, queue, "emty")


def test_a_search_that_is_not_entered_has_the_same_keys(engine: Engine):
    """What only the images tell is absent."""
    queue = SqlQueue(engine)
    settings = record("new", seed=7).config.model_dump(mode="json")
    queue.submit(Submission("new", settings, created_by="me"))
    view = search_view(engine, queue, "new")

    assert view.keys() == search_view(engine, queue, "empty").keys()
    assert (view["state"], view["status"], view["seed"]) == ("queued", None, 7)
    assert (view["place"], search_view(engine, queue, "empty")["place"]) == (1, None)
    assert view["config"] == settings
    assert json.loads(json.dumps(view)) == view


def test_a_network_comes_with_its_layers_and_words(engine: Engine):
    """What `vlga individual` prints, in parts."""
    view = network_view(engine, "digits-1", 4)

    assert view["facts"]["made by"].startswith("uniform crossover from #2, with the trained layers")
    assert view["layers"][-1]["parameters"] > 0
    assert [one["text"][:28] for one in view["evaluations"]] == [
        "training of an equal network",
        "final training of 2 epochs i",
    ]
    assert json.loads(json.dumps(view)) == view
    with pytest.raises(NoIndividual, match="has no 17"):
        network_view(engine, "digits-1", 17)
