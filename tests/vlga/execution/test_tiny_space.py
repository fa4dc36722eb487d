"""Searches that meet every network many times over, recorded by the real store."""

from collections.abc import Sequence

import pytest

from db.read.searches import show_search
from db.store import SqlStore
from tests.support.searching import TINY, ScriptedEvaluator, run_in, small_config, with_curve
from tests.support.thorough import LONG
from vlga.execution.driver import Search
from vlga.ports.evaluation import EpochRecord
from vlga.ports.evaluator import Trained

#: Five widths, five learning rates, two activations: fifty networks, and 200 candidates or more.
FIFTY = (
    *TINY,
    "space.block.channels_a=[8, 16, 32, 64, 128]",
    "space.network.learning_rate=[0.02, 0.05, 0.1, 0.2, 0.4]",
    "space.network.head_pool=max",
    "budget.phases=1",
    "population.max_blocks=1",
    "population.size=25",
    "population.generations=24",
    "training.inherit_weights=false",
)


class CurvedEvaluator(ScriptedEvaluator):
    """Gives each outcome a learning curve."""

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        point = EpochRecord(0, 1.0, 0.5, 1.0, 0.5, 0.1, 1.0, ("blocks.0.a",))
        return [with_curve(one, point) for one in super().wait(timeout_seconds)]


def searched(tmp_path, *settings: str) -> tuple[Search, SqlStore, ScriptedEvaluator]:
    """Run a search to its end, four networks at a time."""
    config = small_config(*FIFTY, *settings)
    store, evaluator = SqlStore("sqlite://"), CurvedEvaluator(4)
    search = Search(run_in(store, config, evaluator, tmp_path, clock=evaluator.clock))
    search.run()
    return search, store, evaluator


#: One with generations and one without: what is proved is the driver's.
TWO = ["variable_length", "regularized_evolution"]
MORE = ["random_search", "large_scale_evolution", "steady_state", "ladder"]


@pytest.mark.parametrize("strategy", [*TWO, *(MORE if LONG else ())])
def test_of_fifty_networks_each_is_trained_once(tmp_path, strategy):
    """Whichever the strategy; every other candidate has the outcome of its equal.

    By two strategies; by five under HYPOTHESIS_PROFILE=long.
    """
    _, store, evaluator = searched(tmp_path, f"strategy={strategy}")
    candidates = store.candidates("first")
    networks = {one.fingerprint for one in candidates}
    counts = show_search(store.engine, "first")["evaluations"]
    outcomes = store.evaluations("first")

    assert len(candidates) >= 200
    assert len(networks) <= 50
    assert len(evaluator.submitted) == counts["completed"] == len(networks)
    assert counts["reused"] == len(candidates) - len(networks)
    assert sorted(one.candidate_id for one in outcomes) == [one.id for one in candidates]
    fingerprints = {one.id: one.fingerprint for one in candidates}
    assert len({(fingerprints[one.candidate_id], one.fitness) for one in outcomes}) == len(networks)
    store.close()


def test_what_is_known_of_a_network_has_no_curve(tmp_path):
    """It would be most of what a long search holds in memory; the ledger alone has it."""
    search, store, _ = searched(tmp_path, "strategy=random_search")

    assert len(search._memo._own) > 40
    assert all(one.curve == () for one in search._memo._own.values())
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM epochs").scalar() > 40
    store.close()
