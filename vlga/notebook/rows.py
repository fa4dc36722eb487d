"""Images as rows of pixels, which scikit-learn's pipelines pass on, and back."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vlga.errors import shown
from workers.data.arrays import CHANNELS, Array, channels_first

__all__ = ["Layout", "as_rows", "layout_of_rows"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pixels of an image follow each other in a row.

    Attributes:
        shape: (channels, height, width) of the image.
        channels_last: whether a pixel's channels are neighbours.
    """

    shape: tuple[int, int, int]
    channels_last: bool = False

    def images(self, rows: Array) -> Array:
        """Give rows (n, features) as (n, channels, height, width)."""
        channels, height, width = self.shape
        if self.channels_last:
            return rows.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
        return rows.reshape(-1, *self.shape)


def as_rows(images: npt.ArrayLike) -> tuple[Any, tuple[int, int, int] | None]:
    """Give images as rows of pixels, channel by channel, with the shape of one.

    What has not three or four axes is given back as it is: scikit-learn says what is wrong with it.

    Raises:
        ValueError: no axis has the channels.
    """
    array = np.asarray(images) if isinstance(images, (list, tuple)) else images
    given: tuple[int, ...] = getattr(array, "shape", ())
    if len(given) not in (3, 4):
        return array, None
    first = channels_first(np.asarray(array))
    if first is None:
        raise ValueError(
            "X must be (n, height, width), (n, height, width, channels) or (n, channels, height, "
            f"width) with 1, 3 or 4 channels, or rows of pixels, but got {given}"
        )
    n, channels, height, width = first.shape
    return first.reshape(n, channels * height * width), (channels, height, width)


def layout_of_rows(n_features: int, image_shape: Sequence[int] | None) -> Layout:
    """Say which images rows of so many pixels are.

    Args:
        n_features: pixels of a row, of all channels.
        image_shape: (height, width), or with the channels before or behind; None: a square, or else
            an image of height 1, which is logged.

    Raises:
        ValueError: `image_shape` is no shape, or has another number of pixels.
    """
    if image_shape is None:
        side = math.isqrt(n_features)
        if side**2 == n_features:
            return Layout((1, side, side))
        logger.warning(
            "rows of %s pixels are taken for images of height 1; set image_shape otherwise",
            f"{n_features:,}",
        )
        return Layout((1, 1, n_features))
    layout = _layout(image_shape)
    if layout is None or math.prod(layout.shape) != n_features:
        raise ValueError(
            "image_shape must be (height, width), (height, width, channels) or (channels, height, "
            f"width) with as many pixels as X has features, {n_features}, and 1, 3 or 4 channels, "
            f"but got image_shape={shown(image_shape)}"
        )
    return layout


def _layout(shape: Sequence[int]) -> Layout | None:
    """Give the layout that is meant by an `image_shape`, or None if it means none."""
    try:
        empty = np.empty((0, *shape))
    except (TypeError, ValueError):
        return None
    first = channels_first(empty)
    if first is None:
        return None
    _, *rest = first.shape
    is_last = len(shape) == 3 and shape[2] in CHANNELS
    return Layout((rest[0], rest[1], rest[2]), channels_last=is_last)
