"""Paired differences against scipy, and when they are called clear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vlga.report.paired import PairedDifference, paired_difference


@given(st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=40))
def test_clear_is_what_a_paired_t_test_calls_significant(differences):
    """At the level of 0.05, two-sided; but for ties at the very limit."""
    found = paired_difference(differences)
    if found.standard_error == 0:
        assert found.is_clear == (found.mean != 0)
        return
    p = stats.ttest_1samp(differences, 0).pvalue

    if abs(p - 0.05) > 0.002:
        assert found.is_clear == (p < 0.05)


def test_mean_and_standard_error():
    """Of 2 and 6: 4, give or take 2."""
    assert paired_difference([2.0, 6.0]) == PairedDifference(4.0, pytest.approx(2.0), 2)
    assert paired_difference([2.0]) == PairedDifference(2.0, None, 1)


@pytest.mark.parametrize(
    ("mean", "error", "n_pairs", "is_clear"),
    [
        (0.1, None, 1, False),
        (0.1, 0.01, 2, False),
        (0.13, 0.01, 2, True),
        (0.027, 0.01, 5, False),
        (-0.028, 0.01, 5, True),
        (0.0, 0.0, 5, False),
        (0.0205, 0.01, 1000, True),
    ],
)
def test_a_difference_is_clear_by_student_s_t(mean, error, n_pairs, is_clear):
    """The fewer pairs the more standard errors it takes: 12.7 of two, 2.8 of five, 2 of many."""
    assert PairedDifference(mean, error, n_pairs).is_clear == is_clear
