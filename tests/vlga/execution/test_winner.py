from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import candidate, evaluation
from vlga.execution.winner import choose_winner, rank_networks
from vlga.ports.candidate import Individual


def finalist(number, accuracy, n_macs=1):
    return Individual(candidate(number), replace(evaluation(number, accuracy), n_macs=n_macs))


@pytest.mark.parametrize(("n_validation", "winner"), [(100, 1), (10_000, 0)])
def test_computes_most_of_those_that_validation_cannot_tell_apart(n_validation, winner):
    """Of 100 images 0.9 has a standard error of 0.03, of 10,000 of 0.003; 0.85 is worse in both."""
    finalists = [finalist(0, 0.9), finalist(1, 0.88, 5), finalist(2, 0.85, 9)]

    assert choose_winner(finalists, n_validation).id == winner


@pytest.mark.parametrize(
    ("accuracy", "n_validation", "winner"),
    [
        (0.93, 100, 1),  # three points ahead, of which the standard error is 4
        (0.93, 1_000, 0),  # of which it is 1.2
        (0.91, 1_000, 1),
        (0.89, 10_000, 1),  # the known one is the fittest itself
    ],
)
def test_is_the_known_network_unless_the_fittest_is_clearly_ahead(accuracy, n_validation, winner):
    """However much others compute; where costs are weighed these decide."""
    finalists = [finalist(0, accuracy, 5), finalist(1, 0.9, 3), finalist(2, 0.85, 9)]
    known = finalists[1].candidate.fingerprint

    assert choose_winner(finalists, n_validation, (), known).id == winner
    assert choose_winner(finalists, 10, ["parameters"], known).id == 0
    if winner == 1:
        assert rank_networks(finalists, (), n_validation, 1, known=known)[0].id == 1


def test_a_known_network_that_is_no_finalist_has_no_say():
    """It failed, say."""
    assert choose_winner([finalist(0, 0.9)], 100, (), "0" * 16).id == 0


def test_costs_least_of_them_where_costs_are_weighed():
    """By the cost that is named first; the fitter one of those that cost alike."""
    finalists = [finalist(0, 0.9, 5), finalist(1, 0.88, 3), finalist(2, 0.89, 3), finalist(3, 0.5)]

    assert choose_winner(finalists, 100, ["macs"]).id == 2
    assert choose_winner(finalists, 100, ["parameters", "macs"]).id == 0  # of 1,000 parameters
    assert choose_winner(finalists, 10_000, ["macs"]).id == 0
    ranked = rank_networks(finalists, (), 100, 4, costs=["macs"])
    assert [one.id for one in ranked] == [2, 1, 0, 3]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=9),
    st.integers(1, 10**6),
)
def test_is_hardly_less_fit_than_the_fittest(scores, n_validation):
    """By one standard error at most, and never one that another beats in both."""
    finalists = [finalist(number, *score) for number, score in enumerate(scores)]
    winner, best = choose_winner(finalists, n_validation), max(accuracy for accuracy, _ in scores)
    error = (best * (1 - best) / n_validation) ** 0.5

    assert winner.accuracy >= best - error
    assert not any(
        one.accuracy > winner.accuracy and one.evaluation.n_macs >= winner.evaluation.n_macs
        for one in finalists
    )


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=9),
    st.lists(st.integers(0, 12), max_size=9),
    st.integers(1, 20),
)
def test_those_that_follow_would_win_without_those_before(scores, others, n):
    """Different networks, finalists first; the others in their own order."""
    finalists = [finalist(number, *score) for number, score in enumerate(scores)]
    contenders = [finalist(number, 0.5) for number in others]
    ranked = rank_networks(finalists, contenders, 100, n)
    names = [one.candidate.fingerprint for one in ranked]

    assert len(set(names)) == len(names) == min(n, len({*range(len(scores)), *others}))
    rest = finalists
    for one in ranked[: len(finalists)]:
        assert one == choose_winner(rest, 100)
        rest = [other for other in rest if other != one]
    new = [number for number in dict.fromkeys(others) if number >= len(scores)]
    assert [one.id for one in ranked[len(finalists) :]] == new[: max(0, n - len(finalists))]
