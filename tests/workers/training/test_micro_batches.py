"""Batches that do not fit the memory: gradients are added up over parts, else nothing changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.support.records import genome
from tests.support.trainings import SHAPE, dataset, fit, network, task
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan
from vlga.networks.training import AmplificationPlan
from vlga.ports.evaluation import FailureReason
from workers.training import evaluate as evaluation
from workers.training.evaluate import evaluate

ALWAYS = AmplificationPlan(mode="random", kind="conv", ratio=1.0, window=(0.0, 1.0), factor=1.5)
MEASURING = AmplificationPlan(
    mode="intelligent", kind="conv", ratio=None, measure="G1", threshold="mean", window=(0.0, 1.0)
)


def without_batch_norm() -> NetworkPlan:
    """Give a network in which the images of a batch know nothing of each other."""
    block = replace(genome().blocks[0], batch_norm_a=False, batch_norm_b=False)
    plan = decode(replace(genome(), blocks=(block, block)), SHAPE, 2)
    return replace(plan, optimizer=replace(plan.optimizer, learning_rate=0.01))


@pytest.mark.parametrize(
    "amplification",
    [
        None,
        *(replace(ALWAYS, side=side) for side in ("output", "input", "parameters")),
        replace(ALWAYS, ratio=0.25, redraw="step"),
        replace(ALWAYS, kind="activation", ratio=0.5, redraw="step"),
        MEASURING,
        replace(MEASURING, kind="activation", measure="G2"),
    ],
    ids=str,
)
def test_training_in_parts_is_training_by_whole_batches(amplification):
    """Weights, curve, amplified layers and measures are the same, but for rounding."""
    plan = without_batch_norm()
    models = [network(plan), network(plan)]
    whole, parts = (
        fit(
            model,
            plan,
            epochs=3,
            amplification=amplification,
            label_smoothing=0.1,
            class_weights="balanced",
            micro_batches=each,
        ).curve
        for model, each in zip(models, (1, 2), strict=True)
    )

    for name, weights in models[0].state_dict().items():
        torch.testing.assert_close(models[1].state_dict()[name], weights, rtol=1e-3, atol=1e-6)
    for one, same in zip(whole, parts, strict=True):
        assert same.train_loss == pytest.approx(one.train_loss, rel=1e-4)
        assert same.validation_loss == pytest.approx(one.validation_loss, rel=1e-4)
        assert same.train_accuracy == pytest.approx(one.train_accuracy)
        assert same.amplified_layers == one.amplified_layers
        assert dict(same.layer_measures) == pytest.approx(dict(one.layer_measures), rel=1e-3)
    assert whole[-1].train_loss != whole[0].train_loss


def test_others_make_room_before_batches_are_halved(monkeypatch):
    """Whole batches are tried again if somebody gave memory back, and then nothing is said."""
    seen = []
    real_train = evaluation.train

    def train(*arguments, micro_batches, **rest):
        seen.append(micro_batches)
        if len(seen) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real_train(*arguments, micro_batches=micro_batches, **rest)

    monkeypatch.setattr(evaluation, "train", train)
    outcome, _ = evaluate(task(), dataset(), make_room=lambda: True)

    assert seen == [1, 1]
    assert outcome.completed
    assert not outcome.message


def test_a_batch_that_does_not_fit_is_tried_in_halves(monkeypatch):
    """The outcome is that of halves, with a word about it; the first attempt leaves no trace."""
    seen = []
    real_train = evaluation.train

    def train(*arguments, micro_batches, **rest):
        seen.append(micro_batches)
        if micro_batches == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real_train(*arguments, micro_batches=micro_batches, **rest)

    monkeypatch.setattr(evaluation, "train", train)
    outcome, weights = evaluate(task(keep_weights=True), dataset())

    assert seen == [1, 2]
    assert outcome.completed
    assert outcome.message == (
        "trained with halves of each batch, as whole ones did not fit the memory"
    )
    assert len(outcome.curve) == 2
    assert weights


@pytest.mark.parametrize(
    ("batch_size", "attempts", "message"),
    [
        (16, 2, "OutOfMemoryError: no room; trained with halves of each batch, as whole"),
        (1, 1, "OutOfMemoryError: no room"),
    ],
)
def test_what_does_not_fit_in_halves_either_has_failed(monkeypatch, batch_size, attempts, message):
    """It is tried in halves once, if there is anything to halve."""
    seen = []

    def train(*_arguments, micro_batches, **_rest):
        seen.append(micro_batches)
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(evaluation, "train", train)
    one = task()
    one = replace(one, training=one.training.model_copy(update={"batch_size": batch_size}))
    outcome, _ = evaluate(one, dataset())

    assert len(seen) == attempts
    assert outcome.reason is FailureReason.OUT_OF_MEMORY
    assert outcome.message.startswith(message)
