import csv
import io
from dataclasses import replace

import pytest

from db.store import SqlStore
from tests.support.command import vlga
from tests.support.records import candidate, evaluation, genome, record
from vlga.ports.evaluation import FailureReason


@pytest.fixture(autouse=True)
def family():
    """Six individuals: 4 comes from 3 and 0, 3 from 2 and 1, 2 from 0; 5 has failed."""
    grown = replace(candidate(2, parents=(0,), n_blocks=2), operator="grow", weights_from=0)
    crossed = replace(
        candidate(3, parents=(2, 1), n_blocks=2),
        genome=genome(2, learning_rate=0.05),
        operator="grow+mutate_one_gene",
    )
    last = replace(candidate(4, parents=(3, 0), n_blocks=2), genome=genome(2, learning_rate=0.05))
    store = SqlStore("sqlite:///vlga.db")
    store.create_search(record("first"))
    store.add_candidates(
        "first", [candidate(0), candidate(1), grown, crossed, last, candidate(5, parents=(4,))]
    )
    store.add_evaluations("first", [evaluation(number, number / 8) for number in range(5)])
    store.add_evaluations("first", [evaluation(5, reason=FailureReason.DIVERGED)])
    store.close()


def test_is_a_tree_of_who_comes_from_whom():
    """An ancestor in several branches is shown in full once, and named in the others."""
    shown = vlga("lineage", "first", "4")

    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines() == [
        "individual   fitness  made  by                      changes",
        "───────────  ───────  ────  ──────────────────────  ────────────────────────",
        "#4           0.5000   1.1   uniform crossover",
        "├─ #3        0.3750   1.1   grow + mutate one gene  learning_rate 0.1 → 0.05",
        "│  ├─ #2     0.2500   1.1   grow                    block 1 added",
        "│  │  └─ #0  0.0000   0.0   sample",
        "│  └─ #1     0.1250   0.0   sample",
        "└─ #0                       shown above",
    ]


def test_a_depth_ends_it_and_names_whom_it_leaves_out():
    """To look on from there."""
    lines = vlga("lineage", "first", "4", "--depth", "1").out.splitlines()

    assert [line.split("  ")[0] for line in lines[2:]] == ["#4", "├─ #3", "└─ #0"]
    assert lines[3].endswith("grow + mutate one gene of #2 and #1")


def test_a_failure_says_why():
    """In the place of its fitness."""
    assert vlga("lineage", "first", "5").out.splitlines()[2].split()[:2] == ["#5", "diverged"]


def test_json_has_what_scripts_rely_on():
    """A flat list, the nearest first; `changes` by the gene's address, from what to what."""
    rows = vlga("lineage", "first", "3", "--format", "json").json

    assert [(row["id"], row["distance"], row["parents"]) for row in rows] == [
        (3, 0, [2, 1]),
        (1, 1, []),
        (2, 1, [0]),
        (0, 2, []),
    ]
    assert list(rows[0]) == [
        "id", "parents", "phase", "generation", "rung", "operator", "weights_from", "fingerprint",
        "depth", "fitness", "reason", "distance", "changes",
    ]  # fmt: skip
    assert rows[0]["changes"] == {"learning_rate": [0.1, 0.05]}
    assert rows[2]["changes"]["blocks.1.kernel_a"] == [None, 3]
    assert rows[1]["changes"] is None


def test_csv_has_a_row_each():
    """Parents apart by blanks, changes in words."""
    text = vlga("lineage", "first", "3", "--format", "csv").out
    rows = [*csv.DictReader(io.StringIO(text))]

    assert [(row["id"], row["parents"]) for row in rows] == [
        ("3", "2 1"),
        ("1", ""),
        ("2", "0"),
        ("0", ""),
    ]
    assert rows[0]["changes"] == "learning_rate 0.1 → 0.05"


def test_a_long_line_of_ancestors_is_shown_whole():
    """Thousands of generations are no deeper than a stack."""
    store = SqlStore("sqlite:///vlga.db")
    store.create_search(record("long"))
    store.add_candidates(
        "long", [candidate(0), *(candidate(i, parents=(i - 1,)) for i in range(1, 1500))]
    )
    store.close()

    assert len(vlga("lineage", "long", "1499").out.splitlines()) == 1502


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("first", "17"), "an individual must be in its search, but 'first' has no 17; its ids go"),
        (("frist", "1"), "a search must be in the database, but 'frist' is not; did you mean"),
        (("first", "x"), "Invalid value for 'ID': 'x' is not a valid integer"),
    ],
)
def test_a_mistake_is_one_line(arguments, message):
    """With exit code 2."""
    told = vlga("lineage", *arguments)

    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"vlga: {message}")
    assert told.err.count("\n") == 1
