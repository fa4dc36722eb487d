"""Images in NumPy arrays as programs have them: which axis has the channels, and what is black."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workers.data.dataset import Images

__all__ = ["CHANNELS", "Array", "channels_first", "in_eight_bits", "levels_of"]

Array = npt.NDArray[Any]

#: How many channels images may have.
CHANNELS = (1, 3, 4)


def channels_first(array: Array) -> Array | None:
    """Give images as (n, channels, height, width), without copying them; None if they are none.

    Args:
        array: (n, height, width), (n, height, width, channels) or (n, channels, height, width) of
            any type. The axis of length 1, 3 or 4 has the channels; if both could, the last one.
    """
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in CHANNELS:
        array = array.transpose(0, 3, 1, 2)
    return array if array.ndim == 4 and array.shape[1] in CHANNELS else None


def levels_of(array: Array) -> tuple[float, float]:
    """Give the levels that are to become 0 and 255: the range of the array, for uint8 all of it.

    Args:
        array: finite numbers, at least one.
    """
    if array.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(array.min()), float(array.max())
    return (low, high) if low < high else (low, low + 1.0)


def in_eight_bits(array: Array, levels: tuple[float, float]) -> Images:
    """Give numbers as uint8, C-contiguous; what is beyond the levels is as dark or light as they.

    Args:
        array: finite numbers.
        levels: which become 0 and 255, the first below the second.
    """
    if array.dtype == np.uint8 and levels == (0.0, 255.0):
        return np.ascontiguousarray(array)
    low, high = levels
    scaled = array.astype(np.result_type(array.dtype, np.float32))
    scaled -= low
    scaled *= 255 / (high - low)
    np.rint(scaled, out=scaled)
    return scaled.clip(0, 255, out=scaled).astype(np.uint8, order="C")
