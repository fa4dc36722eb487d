"""Single images, brought to the shape that a network was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from vlga.errors import DataError, shown
from vlga.networks.layers import Shape
from workers.data.dataset import Images
from workers.data.folder import read_each
from workers.data.image_file import SUFFIXES, BrokenImageError, fitted, look_at, read_pixels
from workers.data.npz import read_images
from workers.data.seen import Levels

__all__ = ["Picture", "find_pictures", "read_pictures"]

#: Pillow's name for images of so many channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Where an image is.

    Attributes:
        file: that has it.
        index: of it in an archive; None if it is the file's only one.
        pixels: of an image of an archive, (height, width, channels) uint8.
    """

    file: Path
    index: int | None = None
    pixels: Images | None = None

    @property
    def name(self) -> str:
        """The file, and in an archive the image's number: ``photos.npz[3]``."""
        return str(self.file) if self.index is None else f"{self.file}[{self.index}]"


def find_pictures(paths: Sequence[Path]) -> list[Picture]:
    """Give the images of the files and archives that are named, and of files in named folders.

    Files in folders are known by their suffix, archives (`read_images`) by ``.npz``.

    Raises:
        DataError: a path is neither file nor folder, a folder has no images, or as `read_images`.
    """
    pictures: list[Picture] = []
    for path in paths:
        try:
            is_folder, is_file = path.is_dir(), path.is_file()
        except (OSError, ValueError):  # a name that no file can have
            is_folder = is_file = False
        if is_folder:
            found = sorted(one for one in path.rglob("*") if _looks_like_image(one))
            if not found:
                raise DataError(f"a folder must have images, but {shown(str(path))} has none")
            pictures += map(Picture, found)
        elif is_file and path.suffix.lower() == ".npz":
            pictures += (Picture(path, *one) for one in enumerate(read_images(path)))
        elif is_file:
            pictures.append(Picture(path))
        else:
            raise DataError(
                f"an image must be a file or in a folder, but {shown(str(path))} is neither"
            )
    return pictures


def read_pictures(
    pictures: Sequence[Picture],
    shape: Shape,
    levels: Levels | None = None,
    *,
    padded: bool = False,
) -> Iterator[tuple[Picture, Images | BrokenImageError]]:
    """Give every picture with its image, scaled and cut as images of a folder are, or with why not.

    Args:
        pictures: what `find_pictures` has found.
        shape: (channels, height, width) of each image given, uint8; channels are 1, 3 or 4. An
            image in colour becomes grey where there is one.
        levels: what becomes 0 and 255 in an image of more than 8 bits a pixel; without them, such
            an image is one that cannot be read.
        padded: whether an image of another shape is padded instead of cut, as `fitted` has it.
    """
    return read_each(
        partial(_read, shape=shape, levels=levels, padded=padded), "classifying images", pictures
    )


def _looks_like_image(path: Path) -> bool:
    is_hidden = path.name.startswith(".")
    return path.suffix.lower() in SUFFIXES and not is_hidden and path.is_file()


def _read(picture: Picture, shape: Shape, levels: Levels | None, *, padded: bool) -> Images:
    channels, height, width = shape
    mode = _MODES[channels]
    if picture.pixels is not None:
        grey = picture.pixels.shape[2] == 1
        image = Image.fromarray(picture.pixels[..., 0] if grey else picture.pixels)
        pixels = fitted(image, height, width, mode, padded=padded)
    else:
        if look_at(picture.file).levels is not None and levels is None:
            raise BrokenImageError("it has more than 8 bits a pixel, which no image before had")
        pixels = read_pixels(picture.file, height, width, levels, mode, padded=padded)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
