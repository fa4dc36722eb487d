"""After how long a training counts as hanging."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import plans
from tests.support.trainings import dataset, task
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask
from workers.cluster.time_limits import TimeLimits

DATA = dataset().summary()


def took(seconds: float, reason: FailureReason | None = None) -> Evaluation:
    fitness = 0.5 if reason is None else None
    return Evaluation(0, 2, 0, fitness, reason, train_seconds=seconds)


def work(one: EvaluationTask) -> int:
    return one.plan.n_macs * DATA.n_train * one.training.epochs


@given(plans(), st.floats(1e-3, 1e6))
def test_its_own_limit_counts_with_patience(plan, seconds):
    """A training that looks at the clock between two steps is left to do so."""
    one = replace(task(), plan=plan, seconds=seconds)

    assert TimeLimits(DATA).limit_seconds(one) == pytest.approx(1.5 * seconds + 30)


@given(plans(), st.lists(st.floats(1e-3, 1e4), min_size=8, max_size=20))
def test_nothing_hangs_that_is_ten_times_slower_than_the_slowest(plan, seconds):
    """Whatever its network: the slowest is that for what it computes."""
    limits, one = TimeLimits(DATA), task()
    for number in seconds:
        limits.learn(one, took(number))
    other = replace(task(), plan=plan)

    slowest = max(seconds) / work(one)
    assert limits.limit_seconds(other) == pytest.approx(120 + 10 * slowest * work(other))


def test_few_are_not_trusted():
    """Seven quick ones, nor a hundred that failed: what started first must be able to end."""
    limits, one = TimeLimits(DATA), task()
    at_first = limits.limit_seconds(one)
    for number in range(107):
        limits.learn(one, took(1e-6, None if number < 7 else FailureReason.DIVERGED))

    assert limits.limit_seconds(one) == at_first == pytest.approx(120 + 1e-8 * work(one))
    limits.learn(one, took(1e-6))
    assert limits.limit_seconds(one) < at_first


def test_a_final_training_has_more_images():
    """And time for them."""
    limits, one = TimeLimits(DATA), task()
    for _ in range(8):
        limits.learn(one, took(1000.0))

    final = limits.limit_seconds(replace(one, is_final=True)) - 120
    assert final / (limits.limit_seconds(one) - 120) == pytest.approx(
        (DATA.n_train + DATA.n_validation) / DATA.n_train
    )
