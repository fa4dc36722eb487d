"""Images in a folder of class folders, brought to one size in one array."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from vlga.config.data import ImageSize
from vlga.errors import DataError
from workers.data.dataset import Images, LabelledImages, RawDataset
from workers.data.image_file import BrokenImageError, look_at, read_pixels
from workers.data.layout import FilesOfClass, find_images
from workers.data.progress import counted
from workers.data.seen import Levels, Look, say_sizes, seen_of
from workers.machine import available_memory_bytes

__all__ = ["LEAVE_OUT_BROKEN", "read_each", "read_folder", "read_readable"]

logger = logging.getLogger(__name__)

S = TypeVar("S")
T = TypeVar("T")

#: Most pixels of the shorter side by default: networks that cost as much on 96 or 128 pixels learn
#: no better (tests/benchmarks/results/image_size.txt). The others are for where memory is short.
_DEFAULT_SIZES = (64, 48, 32, 24, 16)

#: Copies of the images in memory while they are split.
_COPIES = 2

#: Images that are read ahead of who uses them, at most.
_AT_ONCE = 1024

#: Images that are decoded at once, at most.
_MOST_THREADS = 16

#: Broken files that a message names.
_MOST_NAMED = 5
#: What ends it.
LEAVE_OUT_BROKEN = "or leave out such files with --set data.skip_broken=true"


def read_folder(
    path: Path,
    image_size: ImageSize = "auto",
    *,
    padded: bool = False,
    skip_broken: bool = False,
) -> RawDataset:
    """Read a folder of class folders; classes are the folders' names, sorted.

    The result has one channel if all images are grey, else three (RGB). Transparent pixels become
    white, and an animation is represented by its first picture. Images of one size keep their
    shape, scaled down if the shorter side has more than 64 pixels. Of different sizes, each is
    scaled so that its shorter side is the median of all shorter sides, at most 64 pixels, and its
    centre is cut out as a square. Where memory is short, both become smaller. Grey levels of more
    than 8 bits are scaled by the highest that any of the images has. What was done is logged.

    Args:
        path: the folder, as `find_images` takes it.
        image_size: height and width to scale and crop all images to, unless ``auto``.
        padded: scale images to lie within, with black around, instead of cutting their centre out.
        skip_broken: leave out files that cannot be read, and say which.

    Raises:
        DataError: as `read_readable`; an image cannot be read, without `skip_broken`.
    """
    raw = read_readable(path, image_size, padded=padded)
    broken = raw.seen.broken if raw.seen else {}
    if broken and not skip_broken:
        raise _not_readable(broken)
    if broken:
        logger.warning("%s: skipped %d broken: %s", path, len(broken), _named(broken))
    return raw


def read_readable(
    path: Path, image_size: ImageSize = "auto", *, padded: bool = False
) -> RawDataset:
    """Read as `read_folder` does what can be read of a folder; its `seen` has the rest.

    Raises:
        DataError: as `find_images`; no image can be read; the images do not fit in memory.
    """
    files_of_part = find_images(path)
    files = [
        file
        for files_of_class in files_of_part.values()
        for of_class in files_of_class.values()
        for file in of_class
    ]
    broken: dict[Path, str] = {}
    looks = _all_looks(files, broken)
    if not looks:
        raise _not_readable(broken)
    sizes = _sizes([*looks.values()], image_size)
    height, width = _that_fits(path, len(files), sizes)
    levels = _common_levels(looks.values())
    read = partial(read_pixels, height=height, width=width, levels=levels, padded=padded)
    images = _read_images(files, broken, (height, width), read)
    if len(broken) == len(files):
        raise _not_readable(broken)
    name = path.resolve().name
    seen = seen_of([look for file, look in looks.items() if file not in broken], broken)
    say_sizes(
        name,
        seen,
        (height, width),
        padded=padded,
        is_chosen=image_size == "auto",
        is_short=(height, width) != sizes[0],
    )
    if levels is not None:
        n_deep = sum(look.levels is not None for look in looks.values())
        logger.info(
            "%s: %s have more than 8 bits a pixel; their levels from %s to %s become 0 to 255",
            name,
            *(f"{number:,.10g}" for number in (n_deep, *levels)),
        )
    parts: dict[str, LabelledImages] = {}
    for part, files_of_class in files_of_part.items():
        n_files = sum(map(len, files_of_class.values()))
        parts[part] = _labelled(files_of_class, images[:n_files], broken)
        images = images[n_files:]
    return RawDataset(
        name,
        tuple(files_of_part["train"]),
        parts["train"],
        parts.get("test"),
        parts.get("validation"),
        levels=levels,
        is_padded=padded,
        seen=seen,
    )


def _all_looks(files: Sequence[Path], broken: dict[Path, str]) -> dict[Path, Look]:
    """Look at all files; those that cannot be read are put among the broken ones."""
    looks = {}
    for file, look in read_each(look_at, "looking at images", files):
        if isinstance(look, BrokenImageError):
            broken[file] = str(look)
        else:
            looks[file] = look
    return looks


def _sizes(looks: Sequence[Look], image_size: ImageSize) -> list[tuple[int, int]]:
    """Give heights and widths that all images may be brought to, the best first."""
    if isinstance(image_size, int):
        return [(image_size, image_size)]
    if image_size != "auto":
        height, width = image_size
        return [(height, width)]
    shorter = int(np.median([min(look.size) for look in looks]))
    sizes = {look.size for look in looks}
    if len(sizes) > 1:
        return [(min(shorter, most),) * 2 for most in _DEFAULT_SIZES]
    ((height, width),) = sizes
    scales = (min(1.0, most / shorter) for most in _DEFAULT_SIZES)
    return [(round(scale * height), round(scale * width)) for scale in scales]


def _that_fits(path: Path, n_images: int, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Give the first size in which the images fit the memory that is free.

    Linux promises more memory than it has, and kills who uses it.

    Raises:
        DataError: they fit in none.
    """
    free = available_memory_bytes()
    for height, width in sizes:
        needed = _COPIES * n_images * 3 * height * width
        if needed <= free:
            return height, width
    way_out = "have fewer images" if len(sizes) > 1 else "leave it to --set data.image_size=auto"
    raise DataError(
        f"the images of {str(path)!r} must fit in memory, but {n_images:,} of {height}x{width} "
        f"need {needed / 2**30:,.1f} GiB and {free / 2**30:,.1f} GiB are free; {way_out}"
    )


def _common_levels(looks: Iterable[Look]) -> Levels | None:
    """Give the levels of all images of more than 8 bits together, or None if there are none.

    One range for all: how bright an image is beside the others may be what tells classes apart.
    """
    levels = [look.levels for look in looks if look.levels is not None]
    if not levels:
        return None
    lows, highs = zip(*levels, strict=True)
    low, high = min(lows), max(highs)
    return (low, high) if low < high else None


def _read_images(
    files: Sequence[Path],
    broken: dict[Path, str],
    size: tuple[int, int],
    read: Callable[[Path], Images],
) -> Images:
    """Read images as (n, channels, height, width), with one channel if all are grey.

    Broken ones are black; those found only now are put among the others.
    """
    images = np.zeros((len(files), 3, *size), np.uint8)
    places = {file: index for index, file in enumerate(files) if file not in broken}
    is_grey = True
    for file, pixels in read_each(read, "reading images", list(places)):
        if isinstance(pixels, BrokenImageError):
            broken[file] = str(pixels)
            continue
        images[places[file]] = pixels.transpose(2, 0, 1)
        is_grey = is_grey and bool((pixels == pixels[..., :1]).all())
    return np.ascontiguousarray(images[:, :1]) if is_grey else images


def read_each(
    read: Callable[[S], T], what: str, some: Sequence[S]
) -> Iterator[tuple[S, T | BrokenImageError]]:
    """Give every image with what is read of it, or with why it cannot be.

    Args:
        read: raises `BrokenImageError` where it cannot; is called in threads, not far ahead.
        what: begins the lines that tell how far it is.
        some: files or other places of images, in this order.
    """

    def try_to_read(one: S) -> T | BrokenImageError:
        try:
            return read(one)
        except BrokenImageError as error:
            return error

    # Pillow decodes and resizes outside Python's lock; each thread holds a whole image or three.
    pool = ThreadPoolExecutor(min(_MOST_THREADS, (os.cpu_count() or 1) + 1))
    try:
        batches = (some[start : start + _AT_ONCE] for start in range(0, len(some), _AT_ONCE))
        results = (result for batch in batches for result in pool.map(try_to_read, batch))
        yield from zip(some, counted(what, results, len(some)), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _labelled(
    files_of_class: FilesOfClass, images: Images, broken: Mapping[Path, str]
) -> LabelledImages:
    """Give a part's images with the numbers of their classes, without the broken ones."""
    counts = [len(files) for files in files_of_class.values()]
    part = LabelledImages(images, np.repeat(np.arange(len(counts), dtype=np.int64), counts))
    if not broken:
        return part
    files = (file for of_class in files_of_class.values() for file in of_class)
    return part.select(np.array([file not in broken for file in files]))


def _not_readable(broken: Mapping[Path, str]) -> DataError:
    if len(broken) > 1:
        return DataError(
            f"{len(broken):,} files must be readable images, but they are not: {_named(broken)}; "
            f"repair or delete them, {LEAVE_OUT_BROKEN}"
        )
    ((file, why),) = broken.items()
    return DataError(
        f"{str(file)!r} must be a readable image, but it is not ({why}); "
        f"repair or delete it, {LEAVE_OUT_BROKEN}"
    )


def _named(broken: Mapping[Path, str]) -> str:
    """Name broken files with what is wrong; of many only the first."""
    named = [f"{str(file)!r} ({why})" for file, why in sorted(broken.items())[:_MOST_NAMED]]
    rest = len(broken) - len(named)
    return ", ".join(named) + (f" and {rest:,} more" if rest else "")
