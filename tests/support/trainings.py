"""Small trainings: images that a network tells apart at once, a plan, a task, a split."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tests.support.records import genome
from vlga.config.training import TrainingConfig
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask, Evaluator, Trained
from workers.data import Dataset
from workers.data.dataset import Images, Labels
from workers.evaluators.patient import PatientEvaluator
from workers.networks.build import Network, build_network
from workers.training.augmentation import image_statistics
from workers.training.loop import TrainingResult, train
from workers.training.scoring import Split

SHAPE = (1, 8, 8)


def brightness(labels: list[int], seed: int = 0) -> tuple[Images, Labels]:
    """Give noisy 8x8 images, dark ones of class 0 and bright ones of class 1."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 100, (len(labels), *SHAPE), dtype=np.uint8)
    chosen = np.array(labels, dtype=np.int64)
    return images + (chosen * 155).astype(np.uint8)[:, None, None, None], chosen


def dataset(
    train: list[int] | None = None,
    validation: list[int] | None = None,
    test: list[int] | None = None,
    seed: int = 0,
    **more: Any,
) -> Dataset:
    """Give dark and bright images with these labels, half of each if not given."""
    return Dataset(
        "brightness",
        ("dark", "bright"),
        *brightness(train or [0, 1] * 20, seed),
        *brightness(validation or [0, 1] * 8, seed + 1),
        *brightness(test or [0, 1] * 6, seed + 2),
        **more,
    )


def split(n: int, seed: int = 0) -> Split:
    """Give so many dark and bright images as tensors."""
    images, labels = brightness([0, 1] * (n // 2) + [0] * (n % 2), seed)
    return Split(torch.from_numpy(images), torch.from_numpy(labels))


def plan(n_blocks: int = 1, **changes: Any) -> NetworkPlan:
    """Give a network of two or more convolutions for those images, with other settings of SGD."""
    base = decode(genome(n_blocks), SHAPE, 2)
    return replace(base, optimizer=replace(base.optimizer, **changes))


def network(of: NetworkPlan | None = None, seed: int = 0) -> Network:
    """Build a plan's network."""
    return build_network(of or plan(), torch.Generator().manual_seed(seed))


def fit(
    model: torch.nn.Module, of: NetworkPlan | None = None, images: Split | None = None, **rest: Any
) -> TrainingResult:
    """Train for two epochs in batches of 16, or as told, scored on other images of the kind."""
    of, images = of or plan(), images or split(40)
    settings = {name: rest.pop(name) for name in TrainingConfig.model_fields if name in rest}
    return train(
        model,
        images,
        rest.pop("score_split", split(20, seed=1)),
        statistics=image_statistics(images.images),
        optimizer_plan=of.optimizer,
        amplification=rest.pop("amplification", None),
        config=TrainingConfig(**{"epochs": 2, "batch_size": 16, **settings}),
        seed=rest.pop("seed", 0),
        **rest,
    )


def task(number: int = 0, of: NetworkPlan | None = None, **changes: Any) -> EvaluationTask:
    """Give a task of two short epochs; each number has a seed of its own."""
    base = EvaluationTask(
        candidate_id=number,
        plan=of or plan(),
        training=TrainingConfig(epochs=2, batch_size=16),
        seed=number,
    )
    return replace(base, **changes)


def diverging(number: int = 0, **changes: Any) -> EvaluationTask:
    """Give a task whose learning rate blows the network up in its first epoch."""
    return task(number, plan(learning_rate=1e30), **changes)


def patient(evaluator: Evaluator) -> PatientEvaluator:
    """Give a patient one around one that may lose workers, but is not lost itself."""

    def make() -> Evaluator:
        raise AssertionError("no other one is needed")

    return PatientEvaluator(evaluator, make)


def train_out(evaluator: Evaluator) -> list[Trained]:
    """Wait until nothing is out any more; give everything that came."""
    ended: list[Trained] = []
    while some := evaluator.wait():
        ended += some
    return ended


def drain(evaluator: Evaluator) -> list[Evaluation]:
    """Wait until nothing is out any more; give every outcome that came."""
    return [one.evaluation for one in train_out(evaluator)]
