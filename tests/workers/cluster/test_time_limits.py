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


def with_epochs(n_epochs: int) -> EvaluationTask:
    """Give a task that computes so many times what one of an epoch does."""
    one = task()
    return replace(one, training=one.training.model_copy(update={"epochs": n_epochs}))


@given(plans(), st.floats(1e-3, 1e6))
def test_its_own_limit_counts_with_patience(plan, seconds):
    """A training that looks at the clock between two steps is left to do so."""
    one = replace(task(), plan=plan, seconds=seconds)

    assert TimeLimits(DATA).limit_seconds(one) == pytest.approx(1.5 * seconds + 30)


@given(
    st.lists(st.tuples(plans(), st.floats(1e-3, 1e4)), min_size=8, max_size=20),
    st.floats(0.0, 10.0),
)
def test_nothing_hangs_that_is_ten_times_slower_than_the_like_were(trained, times):
    """Whatever the networks: as long as any took, ten times over, the same may take again."""
    limits = TimeLimits(DATA)
    for plan, seconds in trained:
        limits.learn(replace(task(), plan=plan), took(seconds))

    for plan, seconds in trained:
        assert limits.limit_seconds(replace(task(), plan=plan)) >= 120 + times * seconds


def test_time_that_every_training_takes_is_no_pace():
    """Tiny networks of a second do not give large ones hours: those have a pace of their own.

    Half a second that every training takes, and a core of 1e9 multiply-accumulates a second.
    """
    limits = TimeLimits(DATA)
    for n_epochs in (*range(1, 11), *range(1000, 11_000, 1000)):
        of = with_epochs(n_epochs)
        limits.learn(of, took(0.5 + work(of) / 1e9))
    large = with_epochs(10**6)
    usual = 0.5 + work(large) / 1e9

    assert 10 * usual < limits.limit_seconds(large) < 120 + 20 * usual


def test_what_is_long_ago_is_forgotten():
    """A machine that was slow and has left says nothing of those that are there."""
    limits, one = TimeLimits(DATA), task()
    for number in range(208):
        limits.learn(one, took(1e5 if number < 8 else 1.0))

    assert limits.limit_seconds(one) < 200


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

    final = limits.limit_seconds(replace(one, is_final=True))
    more = DATA.n_validation / DATA.n_train
    assert final - limits.limit_seconds(one) == pytest.approx(10 * 1000.0 * more)
