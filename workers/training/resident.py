"""Data sets on the device that trains: moved there once a process."""

from __future__ import annotations

import gc
import warnings
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from vlga.networks.layers import StemPlan
from workers.data import Dataset
from workers.networks.whitening import N_WHITENED, whitening_filters
from workers.training.augmentation import image_statistics, to_float
from workers.training.scoring import Split

__all__ = ["ResidentData", "free", "on_device"]


@dataclass(frozen=True, slots=True)
class ResidentData:
    """A data set on a device, with the filters that stems have had for it."""

    train: Split
    validation: Split
    test: Split
    statistics: tuple[Tensor, Tensor]
    _filters: dict[StemPlan, Tensor] = field(default_factory=dict)

    def filters(self, plan: StemPlan) -> Tensor:
        """Give a stem's filters, which whiten the training images."""
        if plan not in self._filters:
            some = self.train.images[:: max(1, len(self.train.images) // N_WHITENED)]
            normalized = to_float(some, *self.statistics)
            self._filters[plan] = whitening_filters(plan, normalized)
        return self._filters[plan]


#: The data set used last, by fingerprint and device: moved to the device once a process.
_resident: dict[tuple[str, str], ResidentData] = {}


def on_device(dataset: Dataset, device: str) -> ResidentData:
    """Give the data set on the device, from the last call's if it is the same."""
    key = (dataset.fingerprint, device)
    if key not in _resident:
        train_split = _split(dataset.train_images, dataset.train_labels, device)
        test = _split(dataset.test_images, dataset.test_labels, device)
        validation = test
        if not dataset.validates_on_test:
            validation = _split(dataset.validation_images, dataset.validation_labels, device)
        _resident.clear()
        if device != "cpu":  # looking for garbage takes longer than a small training
            free(device)  # of the GPU that the process had before, too
        _resident[key] = ResidentData(
            train_split,
            validation,
            test,
            image_statistics(train_split.images),
        )
    return _resident[key]


def _split(images: NDArray[Any], labels: NDArray[Any], device: str) -> Split:
    """Wrap or copy arrays as tensors; on the CPU memory is shared with the array."""
    return Split(_tensor(images).to(device), _tensor(labels).to(device))


def _tensor(array: NDArray[Any]) -> Tensor:
    with warnings.catch_warnings():
        # Arrays from Ray's object store are read-only, which torch warns of. Nobody writes to them.
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(array)


def free(device: str) -> None:
    """Let go of everything that nobody refers to any more."""
    gc.collect()
    if device != "cpu":
        torch.cuda.empty_cache()
