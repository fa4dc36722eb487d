"""Pages of candidates and outcomes: each row once, in order, from an index, on both databases."""

from __future__ import annotations

import functools
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db.connection.engine import open_engine
from db.read import searches
from db.read.keyset import Page
from db.read.outcomes import evaluations_page, failures_page, newest_failures
from db.read.overview import searches_page
from db.read.pages import CANDIDATE_ORDERS, candidates_page
from db.read.series import series
from db.store import SqlStore
from tests.support.plans import query_steps
from tests.support.records import candidate, evaluation, record
from vlga.errors import ConfigError, SearchNotFound
from vlga.ports.evaluation import FailureReason

#: What a page of candidates has beside what `top` has.
EXTRA = ("reason", "reused", "latency_seconds")


def _all(ask: Any, limit: int) -> list[dict[str, Any]]:
    """Follow a list to its end, page by page."""
    rows: list[dict[str, Any]] = []
    page: Page = ask(limit=limit)
    while page.next is not None:
        assert len(page.items) == limit
        rows += page.items
        page = ask(limit=limit, cursor=page.next)
    return rows + page.items


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_fittest_come_first_each_once(engine: Engine, limit: int):
    """By fitness, pages of any length give the rows of `top`, in its order."""
    rows = _all(lambda **to: candidates_page(engine, "digits-1", **to), limit)

    assert [row["id"] for row in rows] == [0, 1, 2, 4]
    assert [
        {key: value for key, value in row.items() if key not in EXTRA} for row in rows
    ] == searches.top(engine, "digits-1")
    assert [row["reused"] for row in rows] == [False, False, False, True]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_by_number_every_candidate_is_there(engine: Engine, limit: int):
    """Failed candidates and those without an outcome come too, upwards and downwards."""
    rows = _all(lambda **to: candidates_page(engine, "digits-1", order="id", **to), limit)

    assert [row["id"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert [row["fitness"] for row in rows] == [0.75, 0.5, 0.5, None, 0.125, None]
    assert [row["reason"] for row in rows] == [None, None, None, "out_of_memory", None, None]
    assert rows[0]["epochs"] == 3  # of its fittest training
    downwards = _all(lambda **to: candidates_page(engine, "digits-1", order="-id", **to), limit)
    assert downwards == rows[::-1]


def test_a_page_may_begin_anywhere(engine: Engine):
    """`from_id` begins at a candidate, whether it is there or not."""

    def ids(order: str, from_id: int) -> list[int]:
        page = candidates_page(engine, "digits-1", order=order, limit=2, from_id=from_id)
        return [row["id"] for row in page.items]

    assert ids("id", 3) == [3, 4]
    assert ids("-id", 3) == [3, 2]
    assert ids("id", 2**40) == []
    with pytest.raises(ConfigError, match="from_id needs an order by number"):
        ids("-fitness", 3)


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_candidates_are_filtered(engine: Engine, limit: int):
    """By place and by outcome, in every order; failed ones have no place by fitness."""

    def ids(order: str, **wanted: Any) -> list[int]:
        rows = _all(
            lambda **to: candidates_page(engine, "digits-1", order=order, **wanted, **to), limit
        )
        return [row["id"] for row in rows]

    everything = candidates_page(engine, "digits-1", order="id", limit=100).items
    for phase, generation in {(row["phase"], row["generation"]) for row in everything}:
        mine = [r["id"] for r in everything if (r["phase"], r["generation"]) == (phase, generation)]
        assert ids("id", phase=phase, generation=generation) == mine
        assert ids("-id", phase=phase, generation=generation) == mine[::-1]
    assert ids("id", phase=77) == []
    assert ids("id", outcome="failed") == ids("-id", outcome="out_of_memory") == [3]
    assert ids("id", outcome="diverged") == []
    assert ids("id", outcome="completed") == [0, 1, 2, 4]
    assert ids("-fitness", outcome="completed") == [0, 1, 2, 4]
    with pytest.raises(ConfigError, match="outcome=failed needs an order by number"):
        ids("-fitness", outcome="failed")
    with pytest.raises(ConfigError, match="outcome must be one of completed, failed, out_of"):
        ids("id", outcome="lost")


def test_a_page_of_few_matches_leads_on(large: Engine):
    """It looks at 2,000 candidates and then says from where on there are more."""
    pages = [candidates_page(large, "large", order="id", limit=50, phase=1)]
    while pages[-1].next is not None:
        after = pages[-1].next
        pages.append(candidates_page(large, "large", order="id", limit=50, phase=1, cursor=after))

    assert [len(page.items) for page in pages] == [0, 0]


def test_a_cursor_of_another_list_is_refused(engine: Engine):
    """So is text that is no cursor, numbers that no column holds, and an unknown order."""
    other = candidates_page(engine, "digits-1", order="id", limit=1).next
    assert other is not None
    huge = "WyItZml0bmVzcyIsIDEuMCwgMWUzMDBd"
    nan = "WyItZml0bmVzcyIsIE5hTiwgMV0"
    for cursor in (other, "x", "", "Ü", "bnVsbA", "W10", huge, nan, "a" * 1000):
        with pytest.raises(ConfigError, match="cursor must be"):
            candidates_page(engine, "digits-1", limit=1, cursor=cursor)
        with pytest.raises(ConfigError, match="cursor must be"):
            searches_page(engine, limit=1, cursor=cursor)
    with pytest.raises(ConfigError, match="order must be one of"):
        candidates_page(engine, "digits-1", order="fitness", limit=1)


def test_the_feed_gives_outcomes_as_they_were_recorded(engine: Engine):
    """From after an outcome on, final trainings too; the last page has no next."""
    first = evaluations_page(engine, "digits-1", limit=4)
    rest = evaluations_page(engine, "digits-1", limit=4, after=int(first.next or 0))

    rows = [*first.items, *rest.items]
    assert [row["candidate_id"] for row in rows] == [0, 2, 1, 3, 0, 4, 4]
    assert [row["is_final"] for row in rows] == [False] * 6 + [True]
    assert rest.next is None
    assert rows[3]["reason"] == "out_of_memory"
    assert (rows[0]["parameters"], rows[0]["macs"]) == (1000, 10**10)
    assert evaluations_page(engine, "digits-1", limit=4, after=2**70).items == []


def test_failures_come_by_reason_the_newest_first(url: str):
    """At most so many of each reason that there is."""
    with closing(SqlStore(url)) as store:
        store.create_search(record("one"))
        store.add_candidates("one", [candidate(number) for number in range(6)])
        reasons = [FailureReason.DIVERGED] * 5 + [FailureReason.ERROR]
        outcomes = [evaluation(number, reason=reason) for number, reason in enumerate(reasons)]
        store.add_evaluations("one", outcomes)
        found = newest_failures(store.engine, "one", limit_each=2)
        ask = functools.partial(failures_page, store.engine, "one", FailureReason.DIVERGED)
        diverged = _all(ask, 2)
        other = ask(limit=2).next
        with pytest.raises(ConfigError, match="cursor must be"):
            failures_page(store.engine, "one", FailureReason.ERROR, limit=2, cursor=other)

    numbers = {reason: [row["candidate_id"] for row in rows] for reason, rows in found.items()}
    assert numbers == {"diverged": [4, 3], "error": [5]}
    assert found["error"][0]["message"] == "it did not fit"
    assert [row["candidate_id"] for row in diverged] == [4, 3, 2, 1, 0]


def test_an_unknown_search_has_no_page(engine: Engine):
    """Each page of a search that there is not names the nearest."""
    for ask in (candidates_page, evaluations_page):
        with pytest.raises(SearchNotFound, match="did you mean 'digits-1'"):
            ask(engine, "digit-1", limit=1)
    for ask_all in (newest_failures, series):
        with pytest.raises(SearchNotFound, match="did you mean 'digits-1'"):
            ask_all(engine, "digit-1")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A search of 2,500 outcomes, a tenth of them failed."""
    folder: Path = tmp_path_factory.mktemp("large")
    with closing(SqlStore(f"sqlite:///{folder}/vlga.db")) as store:
        store.create_search(record("large"))
        numbers = range(2500)
        store.add_candidates("large", [candidate(number) for number in numbers])
        outcomes = [
            evaluation(
                number,
                fitness=(number * 7919 % 2500) / 2500,
                reason=FailureReason.DIVERGED if number % 10 == 0 else None,
                epochs=0,
            )
            for number in numbers
        ]
        store.add_evaluations("large", outcomes)
    return open_engine(f"sqlite:///{folder}/vlga.db")


def test_a_series_of_any_length_tells_the_same(large: Engine):
    """From single outcomes and from the rollup: the same ends, bests, means and failures."""
    single = series(large, "large", points=2500)
    rolled = series(large, "large", points=10)

    assert [len(column) for column in single.values()] == [2500] * 6
    assert single["x"] == list(range(1, 2501))
    assert len(rolled["x"]) == 9  # of 25 strides, three at a time
    assert rolled["x"] == [300, 600, 900, 1200, 1500, 1800, 2100, 2400, 2500]
    start = 0
    for point, end in enumerate(rolled["x"]):
        fitnesses = [one for one in single["mean"][start:end] if one is not None]
        assert rolled["lowest"][point] == min(fitnesses)
        assert rolled["highest"][point] == max(fitnesses)
        assert rolled["mean"][point] == pytest.approx(sum(fitnesses) / len(fitnesses))
        assert rolled["best"][point] == single["best"][end - 1]
        assert rolled["n_failed"][point] == sum(single["n_failed"][start:end])
        start = end


def test_a_series_of_nothing_is_empty(engine: Engine):
    """A search without an outcome has columns without values."""
    assert set(map(len, series(engine, "empty").values())) == {0}


def test_no_page_scans_or_sorts_a_table(large: Engine):
    """Each page, anywhere, is read from an index that gives its order; a few searches may scan."""
    name = "large"
    middle = {
        order: candidates_page(large, name, order=order, limit=1000).next
        for order in CANDIDATE_ORDERS
    }
    pages = {
        **{
            f"candidates by {order}": (
                lambda order=order: candidates_page(
                    large, name, order=order, limit=50, cursor=middle[order]
                )
            )
            for order in CANDIDATE_ORDERS
        },
        "from": lambda: candidates_page(large, name, order="id", limit=50, from_id=1000),
        "feed": lambda: evaluations_page(large, name, after=1000, limit=50),
        "failures": lambda: newest_failures(large, name),
        "failures of a reason": lambda: failures_page(
            large, name, FailureReason.DIVERGED, limit=50
        ),
        "filtered": lambda: candidates_page(large, name, order="id", limit=50, outcome="diverged"),
        "series": lambda: series(large, name),
        "searches": lambda: searches_page(large, limit=50),
    }
    # A subquery is a page long; of searches and submissions there are thousands, not millions.
    short = {"best", "some", "searches", "submissions"}
    for what, ask in pages.items():
        steps = query_steps(large, ask)
        scanned = {step.split()[1] for step in steps if step.startswith("SCAN")}
        assert steps, what
        assert scanned <= short, (what, steps)
        if not scanned & {"best", "some"}:
            assert not any("TEMP B-TREE" in step for step in steps), (what, steps)
