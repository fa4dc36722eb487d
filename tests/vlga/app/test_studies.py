"""What a study's configuration is completed by."""

from __future__ import annotations

import pytest

from tests.support.records import DATA
from vlga.app.studies import planned
from vlga.config.load import load_config

STUDY = ("strategy=grid", 'study.networks=["small_vgg"]', "study.seeds=3")


@pytest.mark.parametrize(
    ("budget", "n_trainings"),
    [
        (("budget.seconds=none",), 3),
        (("budget.seconds=60",), 3),
        (("budget.seconds=60", "budget.evaluations=2"), 2),
    ],
)
def test_all_trainings_are_in_the_budget(budget, n_trainings):
    """Also where time is limited, so that it is said how many there are; fewer stand."""
    asked = load_config(settings=[*STUDY, *budget])
    found = planned(asked, DATA, asks_for_cpus=True).budget

    assert found.evaluations == n_trainings
    assert found.seconds == asked.budget.seconds
