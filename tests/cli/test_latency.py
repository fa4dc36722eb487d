"""A search that looks at how long networks take: a real one, on digits."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import SMALL, vlga

STEADY = (*SMALL, "--set", "strategy=steady_state", "--set", "budget.phases=none", "--set")


def test_latency_is_weighed_and_shown():
    """Each network has one; the front is that of fitness and latency, in all that shows it."""
    settings = ("budget.evaluations=4", "--set", "objectives=[fitness,latency]")
    told = vlga("search", *STEADY, *settings, "--name", "quick")
    assert told.code == 0, told.err
    front = vlga("top", "quick", "--front", "--format", "json").json
    report = vlga("report", "quick", "--format", "json").json

    assert front
    assert all(0 < row["latency_ms"] < 1000 for row in front)
    by_fitness = [(-row["fitness"], row["latency_ms"]) for row in front]
    assert by_fitness == sorted(by_fitness)
    assert [latency for _, latency in by_fitness] == sorted(
        (latency for _, latency in by_fitness), reverse=True
    )
    assert [row["id"] for row in report["pareto"]] == [row["id"] for row in front][::-1]
    assert "latency ms" in vlga("report", "quick").out
    assert vlga("report", "quick", "--html", "quick.html").code == 0
    assert "milliseconds an image" in Path("quick.html").read_text()


def test_a_limit_that_no_network_meets_ends_the_search_in_one_line():
    """Nothing is trained, and the line says by how much the last ones were too slow."""
    settings = ("budget.evaluations=9", "--set", "limits.latency_ms=0.0001")
    failing = ("--set", "limits.max_failures_in_a_row=2", "--name", "slow")
    told = vlga("search", *STEADY, *settings, *failing)
    last = told.err.splitlines()[-1]

    assert told.code == 1
    assert "at most 0.0001 ms an image" in told.out + told.err
    assert last.startswith("vlga: 2 trainings failed in a row; the last: too_slow: takes ")
    assert "more than limits.latency_ms=0.0001" in last
    shown = vlga("show", "slow", "--format", "json").json
    assert shown["failures"] == {"too_slow": 2}
