"""Which files of a folder are the images of which class.

flowers/daisy/*.jpg  flowers/rose/*.jpg          no test images of its own
flowers/train/daisy/*.jpg  flowers/test/...      with test images
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from vlga.errors import DataError
from workers.data.image_file import SUFFIXES

__all__ = ["FilesOfClass", "Layout", "find_images"]

logger = logging.getLogger(__name__)

#: The most usual suffixes; there are too many for a message.
_KNOWN = ".png .jpg .tif and others that Pillow reads"

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
        path: the folder. The images of a class may be in folders of its class folder. Hidden files
            are ignored; others that are not images are skipped, which is logged.

    Raises:
        DataError: a folder cannot be read, or has no class folders or an empty one; the test
            images have other classes.
    """
    skipped: list[Path] = []
    layout = _layout(path, skipped)
    if skipped:
        logger.warning(
            "%s: skipped %s, which are no images of a known type (%s), such as %r",
            path,
            _kinds(skipped),
            _KNOWN,
            str(skipped[0].relative_to(path)),
        )
    return layout


def _layout(path: Path, skipped: list[Path]) -> Layout:
    train_path = path / "train"
    # a folder "train" with images in it is a class, of trains beside cars and ships
    if not (train_path.is_dir() and _folders(train_path)):
        return Layout(_files_of_class(path, skipped), None)
    others = [folder.name for folder in _folders(path) if folder.name not in ("train", "test")]
    if others:
        logger.warning("%s: skipped other folders than train and test: %s", path, others)
    train = _files_of_class(train_path, skipped)
    if not (path / "test").is_dir():
        return Layout(train, None)
    test = _files_of_class(path / "test", skipped)
    if test.keys() != train.keys():
        raise DataError(
            f"{str(path / 'test')!r} must have the same class folders as {str(train_path)!r}, "
            f"but these are only in one of them: {', '.join(sorted(test.keys() ^ train.keys()))}"
        )
    return Layout(train, test)


def _files_of_class(folder: Path, skipped: list[Path]) -> FilesOfClass:
    """Give the image files of every class folder, classes and files sorted by name."""
    files_of_class: FilesOfClass = {}
    for one in _folders(folder):
        files: list[Path] = []
        others: list[Path] = []
        for file in _walk(one):
            is_image = file.suffix.lower() in SUFFIXES and file.is_file()
            (files if is_image else others).append(file)
        if not files:
            found = f"has {_kinds(others)}" if others else "is empty"
            raise DataError(
                f"class folder {str(one)!r} must have at least one image of a known type "
                f"({_KNOWN}), but {found}; if it is not a class, move it out of {str(folder)!r}"
            )
        files_of_class[one.name] = files
        skipped += others
    if not files_of_class:
        raise DataError(
            f"{str(folder)!r} must have a folder of images for each class, but has none"
        )
    return files_of_class


def _walk(folder: Path) -> Iterator[Path]:
    """Give all files in and below a folder, sorted, without hidden ones.

    Links to folders are given as files are: they may lead in circles.
    """

    def fail(error: OSError) -> NoReturn:
        raise _unreadable(Path(error.filename), error) from error

    for root, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(root, name).is_symlink()]
        for name in sorted([*names, *links]):
            if not name.startswith("."):
                yield Path(root, name)


def _kinds(files: Sequence[Path]) -> str:
    """Say what kinds of files there are, such as ``20 .txt, 3 .csv and 2 more``."""
    counts = Counter(
        file.suffix.lower() for file in files if file.suffix[1:].isalnum()
    ).most_common(3)
    rest = len(files) - sum(count for _, count in counts)
    named = ", ".join(f"{count:,} {suffix}" for suffix, count in counts)
    return named + (f"{' and ' if named else ''}{rest:,} more" if rest else "")


def _folders(folder: Path) -> list[Path]:
    return [one for one in _entries(folder) if one.is_dir()]


def _entries(folder: Path) -> list[Path]:
    """Give what is in a folder, sorted by name, without hidden files."""
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"the folder {str(folder)!r} must be readable, but it is not: {error.strerror}"
    )
