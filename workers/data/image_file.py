"""One image file, read with Pillow: what it is, and its pixels in the size and range asked for."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from workers.data.dataset import Images
from workers.data.seen import Levels, Look

__all__ = ["SUFFIXES", "BrokenImageError", "fitted", "look_at", "read_pixels"]

#: What Pillow may read, by the file's name. Left out are what is no picture (PostScript, films) and
#: what only another program can draw.
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib"),
    *(".gif", ".jp2", ".j2k", ".jpf", ".jpx", ".avif", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
    *(".pcx", ".sgi", ".rgb", ".bw", ".qoi", ".ico", ".psd", ".fits", ".fit"),
)
#: Likewise by the file's content.
FORMATS = (
    *("PNG", "JPEG", "TIFF", "WEBP", "BMP", "DIB", "GIF", "JPEG2000", "AVIF", "PPM", "TGA", "PCX"),
    *("SGI", "QOI", "ICO", "PSD", "FITS"),
)

# Scans and satellites give such images; those twice as large Pillow refuses.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class BrokenImageError(Exception):
    """A file that is not a readable image; its words say why."""


def look_at(file: Path) -> Look:
    """Look at an image. Raises `BrokenImageError` if it is none or cannot be read."""
    with _opened(file) as image:
        width, height = image.size
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        if orientation >= 5:  # stored lying
            width, height = height, width
        levels = None
        if _is_deep(image):
            pixels = np.asarray(image)
            levels = min(0.0, float(pixels.min())), float(pixels.max())
            if not np.isfinite(levels).all():
                raise ValueError("it has pixels that are no finite numbers")
        return Look(
            (height, width), image.mode, image.has_transparency_data, orientation > 1, levels
        )


def read_pixels(
    file: Path,
    height: int,
    width: int,
    levels: Levels | None = None,
    mode: str = "RGB",
    *,
    padded: bool = False,
) -> Images:
    """Give an image upright, as `fitted` makes it.

    Args:
        file: what `look_at` has looked at.
        height: in pixels.
        width: likewise.
        levels: what becomes 0 and 255 in an image of more than 8 bits a pixel.
        mode: as `fitted` has it.
        padded: likewise.

    Raises:
        BrokenImageError: the file is not an image or cannot be read.
    """
    with _opened(file) as opened:
        lowest = max(height, width)
        opened.draft(None, (2 * lowest, 2 * lowest))  # a JPEG decodes faster at a lower resolution
        image = ImageOps.exif_transpose(opened)
        if _is_deep(image) and levels is not None:  # which Pillow would cut off at 255
            low, high = levels
            pixels = np.array(image, np.float64)  # of a large image it is large: changed in place
            pixels -= low
            pixels *= 255 / (high - low)
            pixels.clip(0, 255, out=pixels)
            image = Image.fromarray(np.rint(pixels, out=pixels).astype(np.uint8))
        return fitted(image, height, width, mode, padded=padded)


def fitted(
    image: Image.Image, height: int, width: int, mode: str = "RGB", *, padded: bool = False
) -> Images:
    """Give an image as (height, width, channels); transparent pixels are white.

    An image of another size is scaled to cover height and width, and what sticks out is cut off at
    both ends; or it is scaled to lie within them. Exports do the same (`vlga.networks.source`).

    Args:
        image: of any size and mode, 8 bits a pixel.
        height: in pixels.
        width: likewise.
        mode: ``L`` for one channel, ``RGB``, or ``RGBA``, which keeps transparent pixels.
        padded: whether it lies within; what is left beside it is black, and transparent in RGBA.
    """
    if mode == "RGBA":
        image = image.convert("RGBA")
    else:
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("RGB")
    scaled = (ImageOps.pad if padded else ImageOps.fit)(image, (width, height))
    pixels = np.asarray(scaled.convert(mode))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _is_deep(image: Image.Image) -> bool:
    """Whether its pixels have more than 8 bits. Those in colour Pillow cuts down itself."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


@cache
def _formats() -> tuple[str, ...]:
    """Give the formats that this Pillow has."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open an image; any error while it is open becomes a `BrokenImageError`."""
    try:
        with Image.open(file, formats=_formats()) as image:
            yield image
    except UnidentifiedImageError as error:
        raise BrokenImageError(
            "it is no image of a known type" if file.stat().st_size else "it is empty"
        ) from error
    # a broken PNG is a SyntaxError
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise BrokenImageError(str(error)) from error
