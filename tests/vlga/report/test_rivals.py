from dataclasses import asdict

import pytest

from tests.support.records import RIVALS
from vlga.report.rivals import accuracy_text, rivals_lines, scores_text, standard_error

SEARCH = {
    "rivals": asdict(RIVALS),
    "images": {"train": 1000, "validation": 250, "test": 300},
    "input_shape": [1, 8, 8],
    "fitness": "accuracy",
}
ACCURACIES = (
    "for comparison: always the largest class 0.4000, 3 nearest neighbours 0.7500, "
    "support-vector machine 0.8125"
)


def test_the_standard_error_is_that_of_a_share():
    """The root of p (1 - p) / n; of half an image where all are right, or none is."""
    assert standard_error(0.5, 100) == pytest.approx(0.05)
    assert standard_error(1.0, 50) == pytest.approx(standard_error(0.99, 50))
    assert standard_error(0.0, 50) == pytest.approx(standard_error(0.01, 50))
    assert standard_error(1.0, 1) == 0.5
    assert accuracy_text(0.9, 900) == "0.9000 ± 0.0100"


def test_rivals_are_one_line():
    """Of a search whose images were all taken as they are; no line if they are not known."""
    assert rivals_lines(SEARCH) == [ACCURACIES]
    assert rivals_lines({**SEARCH, "rivals": None}, 0.5) == []


def test_what_was_left_out_is_said():
    """That few images were taken of many, and small ones of large ones."""
    search = {
        **SEARCH,
        "images": {"train": 50_000, "validation": 10_000, "test": 12_000},
        "input_shape": [1, 40, 40],
        "rivals": {**SEARCH["rivals"], "n_fit": 5000, "n_tested": 10_000},
    }

    assert rivals_lines(search) == [
        f"{ACCURACIES} (fit on 5,000 images, tested on 10,000, shrunk to 1x8x8)"
    ]


@pytest.mark.parametrize(("accuracy", "learned"), [(0.3, False), (0.4, False), (0.41, True)])
def test_a_winner_no_better_than_the_largest_class_is_called_so(accuracy, learned):
    """Such as one that always names it."""
    assert (len(rivals_lines(SEARCH, accuracy)) == 1) == learned


def test_rivals_are_compared_by_what_they_were_measured_in():
    """Of a fitness of probabilities, which they have none of, their accuracy says nothing."""
    rivals = {**SEARCH["rivals"], "measure": "f1_macro"}
    line, verdict = rivals_lines({**SEARCH, "rivals": rivals, "fitness": "f1_macro"}, 0.3)

    assert line == ACCURACIES.replace("always", "macro F1 of always", 1)
    assert verdict == "the winner is no better than always naming the largest class"
    assert rivals_lines({**SEARCH, "fitness": "log_loss"}, 0.3) == [ACCURACIES]


def test_a_fitness_that_is_no_accuracy_stands_behind_the_test_accuracy():
    """Without a standard error, which is that of a share."""
    tested = {"test_accuracy": 0.9, "test_fitness": 0.75}

    assert scores_text(tested, 900, "accuracy") == "0.9000 ± 0.0100"
    assert scores_text(tested, 900, "log_loss") == "0.9000 ± 0.0100, exp(-log loss) 0.7500"
