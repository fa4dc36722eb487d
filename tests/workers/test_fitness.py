"""What a network's answers are worth, held against scikit-learn."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tests.support.dispatched import Reads
from vlga.config.fitness import FITNESS_NAMES, fitness_words
from workers.fitness import fitness_of


def value(kind: str, predicted: list[int], labels: list[int], loss: float = 0.0) -> float:
    """Give the fitness of answers among five classes."""
    answers = (torch.tensor(one) for one in (predicted, labels))
    return fitness_of(kind, *answers, 5, torch.tensor(loss, dtype=torch.float64)).item()


ANSWERS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(ANSWERS)
def test_it_is_what_scikit_learn_gives(answers: list[tuple[int, int]]):
    """Accuracy, balanced accuracy and macro F1, also where classes are absent or never guessed."""
    predicted, labels = (list(one) for one in zip(*answers, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of guessed classes without images
        expected = {
            "accuracy": metrics.accuracy_score(labels, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
            "f1_macro": metrics.f1_score(labels, predicted, average="macro"),
        }

    for kind, one in expected.items():
        assert value(kind, predicted, labels) == pytest.approx(one, abs=1e-12)


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_of_the_log_loss_it_is_the_geometric_mean_of_the_right_classes_probabilities(n, seed):
    """And so lies in (0, 1], and rises as scikit-learn's log loss falls."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, n)
    logits = torch.from_numpy(rng.normal(0, 3, (n, 5)))
    probabilities = logits.softmax(1).numpy()
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
    fitness = value("log_loss", [0] * n, [*labels], loss.item())

    expected = metrics.log_loss(labels, probabilities, labels=range(5))
    assert fitness == pytest.approx(math.exp(-expected), rel=1e-9)
    right = probabilities[range(n), labels]
    assert fitness == pytest.approx(math.exp(np.log(right).mean()), rel=1e-9)


@given(st.integers(1, 60))
def test_all_right_is_exactly_one(n: int):
    """Of any number of images, so that nothing ever lies above the best."""
    labels = [number % 5 for number in range(n)]

    assert [value(kind, labels, labels) for kind in FITNESS_NAMES] == [1.0] * 4


def test_always_the_largest_class_is_worth_little_where_classes_count_alike():
    """Of 97 images to 3 it has 0.97 of the accuracy and half of what can be had otherwise."""
    labels, constant = [0] * 97 + [1] * 3, [0] * 100

    assert value("accuracy", constant, labels) == 0.97
    assert value("balanced_accuracy", constant, labels) == 0.5
    assert value("f1_macro", constant, labels) == pytest.approx(97 / 197)


@pytest.mark.parametrize("kind", FITNESS_NAMES)
def test_it_stays_on_the_device(kind: str):
    """Nothing is read while it is computed, and so a GPU is not waited for."""
    answers, loss = torch.tensor([0, 1, 1]), torch.tensor(1.0, dtype=torch.float64)
    with Reads() as reads:
        fitness = fitness_of(kind, answers, answers, 2, loss)

    assert not reads.counts
    assert (fitness.dtype, fitness.shape) == (torch.float64, ())


def test_each_has_its_own_words():
    """They say what the number is: the log loss itself is none in [0, 1]."""
    assert len({fitness_words(kind) for kind in FITNESS_NAMES}) == 4
    assert fitness_words("log_loss") == "exp(-log loss)"
