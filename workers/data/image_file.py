"""One image file, read with Pillow: what it is, and its pixels in the size and range asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from workers.data.dataset import Images

__all__ = ["SUFFIXES", "BrokenImageError", "Look", "look_at", "read_pixels"]

#: What Pillow may read, by the file's name and by its content.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")


class BrokenImageError(Exception):
    """A file that is not a readable image; its words say why."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of an image before its pixels are wanted.

    Attributes:
        size: (height, width) in pixels, after turning it upright.
        is_transparent: whether any of it may be.
    """

    size: tuple[int, int]
    is_transparent: bool


def look_at(file: Path) -> Look:
    """Look at an image. Raises `BrokenImageError` if it is none or cannot be read."""
    with _opened(file) as image:
        width, height = image.size
        if image.getexif().get(ExifTags.Base.Orientation, 1) >= 5:  # stored lying
            width, height = height, width
        return Look((height, width), image.has_transparency_data)


def read_pixels(file: Path, height: int, width: int) -> Images:
    """Give an image as (height, width, 3), upright, transparent pixels white.

    An image of another size is scaled to cover height and width, and what sticks out is cut off at
    both ends.

    Raises:
        BrokenImageError: the file is not an image or cannot be read.
    """
    with _opened(file) as opened:
        lowest = max(height, width)
        opened.draft(None, (2 * lowest, 2 * lowest))  # a JPEG decodes faster at a lower resolution
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I;16"):  # which Pillow would cut off at 255
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return np.asarray(ImageOps.fit(image.convert("RGB"), (width, height)))


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open an image; any error while it is open becomes a `BrokenImageError`."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            yield image
    # a broken PNG is a SyntaxError
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise BrokenImageError(str(error)) from error
