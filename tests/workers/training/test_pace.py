"""A timed training: as many epochs as fit, on the fastest number of threads."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vlga.ports.evaluator import TimedEpochs
from workers.training.pace import Pace, epochs_that_fit, threads_of_next
from workers.training.schedule import is_early


def course(n_most: int, seconds: dict[int, float], n_epochs: int) -> list[int]:
    """Give the threads of each epoch where they take so long; the first takes as long again."""
    had: list[tuple[int, float]] = []
    for epoch in range(n_epochs):
        n = threads_of_next(n_most, had)
        had.append((n, seconds[n] * (1 if epoch else 2)))
    return [n for n, _ in had]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({2: 1.0, 1: 1.6}, [2, 2, 1, 2, 2, 2]),
        ({2: 1.5, 1: 1.0}, [2, 2, 1, 1, 1, 1]),
        ({8: 4.0, 4: 2.0, 2: 1.0, 1: 1.2}, [8, 8, 4, 2, 1, 2]),
        ({8: 1.0, 4: 1.5}, [8, 8, 4, 8, 8, 8]),  # fewer still would be slower
        ({1: 1.0}, [1, 1, 1, 1, 1, 1]),
    ],
)
def test_halves_are_tried_as_long_as_they_are_faster(seconds, expected):
    """The first epoch says nothing: it is slow whatever it has."""
    assert course(max(seconds), seconds, 6) == expected


def test_a_number_that_gets_slower_is_left():
    """By its last three epochs."""
    had = [(2, 9.0), (2, 1.5), (1, 1.0), (1, 1.0)]
    assert threads_of_next(2, had) == 1
    assert threads_of_next(2, [*had, (1, 2.0), (1, 2.0)]) == 2


@given(st.lists(st.tuples(st.integers(1, 16), st.floats(0.01, 100)), max_size=20))
def test_it_is_a_number_that_was_tried_or_half_of_one(epochs):
    """Never more than there are, never none."""
    n = threads_of_next(16, epochs)

    assert 1 <= n <= 16
    assert n in {16} | {one for one, _ in epochs} | {one // 2 for one, _ in epochs}


def test_small_images_do_not_make_a_number_look_fast():
    """With equal times for equal work there is nothing to change when the second half begins."""
    before = torch.get_num_threads()
    try:
        pace = Pace(TimedEpochs(1e9, 1, 10, early_cost=0.5), 0.0, 2)
        found = []
        for n_over in range(10):
            pace.epochs([9.0, 1.0, 1.6, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0][:n_over], 10)
            found.append(torch.get_num_threads())
    finally:
        torch.set_num_threads(before)

    assert found == [2, 2, 1, 2, 2, 2, 2, 2, 2, 2]


def test_torch_has_them():
    """As they are chosen; and none are set on a GPU."""
    before = torch.get_num_threads()
    try:
        on_cpu, on_gpu = (Pace(TimedEpochs(100.0, 1, 9), 0.0, n) for n in (2, None))
        found = []
        for seconds in ([], [9.0], [9.0, 2.0], [9.0, 2.0, 1.0]):
            assert on_cpu.epochs(seconds, 9) == on_gpu.epochs(seconds, 9) == 9
            found.append(torch.get_num_threads())
    finally:
        torch.set_num_threads(before)

    assert found == [2, 2, 1, 1]


@pytest.mark.parametrize(
    ("seconds", "n_epochs", "n_scored", "expected"),
    [
        ([], 12, 0.0, 12),  # as expected
        ([10.0], 12, 0.0, 10),
        ([10.0], 12, 0.5, 9),  # scores take half an epoch
        ([5.0], 12, 0.0, 20),
        ([1.0], 12, 0.0, 30),  # no more than that
        ([90.0], 12, 0.0, 3),  # no fewer
        ([200.0] * 3, 12, 0.0, 4),  # and one to score after
        ([10.0, 5.0, 5.0, 5.0, 5.0, 5.0], 12, 0.0, 19),  # by the last five: 65 s are left
        ([5.0] * 9, 12, 0.0, 20),
        ([5.0] * 10, 12, 0.0, 12),  # so near the end there are no more
        ([9.0] * 10, 12, 0.0, 11),  # but fewer
    ],
)
def test_as_many_epochs_as_fit(seconds, n_epochs, n_scored, expected):
    """A hundred seconds for 3 to 30 epochs, by those that are over."""
    timed = TimedEpochs(100.0, fewest=3, most=30)

    assert epochs_that_fit(timed, seconds, n_epochs, n_scored) == expected


@given(st.floats(0.25, 1), st.floats(0, 1), st.floats(30, 100), st.integers(5, 100))
def test_small_images_at_first_fill_the_time_too(expected, more, allowed, n_epochs):
    """Also if they take more than was expected, up to what others do, which is a second."""
    cost = expected + more * (1 - expected)
    pace = Pace(TimedEpochs(allowed, 1, 1000, early_cost=expected), 0.0, None)
    seconds: list[float] = []
    n = pace.epochs(seconds, n_epochs)
    while len(seconds) < n:
        seconds.append(cost if is_early(len(seconds), n) else 1.0)
        n = pace.epochs(seconds, n) if len(seconds) < n else n

    assert 0.9 * allowed - 2 <= sum(seconds) <= allowed * (1 + 1e-9)


@pytest.mark.parametrize(
    ("n_over", "expected"),
    [
        (1, 66),  # 33 of a second, 33 of two: 99 s
        (20, 66),
        (33, 66),
        (34, 66),  # 33 + 2 s are over, and 32 more fit
    ],
)
def test_the_rest_costs_what_it_will(n_over, expected):
    """Epochs of a second in the first half, of two in the second, in a hundred seconds."""
    timed = TimedEpochs(100.0, 1, 1000, early_cost=0.5)
    costs = [0.5 if epoch < 33 else 1.0 for epoch in range(n_over)]

    assert epochs_that_fit(timed, [2 * one for one in costs], 66, 0.0, costs) == expected


@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=50),
    st.floats(0.01, 1000),
    st.integers(1, 60),
    st.floats(0, 3),
)
def test_there_is_always_one_more_epoch_and_never_too_many(seconds, allowed, n_epochs, n_scored):
    """At a steady pace the last epoch and the scores end in time, or there are the fewest."""
    n = epochs_that_fit(TimedEpochs(allowed, 1, 60), seconds, n_epochs, n_scored)
    pace = sum(seconds[-5:]) / len(seconds[-5:])
    ends = sum(seconds) + (n - len(seconds) + n_scored) * pace

    assert len(seconds) < n <= max(60, len(seconds) + 1)
    assert n == len(seconds) + 1 or ends <= allowed * (1 + 1e-9)
