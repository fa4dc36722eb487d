"""What the whole suite shares: how long Hypothesis looks for a counterexample, and a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The fast profile draws the same examples in every run, so that a red build is about the change
# and not about luck; the long one looks for something new each time:
#     HYPOTHESIS_PROFILE=long pytest tests/vlga
# There is no deadline: trainings and a shared machine make single examples slow.
settings.register_profile("default", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="class")
def cluster() -> Iterator[None]:
    """Ray on this machine with two CPUs, started once a class: its workers import torch once."""
    import ray

    from tests.support.trainings import dataset
    from workers.cluster.connect import connect

    connect(None, 2, 1.0, dataset().summary())
    yield
    ray.shutdown()
