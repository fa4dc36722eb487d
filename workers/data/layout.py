"""Which files of a folder are the images of which class.

flowers/daisy/*.jpg  flowers/rose/*.jpg          no test images of its own
flowers/train/daisy/*.jpg  flowers/test/...      with test images
flowers/train/daisy/*.jpg  flowers/val/...       with validation images, and with test images or not
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from vlga.errors import DataError
from workers.data.image_file import SUFFIXES

__all__ = ["FilesOfClass", "find_images"]

logger = logging.getLogger(__name__)

#: The most usual suffixes; there are too many for a message.
_KNOWN = ".png .jpg .tif and others that Pillow reads"

FilesOfClass = dict[str, list[Path]]

#: The names that the folders of a part may have, by the part.
_NAMES = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}


def find_images(path: Path) -> dict[str, FilesOfClass]:
    """Find the images of a folder of class folders.

    A folder called ``train`` that has folders has the class folders, and ``test`` and ``val`` (or
    ``valid`` or ``validation``) may be beside it.

    Args:
        path: the folder. The images of a class may be in folders of its class folder. Hidden files
            are ignored; others that are not images are skipped, which is logged.

    Returns:
        Files by class, by part: ``train``, and ``validation`` and ``test`` if they are there.
        Classes and the files of each are sorted by name; all parts have the same classes.

    Raises:
        DataError: a folder cannot be read, or has no class folders or an empty one; a part has
            other classes than ``train``.
    """
    skipped: list[Path] = []
    parts = _parts(path, skipped)
    if skipped:
        logger.warning(
            "%s: skipped %s, which are no images of a known type (%s), such as %r",
            path,
            _kinds(skipped),
            _KNOWN,
            str(skipped[0].relative_to(path)),
        )
    return parts


def _parts(path: Path, skipped: list[Path]) -> dict[str, FilesOfClass]:
    train_path = path / "train"
    # a folder "train" with images in it is a class, of trains beside cars and ships
    if not (train_path.is_dir() and _folders(train_path)):
        return {"train": _files_of_class(path, skipped)}
    there = [folder.name for folder in _folders(path)]
    found = {
        part: next(name for name in names if name in there)
        for part, names in _NAMES.items()
        if not set(names).isdisjoint(there)
    }
    others = [name for name in there if name not in found.values()]
    if others:
        logger.warning(
            "%s: skipped other folders than %s: %s", path, ", ".join(found.values()), others
        )
    parts = {part: _files_of_class(path / name, skipped) for part, name in found.items()}
    for part, name in found.items():
        differing = parts[part].keys() ^ parts["train"].keys()
        if differing:
            raise DataError(
                f"{str(path / name)!r} must have the same class folders as {str(train_path)!r}, "
                f"but these are only in one of them: {', '.join(sorted(differing))}"
            )
    return parts


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
