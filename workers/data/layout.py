"""Which files of a folder are the images of which class.

flowers/daisy/*.jpg  flowers/rose/*.jpg          no test images of its own
flowers/train/daisy/*.jpg  flowers/test/...      with test images
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from vlga.errors import DataError
from workers.data.image_file import SUFFIXES

__all__ = ["FilesOfClass", "Layout", "find_images"]

logger = logging.getLogger(__name__)

FilesOfClass = dict[str, list[Path]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The image files of a folder; classes and the files of each are sorted by name.

    Attributes:
        train: by class.
        test: by class, the same classes, or None.
    """

    train: FilesOfClass
    test: FilesOfClass | None

    @property
    def parts(self) -> list[FilesOfClass]:
        """Those that there are, training images first."""
        return [self.train] if self.test is None else [self.train, self.test]

    @property
    def files(self) -> list[Path]:
        """All files, by part, then by class."""
        return [file for part in self.parts for files in part.values() for file in files]


def find_images(path: Path) -> Layout:
    """Find the images of a folder of class folders.

    Args:
        path: the folder; hidden files are ignored, other files that are not images are skipped.

    Raises:
        DataError: a folder cannot be read, or has no class folders or an empty one; the test
            images have other classes.
    """
    train_path = path / "train"
    # a folder "train" with images in it is a class, of trains beside cars and ships
    if not (train_path.is_dir() and _folders(train_path)):
        return Layout(_files_of_class(path), None)
    others = [folder.name for folder in _folders(path) if folder.name not in ("train", "test")]
    if others:
        logger.warning("%s: skipped other folders than train and test: %s", path, others)
    train = _files_of_class(train_path)
    if not (path / "test").is_dir():
        return Layout(train, None)
    test = _files_of_class(path / "test")
    if test.keys() != train.keys():
        raise DataError(
            f"{str(path / 'test')!r} must have the same class folders as {str(train_path)!r}, "
            f"but these are only in one of them: {', '.join(sorted(test.keys() ^ train.keys()))}"
        )
    return Layout(train, test)


def _files_of_class(folder: Path) -> FilesOfClass:
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
