"""The comparison that tests look at: its command, and what it leaves in the ledger."""

import sqlite3
from contextlib import closing

from tests.support.command import COMPARED

STRATEGIES = ("random_search", "variable_length")
#: The variable-length search ends after its only phase of two networks, the other after three.
COMPARE = (
    "compare", "--strategies", ",".join(STRATEGIES), "--seeds", "2", "--budget", "epochs=3",
    *COMPARED, "--set", "data.train_limit=100",
)  # fmt: skip
NAMES = [f"mine-{strategy}-{seed}" for seed in (0, 1) for strategy in STRATEGIES]
JSON = ("--name", "mine", "--format", "json")


def ledger():
    """Give every row of `evaluations` with its search's name, in the order of recording."""
    return _evaluations("s.name, e.*")


def trainings():
    """Give search, candidate and whether it was the final one, of every training done."""
    return _evaluations("s.name, e.candidate_id, e.is_final", "WHERE NOT e.reused")


def _evaluations(columns, condition=""):
    join = "evaluations e JOIN searches s ON s.id = e.search_id"
    with closing(sqlite3.connect("vlga.db")) as connection:
        return connection.execute(
            f"SELECT {columns} FROM {join} {condition} ORDER BY e.id"
        ).fetchall()


def figures(comparison):
    """Give a comparison's JSON but for the times, which no two runs share."""
    for row in (*comparison["strategies"], *comparison["searches"]):
        del row["seconds"]
    return comparison
