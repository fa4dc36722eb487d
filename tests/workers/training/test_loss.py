"""Weights of classes, held against scikit-learn, and what they make of the loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from tests.support.trainings import brightness, fit, network, plan, split
from workers.training.loss import balanced_weights, batch_weights, step_loss
from workers.training.scoring import Split


def alike(n_first: int, n_second: int, seed: int = 0) -> Split:
    """Give so many images of each class, between which nothing tells."""
    images, _ = brightness([0] * (n_first + n_second), seed)
    return Split(torch.from_numpy(images), torch.tensor([0] * n_first + [1] * n_second))


@given(st.lists(st.integers(0, 4), max_size=60))
def test_balanced_weights_are_those_of_scikit_learn(more: list[int]):
    """Of labels that have every class."""
    labels = np.array([0, 1, 2, 3, 4, *more])
    expected = compute_class_weight("balanced", classes=np.arange(5), y=labels)

    assert balanced_weights(torch.from_numpy(labels)).numpy() == pytest.approx(expected, rel=1e-6)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40), st.floats(0, 0.5))
def test_a_batch_s_loss_is_the_weighted_mean(labels: list[int], smoothing: float):
    """Whatever part of it goes through the network at a time."""
    weights, of_class = torch.tensor([0.5, 1.0, 16.0]), torch.tensor(labels)
    logits = torch.randn(len(labels), 3, generator=torch.Generator().manual_seed(len(labels)))
    scaled = batch_weights(weights, of_class)
    each = zip(logits[:, None], of_class[:, None], strict=True)
    losses = torch.stack([step_loss(*one, None, smoothing) for one in each])
    expected = np.average(losses.numpy(), weights=weights[of_class].numpy())
    parts = zip(logits.split(7), of_class.split(7), strict=True)
    found = [
        step_loss(logits, of_class, scaled, smoothing),
        sum(
            len(some) / len(labels) * step_loss(part, some, scaled, smoothing)
            for part, some in parts
        ),
    ]

    assert [one.item() for one in found] == pytest.approx([expected] * 2, rel=1e-4)


def test_where_nothing_can_be_seen_balanced_classes_are_equally_likely():
    """Of 90 images to 10 that look alike; without weights the network learns what is common."""
    losses = [
        fit(
            network(),
            plan(learning_rate=0.01),
            alike(90, 10),
            epochs=6,
            class_weights=weights,
            score_split=alike(20, 20, seed=1),
        ).scores.loss
        for weights in ("none", "balanced")
    ]

    assert losses[0] > math.log(2) + 0.2
    assert losses[1] == pytest.approx(math.log(2), abs=0.05)


def test_even_classes_are_trained_as_without_weights():
    """All weigh 1 where a batch has as many of each, but for rounding."""
    images = split(16)
    plain, balanced = (
        fit(network(), images=images, class_weights=weights).curve
        for weights in ("none", "balanced")
    )

    for one, same in zip(plain, balanced, strict=True):
        assert same.train_loss == pytest.approx(one.train_loss, rel=1e-3)
