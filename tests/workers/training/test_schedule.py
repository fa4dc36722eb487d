"""The windows of a training: which epoch lies where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlga.config.training import WindowConfig
from vlga.networks.training import AmplificationPlan
from workers.training.schedule import amplified_epochs, window_of

#: The example of a training strategy for 150 epochs.
PAPER = [
    WindowConfig(until=50, rate=1.0, amplify=False),
    WindowConfig(until=100, rate=1.0, amplify=True),
    WindowConfig(until=130, rate=0.1, amplify=True),
    WindowConfig(until=150, rate=0.1, amplify=False),
]


@pytest.mark.parametrize(
    ("epoch", "rate", "amplify"),
    [(0, 1, False), (49, 1, False), (50, 1, True), (99, 1, True), (100, 0.1, True),
     (129, 0.1, True), (130, 0.1, False), (149, 0.1, False)],
)  # fmt: skip
def test_an_epoch_lies_in_the_first_window_that_ends_after_it(epoch, rate, amplify):
    """Each window begins where the one before ends."""
    window = window_of(epoch, 150, PAPER)

    assert (window.rate, window.amplify) == (rate, amplify)


def test_a_shorter_training_has_shorter_windows():
    """A tenth of the epochs: each boundary is a tenth."""
    assert [window_of(epoch, 15, PAPER) for epoch in range(15)] == [
        window_of(10 * epoch, 150, PAPER) for epoch in range(15)
    ]
    assert amplified_epochs(15, PAPER, None) == [*range(5, 13)]


@given(st.integers(1, 300))
def test_every_epoch_has_a_window_however_few_there_are(n_epochs):
    """From the first on, and in the order of the windows."""
    found = [PAPER.index(window_of(epoch, n_epochs, PAPER)) for epoch in range(n_epochs)]

    assert found == sorted(found)


def test_without_windows_there_is_none():
    """Warmup, decay and the plan's own window hold then."""
    assert window_of(3, 10, []) is None
    assert [*amplified_epochs(10, [], AmplificationPlan(mode="random", window=(0.2, 0.5)))] == [
        2,
        3,
        4,
    ]
    assert amplified_epochs(10, [], None) == ()
