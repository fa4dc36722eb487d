"""The contract of the port `Ledger`: every implementation runs every test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.store import SqlStore
from tests.support import generators
from tests.support.fakes import MemoryStore
from tests.support.records import DATA, MISTAKES, RIVALS, candidate, evaluation, record
from vlga.errors import SearchExists, SearchNotFound, StoreError
from vlga.ports.evaluation import EpochRecord, FailureReason, Source
from vlga.ports.ledger import Artifact, KnownOutcome, Ledger, SearchChanges, SearchRecord

WEIGHTS = Artifact(0, "weights", "weights/0.pt", "ab" * 32, 10)


def test_what_may_change_is_a_field_of_the_record():
    """Of the same type, so that mypy sees a mistake wherever something is changed."""
    fields = get_type_hints(SearchRecord)

    assert get_type_hints(SearchChanges).items() <= fields.items()
    assert fields.keys() - get_type_hints(SearchChanges).keys() == {"name", "data", "versions"}


class LedgerContract:
    """What every ledger does; a subclass gives it as the fixture `store`, empty."""

    def test_a_search_comes_back_as_it_went_in(self, store: Ledger):
        """`find_search` gives the record that `create_search` was given."""
        for entered in (
            record("first", seed=2**62),
            replace(record("second"), data=replace(DATA, fitness_on="test")),
        ):
            store.create_search(entered)

            assert store.find_search(entered.name) == entered

    def test_a_name_is_taken_once(self, store: Ledger):
        """A second search of the same name is refused and changes nothing."""
        store.create_search(record("first", seed=1))

        with pytest.raises(SearchExists, match="name must be new, but 'first' is taken"):
            store.create_search(record("first", seed=2))
        assert store.find_search("first").config.seed == 1

    def test_a_mistyped_name_gets_a_hint(self, store: Ledger):
        """An unknown search is refused with the nearest known name, by every method."""
        store.create_search(record("digits-1"))

        for call in (
            lambda: store.find_search("digit-1"),
            lambda: store.update_search("digit-1", seconds=1.0),
            lambda: store.add_candidates("digit-1", [candidate(0)]),
            lambda: store.add_evaluations("digit-1", [evaluation(0)]),
            lambda: store.candidates("digit-1"),
            lambda: store.evaluations("digit-1"),
            lambda: store.artifacts("digit-1"),
        ):
            with pytest.raises(SearchNotFound, match="did you mean 'digits-1'"):
                call()

    def test_an_update_changes_what_it_names(self, store: Ledger):
        """`update_search` changes the fields given and no other; None is a value."""
        store.create_search(record("first"))
        store.create_search(record("second"))

        store.update_search(
            "first",
            status="failed",
            message="the disk is full",
            best_candidate_id=7,
            test_accuracy=0.1 + 0.2,
            seconds=1e-300,
            rivals=RIVALS,
        )
        store.update_search("first", best_candidate_id=None)

        assert store.find_search("first") == replace(
            record("first"),
            status="failed",
            message="the disk is full",
            test_accuracy=0.1 + 0.2,
            seconds=1e-300,
            rivals=RIVALS,
        )
        assert store.find_search("second") == record("second")

    def test_outcomes_come_back_exactly(self, store: Ledger):
        """Evaluations and artifacts come back to the last bit, oldest first, without curves."""
        numbers = itertools.count()

        @given(st.data())
        @settings(max_examples=15)
        def check(data: st.DataObject) -> None:
            outcomes = data.draw(st.lists(generators.evaluations(), min_size=1, max_size=4))
            ids = {one.candidate_id for one in outcomes}
            files = [data.draw(generators.artifacts(one)) for one in sorted(ids)]
            name = f"search-{next(numbers)}"
            store.create_search(record(name))
            store.add_candidates(name, [candidate(one) for one in ids])

            store.add_evaluations(name, outcomes, files)

            assert store.evaluations(name) == [replace(one, curve=()) for one in outcomes]
            assert store.artifacts(name) == files

        check()

    def test_candidates_come_back_exactly(self, store: Ledger):
        """By id, in whatever order they were entered; of the search asked for only."""
        numbers = itertools.count()

        @given(st.data(), st.permutations(range(4)))
        @settings(max_examples=15)
        def check(data: st.DataObject, order: list[int]) -> None:
            entered = [data.draw(generators.candidates(candidate_id=number)) for number in order]
            name = f"search-{next(numbers)}"
            store.create_search(record(name))
            assert store.candidates(name) == []

            store.add_candidates(name, entered)

            assert store.candidates(name) == sorted(entered, key=lambda one: one.id)

        check()

    def test_outcomes_keep_their_order(self, store: Ledger):
        """Outcomes come back in the order recorded, within a call and across calls."""
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(number) for number in range(30)])
        order = [7, 3, 29, 0, *range(10, 29)]

        store.add_evaluations("first", [evaluation(number) for number in order[:20]])
        for number in order[20:]:
            store.add_evaluations("first", [evaluation(number)])

        assert [one.candidate_id for one in store.evaluations("first")] == order

    def test_a_candidate_may_be_evaluated_again(self, store: Ledger):
        """A second evaluation of a candidate stands beside the first."""
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])

        store.add_evaluations("first", [evaluation(0, fitness=0.5)])
        store.add_evaluations("first", [evaluation(0, fitness=0.25)])

        assert [one.fitness for one in store.evaluations("first")] == [0.5, 0.25]

    def test_final_trainings_are_kept_apart(self, store: Ledger):
        """A final training is recorded but not among the evaluations; its files are."""
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        final_weights = replace(WEIGHTS, kind="final_weights")

        tested = replace(evaluation(0), mistakes=MISTAKES)
        store.add_evaluations("first", [tested], [final_weights], is_final=True)

        assert store.evaluations("first") == []
        assert store.final_trainings("first") == [replace(evaluation(0), curve=())]
        assert store.artifacts("first") == [final_weights]

    def test_what_is_known_of_a_training_is_found_by_its_key(self, store: Ledger):
        """Whichever search recorded it: the first outcome that was trained, curve and weights."""
        outcome = replace(evaluation(0), training_key="ab")
        for name in ("first", "second"):
            store.create_search(record(name))
            store.add_candidates(name, [candidate(0), candidate(1)])
        store.add_evaluations("first", [replace(outcome, source=Source.OTHER_SEARCH)])
        store.add_evaluations("first", [replace(outcome, fitness=0.25)], is_final=True)
        store.add_evaluations(
            "second", [replace(outcome, candidate_id=1)], [replace(WEIGHTS, candidate_id=1)]
        )
        store.add_evaluations("second", [replace(outcome, fitness=0.75)])

        known = store.known_outcomes(["ab", "cd"])

        weights = replace(WEIGHTS, candidate_id=1)
        assert known == {"ab": KnownOutcome(replace(outcome, candidate_id=1), weights)}
        assert store.known_outcomes([]) == {}

    def test_a_failure_is_known_if_any_machine_would_see_it(self, store: Ledger):
        """A diverged training is known; one that found no memory is not, a later one may be."""
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0), candidate(1)])
        failures = [
            replace(evaluation(0, reason=reason), training_key=str(reason))
            for reason in FailureReason
        ]

        store.add_evaluations("first", failures)
        store.add_evaluations("first", [replace(evaluation(1), training_key="out_of_memory")])

        known = store.known_outcomes([str(reason) for reason in FailureReason])
        assert known["out_of_memory"] == KnownOutcome(
            replace(evaluation(1), training_key="out_of_memory"), None
        )
        assert known.keys() == {"diverged", "build", "out_of_memory"}

    def test_an_artifact_replaces_its_predecessor(self, store: Ledger):
        """Of one candidate and kind the last artifact counts, also within one call."""
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0), candidate(1)])
        other = replace(WEIGHTS, candidate_id=1)
        store.add_evaluations("first", [], [WEIGHTS, other])

        later = [replace(WEIGHTS, path="new.pt"), replace(WEIGHTS, path="newest.pt", n_bytes=2**40)]
        store.add_evaluations("first", [], later)

        assert store.artifacts("first") == [later[1], other]

    def test_candidates_may_be_entered_again(self, store: Ledger):
        """Entering a candidate twice, also within one call, is no error."""
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0), candidate(0)])
        store.add_candidates("first", [candidate(0), candidate(1)])
        store.add_candidates("first", [])

        store.add_evaluations("first", [evaluation(0), evaluation(1)])

        assert len(store.evaluations("first")) == 2

    def test_a_refused_batch_leaves_nothing(self, store: Ledger):
        """An outcome of an unknown candidate is refused with all that came along."""
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])

        with pytest.raises(StoreError):
            store.add_evaluations("first", [evaluation(0), evaluation(1)], [WEIGHTS])
        with pytest.raises(StoreError):
            store.add_evaluations("first", [evaluation(0)], [replace(WEIGHTS, candidate_id=1)])

        assert store.evaluations("first") == []
        assert store.artifacts("first") == []

    def test_searches_do_not_mix(self, store: Ledger):
        """Two searches have candidates of the same ids and know nothing of each other."""
        for name, fitness in (("first", 0.25), ("second", 0.75)):
            store.create_search(record(name))
            store.add_candidates(name, [candidate(0)])
            store.add_evaluations(name, [evaluation(0, fitness=fitness)], [WEIGHTS])

        assert [one.fitness for one in store.evaluations("first")] == [0.25]
        assert [one.fitness for one in store.evaluations("second")] == [0.75]
        assert store.artifacts("first") == store.artifacts("second") == [WEIGHTS]

    def test_a_diverged_training_is_recorded(self, store: Ledger):
        """A curve that ends in NaN and infinity does not cost the evaluation."""
        nan, infinity = float("nan"), float("inf")
        curve = (EpochRecord(0, nan, 0.1, infinity, None, 0.1, 1.0),)
        failed = replace(
            evaluation(0), fitness=None, reason=FailureReason.DIVERGED, message="nan", curve=curve
        )
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])

        store.add_evaluations("first", [failed])

        assert store.evaluations("first") == [replace(failed, curve=())]

    def test_closing_twice_is_closing_once(self, store: Ledger):
        """`close` may be called again."""
        store.close()
        store.close()


class TestMemoryStore(LedgerContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        """The fake of the search's tests."""
        return MemoryStore()


class TestSqliteInMemory(LedgerContract):
    @pytest.fixture
    def store(self) -> Iterator[SqlStore]:
        """One connection, gone with the process."""
        opened = SqlStore("sqlite://")
        yield opened
        opened.close()


class TestSqliteFile(LedgerContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqlStore]:
        """What a person gets who asks for nothing."""
        opened = SqlStore(f"sqlite:///{tmp_path}/vlga.db")
        yield opened
        opened.close()


class TestPostgres(LedgerContract):
    @pytest.fixture
    def store(self, empty_postgres: str) -> Iterator[SqlStore]:
        """A real server."""
        opened = SqlStore(empty_postgres)
        yield opened
        opened.close()
