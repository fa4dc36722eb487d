"""Images in a folder of class folders, read with Pillow.

flowers/daisy/*.jpg  flowers/rose/*.jpg          no test images of its own
flowers/train/daisy/*.jpg  flowers/test/...      with test images
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from vlga.errors import DataError
from workers.data.dataset import Images, LabelledImages, RawDataset

__all__ = ["read_folder"]

logger = logging.getLogger(__name__)

#: What Pillow may read, by the file's name and by its content.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")

#: Largest height and width that images of different sizes are scaled to by default.
MAX_DEFAULT_SIZE = 64


def read_folder(path: Path, image_size: int | None = None) -> RawDataset:
    """Read a folder of class folders; classes are the folders' names, sorted.

    The result has one channel if all images are grey, else three (RGB). Transparent pixels become
    white, and an animation is represented by its first picture. If all images have the same size,
    they keep it. Otherwise each is scaled so that its shorter side is the median of all shorter
    sides, at most 64 pixels, and its centre is cut out as a square.

    Args:
        path: the folder; hidden files are ignored, other files that are not images are skipped.
        image_size: height and width to scale and crop all images to.

    Raises:
        DataError: a folder cannot be read, or has no class folders or an empty one; the test
            images have other classes; an image cannot be read; the images do not fit in memory.
    """
    train_path = path / "train"
    # a folder "train" with images in it is a class, of trains beside cars and ships
    is_split = train_path.is_dir() and bool(_folders(train_path))
    if is_split:
        others = [folder.name for folder in _folders(path) if folder.name not in ("train", "test")]
        if others:
            logger.warning("%s: skipped other folders than train and test: %s", path, others)
    files_of_class = _files_of_class(train_path if is_split else path)
    parts = [files_of_class]
    if is_split and (path / "test").is_dir():
        parts.append(_files_of_class(path / "test"))
        if parts[1].keys() != files_of_class.keys():
            raise DataError(
                f"{str(path / 'test')!r} must have the same class folders as {str(train_path)!r}, "
                f"but these are only in one of them: "
                f"{', '.join(sorted(parts[1].keys() ^ files_of_class.keys()))}"
            )
    files = [file for part in parts for of_class in part.values() for file in of_class]
    images = _read_images(path, files, image_size or _common_size(files))
    sets = []
    for part in parts:
        counts = [len(of_class) for of_class in part.values()]
        labels = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
        sets.append(LabelledImages(images[: len(labels)], labels))
        images = images[len(labels) :]
    return RawDataset(path.resolve().name, tuple(files_of_class), *sets)


def _files_of_class(folder: Path) -> dict[str, list[Path]]:
    """Give the image files of every class folder, classes and files sorted by name."""
    files_of_class = {one.name: _image_files(one) for one in _folders(folder)}
    if not files_of_class:
        raise DataError(
            f"{str(folder)!r} must have a folder of images for each class, but has none"
        )
    for name, files in files_of_class.items():
        if not files:
            raise DataError(
                f"class folder {str(folder / name)!r} must have at least one image, but has none "
                f"({' '.join(SUFFIXES)}); if it is not a class, move it out of {str(folder)!r}"
            )
    return files_of_class


def _image_files(folder: Path) -> list[Path]:
    entries = _entries(folder)
    files = [one for one in entries if one.suffix.lower() in SUFFIXES and one.is_file()]
    if len(files) < len(entries):
        other = next(one.name for one in entries if one not in files)
        logger.warning(
            "%s: skipped %d that are not images of a known type (%s), such as %r",
            folder,
            len(entries) - len(files),
            " ".join(SUFFIXES),
            other,
        )
    return files


def _folders(folder: Path) -> list[Path]:
    return [one for one in _entries(folder) if one.is_dir()]


def _entries(folder: Path) -> list[Path]:
    """Give what is in a folder, sorted by name, without hidden files."""
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError as error:
        raise DataError(
            f"the folder {str(folder)!r} must be readable, but it is not: {error.strerror}"
        ) from error


def _common_size(files: Sequence[Path]) -> int | None:
    """Give the height and width to scale the images to, or None if all have the same size."""
    with ThreadPoolExecutor() as pool:
        sizes = list(pool.map(_size, files))
    if len(set(sizes)) == 1:
        return None
    return min(int(np.median([min(size) for size in sizes])), MAX_DEFAULT_SIZE)


def _read_images(path: Path, files: Sequence[Path], size: int | None) -> Images:
    """Read images of one size as (n, channels, height, width), with one channel if all are grey."""
    height, width = (size, size) if size else _size(files[0])
    try:
        images = np.empty((len(files), 3, height, width), np.uint8)
    except MemoryError as error:
        raise DataError(
            f"the images of {str(path)!r} must fit in memory, but {len(files)} of "
            f"{height}x{width} do not; make them smaller with --set data.image_size=64"
        ) from error
    with ThreadPoolExecutor() as pool:  # Pillow decodes and resizes outside Python's lock
        for index, pixels in enumerate(pool.map(partial(_pixels, size=size), files)):
            images[index] = pixels.transpose(2, 0, 1)
    is_grey = all(bool((image == image[0]).all()) for image in images)
    return np.ascontiguousarray(images[:, :1]) if is_grey else images


def _size(file: Path) -> tuple[int, int]:
    """Give an image's height and width in pixels, after turning it upright."""
    with _opened(file) as image:
        width, height = image.size
        is_lying = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return (width, height) if is_lying else (height, width)


def _pixels(file: Path, size: int | None) -> Images:
    """Give an image as (height, width, 3), upright, resized and cropped to a square if asked."""
    with _opened(file) as opened:
        if size:
            opened.draft(None, (2 * size, 2 * size))  # a JPEG decodes faster at a lower resolution
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I;16"):  # which Pillow would cut off at 255
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("RGB")
        return np.asarray(ImageOps.fit(image, (size, size)) if size else image)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open an image; any error while it is open becomes a `DataError`."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            yield image
    # a broken PNG is a SyntaxError
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{str(file)!r} must be a readable image, but it is not ({error}); repair or delete it"
        ) from error
