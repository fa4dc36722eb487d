"""Single images, brought to the shape that a network was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from vlga.errors import DataError, shown
from vlga.networks.plan import Shape
from workers.data.dataset import Images
from workers.data.folder import read_each
from workers.data.image_file import SUFFIXES, BrokenImageError, look_at, read_pixels

__all__ = ["image_files", "read_pictures"]

#: Pillow's name for images of so many channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def image_files(paths: Sequence[Path]) -> list[Path]:
    """Give the files that are named, and those under the folders that are, by their suffix.

    Raises:
        DataError: a path is neither file nor folder, or a folder has no images.
    """
    files: list[Path] = []
    for path in paths:
        try:
            is_folder, is_file = path.is_dir(), path.is_file()
        except (OSError, ValueError):  # a name that no file can have
            is_folder = is_file = False
        if is_folder:
            found = sorted(one for one in path.rglob("*") if _looks_like_image(one))
            if not found:
                raise DataError(f"a folder must have images, but {shown(str(path))} has none")
            files += found
        elif is_file:
            files.append(path)
        else:
            raise DataError(
                f"an image must be a file or in a folder, but {shown(str(path))} is neither"
            )
    return files


def read_pictures(
    files: Sequence[Path], shape: Shape
) -> Iterator[tuple[Path, Images | BrokenImageError]]:
    """Give every file with its image, scaled and cut as images of a folder are, or with why not.

    Args:
        files: of images.
        shape: (channels, height, width) of each image given, uint8; channels are 1, 3 or 4. An
            image in colour becomes grey where there is one.
    """
    return read_each(partial(_read, shape=shape), "reading images", files)


def _looks_like_image(path: Path) -> bool:
    is_hidden = path.name.startswith(".")
    return path.suffix.lower() in SUFFIXES and not is_hidden and path.is_file()


def _read(file: Path, shape: Shape) -> Images:
    channels, height, width = shape
    if look_at(file).levels is not None:
        # By which levels the images of the search were brought to 8 bits is not recorded.
        raise BrokenImageError("it has more than 8 bits a pixel")
    pixels = read_pixels(file, height, width, mode=_MODES[channels])
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
