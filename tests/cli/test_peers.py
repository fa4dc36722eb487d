"""Peers of this field beside our own strategies, with real trainings."""

import sys
from pathlib import Path

import pytest

from tests.support.command import COMPARED, vlga

PEERS = ("optuna_tpe_asha", "one_epoch_then_best")


def test_are_compared_as_our_own_strategies_are():
    """The same budget of epochs, the short trainings of rungs counted as what they are."""
    told = vlga(
        "compare", *COMPARED, "--set", "training.epochs=3", "--set", "population.max_blocks=1",
        "--strategies", ",".join(PEERS), "--seeds", "1", "--budget", "epochs=8",
        "--name", "mine", "--format", "json",
    )  # fmt: skip
    rows = {row["strategy"]: row for row in told.json["strategies"]}

    assert told.code == 0, told.err
    assert rows.keys() == set(PEERS)
    assert all(row["tested"] == 1 and row["epochs"] <= 8 for row in rows.values())
    for name in PEERS:
        rungs = {one["rung"] for one in vlga("top", f"mine-{name}-0", "--format", "json").json}
        assert rungs == {0, 1}


@pytest.mark.parametrize(
    "command",
    [
        ("search", "--set", "strategy=optuna_tpe"),
        ("compare", "--strategies", "ladder,optuna_tpe_asha"),
    ],
    ids=lambda words: words[0],
)
def test_without_optuna_are_refused_before_anything_begins(monkeypatch, command):
    """In one line, with what to install; no file is made."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    told = vlga(*command, *COMPARED)

    assert told.code == 2
    assert told.err.count("\n") == 1
    assert "pip install 'vlga[bench]'" in told.err
    assert not [*Path().iterdir()]
