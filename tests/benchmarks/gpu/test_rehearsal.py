"""All of the scripts for a GPU, at a small size: a card's minutes are not for typing errors."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from db import frames
from tests.benchmarks.gpu import (
    amplification,
    cifar10_search,
    contexts,
    packing,
    presets,
    throughput,
)
from tests.benchmarks.gpu.occasion import Occasion


def small(folder: Path, *words: str) -> list[str]:
    return ["--small", "--out", str(folder), *words]


def text(folder: Path, name: str) -> str:
    return (folder / f"{name}.txt").read_text(encoding="utf-8")


def table(folder: Path, name: str, first: str) -> dict[str, list[str]]:
    """Give the last table that begins with this column: its rows' words by the first of them."""
    lines = text(folder, name).splitlines()
    head = max(number for number, line in enumerate(lines) if line.startswith(first))
    rows = [line.split() for line in lines[head + 2 :]]
    end = rows.index([]) if [] in rows else len(rows)
    return {row[0]: row[1:] for row in rows[:end]}


def evaluations(folder: Path, study: str) -> pd.DataFrame:
    return frames.evaluations(f"sqlite:///{folder}/amplification.db", study)


def test_a_search_s_time_is_told_by_its_parts(tmp_path):
    """They add up to the whole; the ledger's rows are kept; the next occasion has a new seed."""
    cifar10_search.main(small(tmp_path))
    parts = table(tmp_path, "cifar10_search", "part")
    seconds = {part: float(row[0]) for part, row in parts.items()}
    shares = {part: float(row[1]) for part, row in parts.items()}

    assert f"torch={torch.__version__.partition('+')[0]}" in text(tmp_path, "cifar10_search")
    assert [*seconds] == ["start", "search", "final", "end", "all"]
    assert sum(seconds.values()) - seconds["all"] == pytest.approx(seconds["all"], abs=0.3)
    # Not the seconds: a fast machine's round to 0.0.
    assert shares["search"] > 0
    assert shares["final"] > 0
    assert len(pd.read_csv(tmp_path / "cifar10_search.csv")) == 3

    cifar10_search.main(small(tmp_path, "--by-hand"))

    assert "seeds     1\n" in text(tmp_path, "cifar10_search")
    assert [*table(tmp_path, "cifar10_search", "by hand")] == ["small_resnet_16"]


def test_presets_have_equal_time(tmp_path):
    """Both are searched with one budget of seconds, and stand in one table."""
    presets.main(small(tmp_path))
    found = Occasion("presets", tmp_path, 0.0, is_small=True, data_dir=None).searches()
    budgets = {shown["config"]["budget"]["seconds"] for shown in found.values()}

    assert len(budgets) == 1
    assert [*table(tmp_path, "presets", "search")] == ["xiao2020-0", "default-0"]
    assert [*table(tmp_path, "presets", "test %")] == ["xiao2020", "default", "difference"]


def test_a_study_goes_on_from_a_ledger_that_was_brought_along(tmp_path):
    """What one occasion trained is not trained again on another machine: all make one table."""
    first, second = tmp_path / "first", tmp_path / "second"
    amplification.main(small(first, "--trainings", "5"))
    before = evaluations(first, "amplification-cifar10")
    shutil.copytree(first, second)
    shutil.rmtree(first)
    amplification.main(small(second, "--trainings", "8"))
    amplification.main(small(second))
    after = evaluations(second, "amplification-cifar10")
    rows = pd.read_csv(second / "amplification.csv")

    assert len(before) == 5
    pd.testing.assert_frame_equal(after[:5], before)
    assert sorted(after["candidate_id"]) == [*range(12)]
    assert len(evaluations(second, "amplification-cifar100")) == 12
    assert rows.groupby(["search", "network", "arm"]).size().tolist() == [1] * 24
    assert text(second, "amplification").count("command ") == 3


@pytest.mark.usefixtures("cluster")
class TestOnRay:
    def test_throughput(self, tmp_path):
        """Ours stands beside the bare loop for each network, then trainings packed."""
        throughput.main(small(tmp_path))
        rows = table(tmp_path, "throughput", "loop")

        assert {"bare", "ours", "ours,"} == {*rows}
        assert rows["bare"][2] == "1.000"
        assert "evaluations a minute" in text(tmp_path, "throughput")
        assert "no time" not in text(tmp_path, "throughput")

    def test_packing(self, tmp_path):
        """The memory, then the rates."""
        packing.main(small(tmp_path))

        assert "after Ray's end" in text(tmp_path, "packing")
        assert [*table(tmp_path, "packing", "at a time")] == ["1", "auto"]

    def test_contexts(self, tmp_path):
        """Small trainings, then a final one."""
        contexts.main(small(tmp_path))

        assert "4 trained, 0 failed" in text(tmp_path, "contexts")
        assert "beside the final training: 0 MiB" in text(tmp_path, "contexts")
