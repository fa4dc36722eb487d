"""How many images each class has, in words, and which have too few."""

from __future__ import annotations

import logging

import numpy as np

from workers.data.dataset import Dataset, RawDataset
from workers.data.split import class_counts

__all__ = ["classes_text", "say_if_few"]

logger = logging.getLogger(__name__)

#: Classes that are listed one by one.
_MOST_LISTED = 8

#: Of fewer images of a class only one or two test it.
_FEW = 10


def classes_text(raw: RawDataset) -> str:
    """Say which classes there are, how many images each has, and the share of the largest."""
    labels = np.concatenate([part.labels for part in raw.parts])
    counts = class_counts(labels, len(raw.classes))
    least, most = int(counts.argmin()), int(counts.argmax())
    is_even = counts[least] == counts[most]
    if len(counts) <= _MOST_LISTED:
        each = (f"{count:,} {name}" for name, count in zip(raw.classes, counts, strict=True))
        text = ", ".join(each)
    elif is_even:
        text = f"{len(counts):,} classes of {counts[most]:,} images"
    else:
        text = (
            f"{len(counts):,} classes of {counts[least]:,} ({raw.classes[least]}) "
            f"to {counts[most]:,} ({raw.classes[most]}) images"
        )
    return text if is_even else f"{text}; the largest has {counts[most] / len(labels):.0%}"


def say_if_few(dataset: Dataset) -> None:
    """Say which classes have so few images that an accuracy tells little of them."""
    labels = dataset.train_labels, dataset.validation_labels, dataset.test_labels
    splits = labels[::2] if dataset.validates_on_test else labels
    counts = np.stack([class_counts(one, dataset.n_classes) for one in splits])
    totals = counts.sum(0)
    least, n_few = int(totals.argmin()), int((totals < _FEW).sum())
    if n_few:
        purposes = "train and test" if len(splits) == 2 else "train, validate and test"
        each = " + ".join(map(str, counts[:, least]))
        others = f", and {n_few - 1:,} more have fewer than {_FEW}" if n_few > 1 else ""
        logger.warning(
            "%s: class %r has only %s images (%s to %s)%s: how well a network knows such a class "
            "is hardly measured",
            *(dataset.name, dataset.classes[least], totals[least], each, purposes, others),
        )
