"""One training, read top to bottom: data on the device, SGD, amplification, a learning curve.

Nothing here knows genomes, Ray or databases.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vlga.config.fitness import FitnessName
from vlga.config.training import TrainingConfig
from vlga.networks.training import AmplificationPlan, OptimizerPlan
from vlga.ports.evaluation import EpochRecord, FailureReason
from workers.amplification import Amplifier
from workers.training.augmentation import augment, resized, resolve_augmentation, scaled, scaling
from workers.training.footprint import SCORED_AT_ONCE
from workers.training.loss import balanced_weights, batch_weights, step_loss
from workers.training.pace import Pace
from workers.training.schedule import amplified_epochs, is_early, learning_rate_at, window_of
from workers.training.scoring import Answers, Scores, Split, precision_of, scores_and_answers
from workers.training.sgd import SGD

__all__ = ["TrainingFailure", "TrainingResult", "train"]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training gave.

    Attributes:
        scores: on the scoring images after the last epoch, all of them finite.
        answers: likewise.
        curve: one record an epoch.
    """

    scores: Scores
    answers: Answers
    curve: tuple[EpochRecord, ...]


class TrainingFailure(Exception):
    """A training that cannot go on: why, in words, and the curve up to there."""

    def __init__(
        self, reason: FailureReason, message: str, curve: tuple[EpochRecord, ...] = ()
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.curve = curve


def train(
    network: nn.Module,
    train_split: Split,
    score_split: Split,
    *,
    statistics: tuple[Tensor, Tensor],
    optimizer_plan: OptimizerPlan,
    amplification: AmplificationPlan | None,
    config: TrainingConfig,
    seed: int,
    may_mirror: bool = False,
    pace: Pace | None = None,
    cutout: float = 0.0,
    early_size: float = 1.0,
    score_each_epoch: bool = True,
    answering: nn.Module | None = None,
    fitness: FitnessName = "accuracy",
    is_over: Callable[[], bool] = lambda: False,
    micro_batches: int = 1,
) -> TrainingResult:
    """Train a network and score it.

    Images are cut from the resident uint8 tensor, normalized and augmented in batches on their
    device. An incomplete last batch is left out (the order is new every epoch). Metrics stay on the
    device and are read once an epoch, where a loss that is not finite ends the training; nothing
    else waits for a GPU, but for the amplifier's measures, and the weights of classes once. On a
    GPU that has bfloat16 the forward pass runs in it; elsewhere everything is float32.

    Args:
        network: on the splits' device, changed in place.
        train_split: to train on.
        score_split: to score on; validation images, but for a final training.
        statistics: mean and standard deviation of the training images, as `to_float` takes them.
        optimizer_plan: learning rate, momentum and weight decay.
        amplification: how gradients are amplified, or None.
        config: epochs, batch size, schedule, augmentation.
        seed: of the order, the augmentation and the choice of amplified layers.
        may_mirror: whether images mean the same mirrored left to right.
        pace: decides the number of epochs of a timed training; those of `config` are then the
            expected ones. The schedule goes with it, the choice of epochs with amplification
            does not.
        cutout: share of each image's side that a hidden square has, if images are augmented.
        early_size: side of the images in the first half of the epochs, as a share of their own, in
            (0, 1]; large enough for the network's pools. Small ones take less time, and serve as
            well at first: progressive resizing (Tan and Le 2021, https://arxiv.org/abs/2104.00298).
        score_each_epoch: whether the curve has scores; a final training scores only at its end.
        answering: what is scored, if it is more than the network itself, which is in it.
        fitness: what the scores have as such.
        is_over: tells before each step whether its time is up.
        micro_batches: parts in which a step's batch goes through the network, their gradients added
            up, to take less memory; at most the batch size. The step is the same, but for batch
            normalization, which sees a part at a time, and for rounding.

    Raises:
        TrainingFailure: the loss is no longer finite (`DIVERGED`), or time is up (`TIMED_OUT`).
    """
    device = train_split.images.device
    generator = torch.Generator(device).manual_seed(seed)
    n_images = len(train_split.labels)
    batch_size = min(config.batch_size, n_images)
    steps_per_epoch = n_images // batch_size
    kind = resolve_augmentation(config.augment, may_mirror=may_mirror)
    network.to(memory_format=torch.channels_last)
    optimizer_plan = optimizer_plan.scaled(batch_size, config.base_batch_size)
    optimizer = SGD(network, optimizer_plan, config.norm_bias_rate)
    n_epochs = config.epochs
    amplifier = Amplifier(
        network,
        amplification,
        n_epochs=n_epochs if pace is None else max(n_epochs, pace.most),
        seed=seed,
        epochs=amplified_epochs(n_epochs, config.windows, amplification),
        micro_batches=micro_batches,
    )
    weights = balanced_weights(train_split.labels) if config.class_weights == "balanced" else None
    factor, offset = scaling(*statistics)
    precision = precision_of(device)
    is_correct = torch.empty(steps_per_epoch * batch_size, dtype=torch.bool, device=device)
    curve: list[EpochRecord] = []
    while (epoch := len(curve)) < n_epochs:
        started = time.monotonic()
        n_epochs = n_epochs if pace is None else pace.epochs(_seconds(curve), n_epochs)
        size = early_size if is_early(epoch, n_epochs) else 1.0
        network.train()
        total_loss = torch.zeros((), device=device)
        order = torch.randperm(n_images, generator=generator, device=device)
        measured = amplifier.measures
        with amplifier.epoch(epoch) as amplified:
            for index in range(steps_per_epoch):
                if is_over():
                    raise TrainingFailure(
                        FailureReason.TIMED_OUT, f"out of time in epoch {epoch}", tuple(curve)
                    )
                chosen = order[index * batch_size : (index + 1) * batch_size]
                labels = train_split.labels.index_select(0, chosen)
                scales = None if weights is None else batch_weights(weights, labels)
                # index_select: a tenth of the time of images[chosen] on a CPU
                some = scaled(train_split.images.index_select(0, chosen), factor, offset)
                images = augment(resized(some, size), kind, generator, cutout)
                correct = is_correct[index * batch_size : (index + 1) * batch_size]
                parts = zip(
                    *(one.tensor_split(micro_batches) for one in (images, labels, correct)),
                    strict=True,
                )
                for part, part_labels, part_correct in parts:
                    with precision:
                        logits = network(part)
                        loss = step_loss(logits, part_labels, scales, config.label_smoothing)
                    share = len(part) / batch_size
                    _backward(loss if micro_batches == 1 else share * loss)
                    total_loss.add_(loss.detach(), alpha=share)
                    torch.eq(logits.argmax(1), part_labels, out=part_correct)
                learning_rate = learning_rate_at(
                    epoch * steps_per_epoch + index,
                    n_epochs * steps_per_epoch,
                    optimizer_plan.learning_rate,
                    config.warmup_fraction,
                    window_of(epoch, n_epochs, config.windows),
                )
                optimizer.step(learning_rate)
        scored, answers = (
            scores_and_answers(
                answering or network,
                score_split,
                statistics,
                SCORED_AT_ONCE // micro_batches,
                fitness,
            )
            if score_each_epoch or epoch == n_epochs - 1
            else (None, None)
        )
        train_loss, train_accuracy, scores = _read(total_loss / steps_per_epoch, is_correct, scored)
        curve.append(
            EpochRecord(
                epoch,
                _finite(train_loss),
                train_accuracy,
                None if scores is None else _finite(scores.loss),
                None if scores is None else scores.accuracy,
                learning_rate,
                time.monotonic() - started,
                amplified,
                () if amplifier.measures is measured else tuple(amplifier.measures.items()),
            )
        )
        _require_finite(train_loss, scores, curve, optimizer_plan.learning_rate)
    assert scores is not None
    assert answers is not None
    return TrainingResult(scores, answers, tuple(curve))


def _seconds(curve: Sequence[EpochRecord]) -> list[float]:
    return [one.seconds for one in curve]


def _backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]  # torch's stub


def _require_finite(
    train_loss: float, scores: Scores | None, curve: Sequence[EpochRecord], learning_rate: float
) -> None:
    """End a training that has diverged, after the last epoch of its curve."""
    if not (math.isfinite(train_loss) and (scores is None or math.isfinite(scores.loss))):
        raise TrainingFailure(
            FailureReason.DIVERGED,
            f"the loss is no longer finite after epoch {curve[-1].epoch} "
            f"at learning rate {learning_rate}",
            tuple(curve),
        )


def _read(
    train_loss: Tensor, is_correct: Tensor, scored: Tensor | None
) -> tuple[float, float, Scores | None]:
    """Read loss and accuracy in training, and the scores: at once, as each read waits for a GPU.

    Args:
        train_loss: () mean over the epoch.
        is_correct: (n,) bool, for each image that was trained on.
        scored: as `scores_and_answers` gives it, or None.
    """
    metrics = [train_loss[None], is_correct.float().mean()[None]]
    metrics += [] if scored is None else [scored]
    loss, accuracy, *scores = torch.cat(metrics).tolist()
    return loss, accuracy, Scores(*scores) if scores else None


def _finite(value: float) -> float:
    """Give a loss as the ledger keeps it: what is not finite becomes the largest float."""
    return value if math.isfinite(value) else sys.float_info.max
