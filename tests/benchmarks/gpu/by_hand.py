"""A known network trained by hand for a given time: what a search of as long is measured by."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch

from tests.benchmarks.gpu.bare import BareLoop, wait_for_device
from tests.benchmarks.gpu.occasion import Occasion, percent
from vlga.networks.named import ModelPlan
from vlga.networks.training import OptimizerPlan
from workers.data import Dataset
from workers.networks.build import build
from workers.training.scoring import Split

__all__ = ["train_by_hand"]

_BATCH_SIZE, _RATE = 512, 0.4
#: Seconds that are left for the score on the test images, and the share by which epochs get slower.
_RESERVE, _SLOWER = 3.0, 1.03


def _whole(dataset: Dataset, device: torch.device) -> tuple[Split, Split]:
    """Give all images but the test's, and the test's, on a device."""
    images = np.concatenate([dataset.train_images, dataset.validation_images])
    labels = np.concatenate([dataset.train_labels, dataset.validation_labels])
    return _split(images, labels, device), _split(dataset.test_images, dataset.test_labels, device)


def train_by_hand(now: Occasion, model: str, seed: int, seconds: float) -> dict[str, Any]:
    """Train it in the bare loop for as many epochs as fit, and test it once.

    Args:
        now: the occasion; where all is small, one epoch.
        model: a key of `vlga.networks.named.MODELS`.
        seed: of all that is random.
        seconds: from now on, the images' reading included.
    """
    ends = time.monotonic() + seconds
    if now.is_small:
        torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dataset = now.images("cifar10")
    split, test = _whole(dataset, device)
    shape = dataset.input_shape
    optimizer = OptimizerPlan(_RATE, momentum=0.9, weight_decay=5e-4)
    plan = ModelPlan(shape, dataset.n_classes, optimizer, None, model)

    def loop(n_epochs: int) -> BareLoop:
        network = build(plan, seed)
        return BareLoop(
            network.to(device),
            split,
            n_epochs=n_epochs,
            batch_size=_BATCH_SIZE,
            rate=_RATE,
            seed=seed,
            shift=max(1, shape[1] // 8),
            may_mirror=dataset.may_mirror,
        )

    n_epochs = 1
    if not now.is_small:
        trial = loop(n_epochs=2)
        for _ in range(2):  # what is slow is the first one
            began = time.monotonic()
            trial.epoch()
            wait_for_device(device)
        each = _SLOWER * (time.monotonic() - began)
        n_epochs = max(1, math.floor((ends - time.monotonic() - _RESERVE) / each))
    bare = loop(n_epochs)
    began = time.monotonic()
    for _ in range(n_epochs):
        bare.epoch()
    accuracy = bare.accuracy(test)
    return {
        "by hand": model,
        "seed": seed,
        "test_%": percent(accuracy),
        "parameters": plan.n_parameters,
        "epochs": n_epochs,
        "seconds": f"{time.monotonic() - ends + seconds:.1f}",
        "seconds_per_epoch": f"{(time.monotonic() - began) / n_epochs:.3f}",
    }


def _split(images: Any, labels: Any, device: torch.device) -> Split:
    return Split(torch.tensor(images).to(device), torch.tensor(labels).to(device))
