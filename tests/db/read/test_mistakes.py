"""What a search's answer gets wrong, as the ledger keeps it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from db.read.mistakes import has_mistakes, read_mistakes, winner_mistakes
from db.store import SqlStore
from tests.support.records import MISTAKES, evaluation
from vlga.errors import NoIndividual, SearchNotFound
from vlga.ports.ledger import Artifact


def test_those_of_the_winner_are_given(engine: Engine, url: str):
    """All of it as it was, pictures too: of the candidate that the search names as its winner."""
    assert not has_mistakes(engine, "digits-1")
    assert read_mistakes(engine, "digits-1") is None
    with pytest.raises(NoIndividual, match=r"which none of 'digits-1' .*: vlga show digits-1"):
        winner_mistakes(engine, "digits-1")

    with closing(SqlStore(url)) as store:
        store.update_search("digits-1", best_candidate_id=4)

    assert has_mistakes(engine, "digits-1")
    assert winner_mistakes(engine, "digits-1") == MISTAKES


def test_a_later_training_counts(engine: Engine, url: str):
    """A search that was given more time has trained its winner again."""
    later = replace(MISTAKES, confusion=((1, 0, 0), (0, 1, 0), (0, 0, 1)), worst=())
    with closing(SqlStore(url)) as store:
        store.update_search("digits-1", best_candidate_id=4)
        again = replace(evaluation(4, fitness=1.0), mistakes=later)
        store.add_evaluations("digits-1", [again], is_final=True)

    assert read_mistakes(engine, "digits-1") == later


def test_those_of_a_committee_are_the_search_s(engine: Engine, url: str):
    """As long as it has one; one of an earlier version has none, and then the winner's are told."""
    together = replace(MISTAKES, confusion=((1, 0, 0), (0, 1, 0), (0, 0, 1)), worst=())
    files = [Artifact(number, "committee_weights", "4.pt", "ab" * 32, 7) for number in (4, 0)]
    score = replace(evaluation(4, fitness=1.0), epochs=0)
    with closing(SqlStore(url)) as store:
        store.update_search("digits-1", best_candidate_id=4)
        store.add_evaluations("digits-1", [score], files, is_final=True)
        assert read_mistakes(engine, "digits-1") == MISTAKES

        store.add_evaluations("digits-1", [replace(score, mistakes=together)], is_final=True)
        assert read_mistakes(engine, "digits-1") == together

        store.remove_artifacts("digits-1", [4, 0], "committee_weights")
        assert read_mistakes(engine, "digits-1") == MISTAKES


def test_a_search_must_be_there(engine: Engine):
    with pytest.raises(SearchNotFound):
        has_mistakes(engine, "digits-2")
