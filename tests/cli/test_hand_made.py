"""What a person would do by hand, as a search beside others."""

import pytest

from tests.support.command import SMALL, vlga


@pytest.fixture
def searched():
    """One small ResNet, trained for the three epochs of the budget and then for one more."""
    budget = ("--set", "strategy=hand_made", "--set", "budget.epochs=3")
    told = vlga("search", *SMALL, *budget, "--name", "mine")
    assert told.code == 0, told.err
    return told


def test_it_is_a_search_as_any_other(searched):
    """It has a winner, its own weights' longer training, a test accuracy and a report."""
    shown = vlga("show", "mine", "--format", "json").json
    only = vlga("individual", "mine", "0", "--format", "json").json

    assert "winner #0  validation accuracy 0." in searched.out
    assert shown["evaluations"] == {"completed": 1, "failed": 0, "reused": 0}
    assert shown["best"]["test_accuracy"] is not None
    assert [(one["epochs"], one["is_final"]) for one in only["evaluations"]] == [
        (3, False), (1, True),
    ]  # fmt: skip
    assert {one["kind"] for one in only["artifacts"]} == {"weights", "final_weights"}
    assert "small_resnet_" in vlga("individual", "mine", "0").out
    assert "winner #0" in vlga("report", "mine").out
    assert vlga("lineage", "mine", "0").code == 2
