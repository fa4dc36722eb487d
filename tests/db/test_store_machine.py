"""Random operations on `SqlStore` and `MemoryStore` side by side: they never disagree."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from db.connection.engine import reading
from db.read import searches
from db.store import SqlStore
from db.upkeep.check import check_connection
from tests.support import generators
from tests.support.fakes import MemoryStore
from tests.support.records import candidate, evaluation, record
from vlga.errors import StoreError

NAMES = st.sampled_from(["first", "second"])
IDS = st.integers(0, 3)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["running", "completed", "interrupted", "failed"]),
    "message": st.sampled_from(["", "the disk is full", "Überlauf \U0001f642 二"]),
    "best_candidate_id": st.none() | IDS,
    "test_accuracy": st.none() | generators.fitnesses(),
    "seconds": st.floats(0, 1e9),
}


class Stores(RuleBasedStateMachine):
    """Does everything twice and compares what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sql = SqlStore("sqlite://")
        self.memory = MemoryStore()

    def both(self, method: str, *arguments: Any, **options: Any) -> None:
        """Call a method of both; they give the same, or refuse with the same type of error."""
        results = []
        for store in (self.sql, self.memory):
            try:
                results.append(getattr(store, method)(*arguments, **options))
            except StoreError as error:
                results.append(type(error))
        assert results[0] == results[1]

    def do(self, method: str, name: str, *arguments: Any, **options: Any) -> None:
        """Write to both, then compare all that they say of the search."""
        self.both(method, name, *arguments, **options)
        for reading_method in ("find_search", "evaluations", "artifacts"):
            self.both(reading_method, name)

    @rule(name=NAMES, seed=st.integers(0, 9))
    def create_search(self, name: str, seed: int) -> None:
        """Enter a search, perhaps of a name that is taken."""
        entered = record(name, seed)
        self.both("create_search", entered)
        self.both("find_search", name)

    @rule(name=NAMES, changes=st.fixed_dictionaries({}, optional=CHANGES))
    def update_search(self, name: str, changes: dict[str, Any]) -> None:
        """Change any fields of a search, perhaps of none that exists."""
        self.do("update_search", name, **changes)

    @rule(name=NAMES, ids=st.lists(IDS, max_size=3))
    def add_candidates(self, name: str, ids: list[int]) -> None:
        """Enter candidates, perhaps again."""
        self.do("add_candidates", name, [candidate(one) for one in ids])

    @rule(
        name=NAMES,
        outcomes=st.lists(IDS.flatmap(generators.evaluations), max_size=3),
        files=st.lists(IDS.flatmap(generators.artifacts), max_size=2),
        is_final=st.booleans(),
    )
    def add_evaluations(self, name: str, outcomes, files, is_final: bool) -> None:
        """Record outcomes and files, perhaps of candidates that were not entered."""
        self.do("add_evaluations", name, outcomes, files, is_final=is_final)

    @rule(name=NAMES, number=IDS, fitness=generators.fitnesses())
    def evaluate(self, name: str, number: int, fitness: float) -> None:
        """Enter a candidate and its outcome."""
        self.do("add_candidates", name, [candidate(number)])
        self.do("add_evaluations", name, [evaluation(number, fitness)])

    @invariant()
    def the_queries_agree(self) -> None:
        """`list_searches` and `top` say what the dictionaries hold."""
        expected = []
        for name, search in reversed(self.memory.searches.items()):
            scored = [one for one, is_final in search.outcomes if not is_final]
            fitness: dict[int, float] = {}
            for one in scored:
                if one.fitness is not None:
                    known = fitness.get(one.candidate_id, -1.0)
                    fitness[one.candidate_id] = max(known, one.fitness)
            top = sorted(fitness.items(), key=lambda pair: (-pair[1], pair[0]))
            rows = searches.top(self.sql._engine, name)
            assert [(row["id"], row["fitness"]) for row in rows] == top
            expected.append((name, len(scored), top[0][1] if top else None))
        rows = searches.list_searches(self.sql._engine)
        found = [(row["name"], row["evaluations"], row["best_fitness"]) for row in rows]
        assert found == expected

    def teardown(self) -> None:
        """At the end counts and foreign keys hold."""
        with reading(self.sql._engine) as connection:
            assert check_connection(connection) == ()
        self.sql.close()


TestStores = Stores.TestCase
TestStores.settings = settings(max_examples=15, stateful_step_count=12)
