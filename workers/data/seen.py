"""What an image file is, and all files of a folder, before they are brought to one size."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Levels", "Look", "Seen", "say_sizes", "seen_of"]

logger = logging.getLogger(__name__)

#: What people call Pillow's modes; those of colour are called so already.
_KINDS = {"1": "black and white", "L": "grey", "LA": "grey with transparency", "P": "palette"}

#: The lowest and the highest level of pixels, different from each other.
Levels = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of an image before its pixels are wanted.

    Attributes:
        size: (height, width) in pixels, after turning it upright.
        mode: Pillow's word for what its pixels are, such as ``RGB``.
        is_transparent: whether any of it may be.
        is_turned: whether it is stored lying, upside down or mirrored.
        levels: the lowest, or 0 if that is less, and the highest of an image of more than 8 bits a
            pixel; else None.
    """

    size: tuple[int, int]
    mode: str
    is_transparent: bool
    is_turned: bool = False
    levels: Levels | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the readable files of a folder are, and which cannot be read.

    Attributes:
        sizes: how many have which (height, width) in pixels, upright; those of fewest pixels first.
        kinds: how many are ``RGB``, ``grey`` ...; the most frequent first.
        n_transparent: how many have transparent pixels, or may.
        n_turned: how many are stored lying or mirrored, and turned upright by their EXIF data.
        broken: why a file cannot be read, by file, sorted.
    """

    sizes: Mapping[tuple[int, int], int]
    kinds: Mapping[str, int]
    n_transparent: int
    n_turned: int
    broken: Mapping[Path, str]

    @property
    def sizes_text(self) -> str:
        """The smallest and the largest size: ``41x52 to 396x388``, or the only one."""
        sizes = [*self.sizes]
        ends = dict.fromkeys((sizes[0], sizes[-1]))
        return " to ".join(f"{height}x{width}" for height, width in ends)

    def differ_in_shape(self, height: int, width: int) -> bool:
        """Tell whether an image does not fill this size, however it is scaled."""
        return not all(
            math.isclose(one / other, height / width, rel_tol=0.02) for one, other in self.sizes
        )


def seen_of(looks: Collection[Look], broken: Mapping[Path, str]) -> Seen:
    """Sum up what was seen of the readable files; at least one."""
    sizes = Counter(look.size for look in looks)
    kinds = Counter(_kind(look) for look in looks)
    return Seen(
        {size: sizes[size] for size in sorted(sizes, key=lambda size: (math.prod(size), size))},
        dict(kinds.most_common()),
        sum(look.is_transparent for look in looks),
        sum(look.is_turned for look in looks),
        dict(sorted(broken.items())),
    )


def _kind(look: Look) -> str:
    return _KINDS.get(look.mode, look.mode) if look.levels is None else "grey of more than 8 bits"


def say_sizes(
    name: str,
    seen: Seen,
    size: tuple[int, int],
    *,
    padded: bool,
    is_chosen: bool,
    is_short: bool,
) -> None:
    """Say what was done to images, if anything.

    Args:
        name: of their folder.
        seen: what they were.
        size: height and width that they were brought to.
        padded: whether they were made to lie within.
        is_chosen: whether no setting asked for this size.
        is_short: whether more would not have fitted in memory.
    """
    said = []
    if [*seen.sizes] != [size]:
        n_images, (height, width) = sum(seen.sizes.values()), size
        said.append(f"{n_images:,} images of {seen.sizes_text} brought to {height}x{width}")
        if is_short:
            said.append("as more would not fit in memory")
        if seen.differ_in_shape(*size):
            said.append("with black around" if padded else "the centre of each")
    if seen.n_transparent:
        said.append("transparent pixels are white")
    if said:
        change = "; change with --set data.image_size=N" if is_chosen else ""
        logger.info("%s: %s%s", name, ", ".join(said), change)
