"""Counting what a network gets wrong."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from vlga.ports.mistakes import Bin, Mistake, Mistakes
from workers.data.dataset import Images, LabelledImages

__all__ = ["N_WORST", "count_mistakes"]

#: Bins of equal width, as many as Guo et al. 2017 have, and mistakes that are named at most.
_N_BINS, N_WORST = 15, 12
#: Pixels of a picture's longer side: a page of all of them then takes less than 200 kB.
_MOST_PIXELS = 64


def count_mistakes(
    classes: tuple[str, ...],
    images: LabelledImages,
    found: npt.NDArray[np.int64],
    confidences: npt.NDArray[np.float32],
) -> Mistakes:
    """Count what is right and wrong.

    Args:
        classes: names in the order of the labels.
        images: n of them, at least one.
        found: (n,) in [0, n_classes), the classes that a network takes them for.
        confidences: (n,) in [0, 1], the probabilities that it gives these classes.
    """
    labels = images.labels
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (labels, found), 1)
    places = np.minimum((confidences * _N_BINS).astype(np.int64), _N_BINS - 1)
    wrong = np.flatnonzero(found != labels)
    surest = wrong[np.argsort(-confidences[wrong], kind="stable")][:N_WORST]
    return Mistakes(
        classes,
        tuple(tuple(row) for row in confusion.tolist()),
        tuple(
            Bin(
                int((places == place).sum()),
                float(confidences[places == place].mean()),
                float((found == labels)[places == place].mean()),
            )
            for place in np.unique(places)
        ),
        tuple(
            Mistake(
                int(index),
                classes[labels[index]],
                classes[found[index]],
                float(confidences[index]),
                _png(images.images[index]),
            )
            for index in surest
        ),
    )


def _png(image: Images) -> bytes:
    """Give (channels, height, width) uint8 as a file, smaller if it is large."""
    picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    picture.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
