"""Which images a search has: the settings ``data``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from vlga.config.base import Settings
from vlga.errors import ConfigError, shown

__all__ = ["DataConfig", "ImageSize"]


def _image_size(value: Any) -> Any:
    """Accept pixels, [height, width] or the word auto, which searches of old have as null."""
    sides = value if isinstance(value, (list, tuple)) and len(value) == 2 else [value]
    if value in ("auto", None):
        return "auto"
    if not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in sides):
        raise ConfigError(
            "[data] image_size must be a number of pixels of at least 1, [height, width] or auto, "
            f"but got image_size={shown(value)}"
        )
    return value


#: Height and width in pixels, one number if they are equal, or how they are chosen.
ImageSize = Annotated[
    int | list[int] | Literal["auto"],
    BeforeValidator(_image_size),
]


class DataConfig(Settings):
    """Which images, and how they are split. No image is in two splits."""

    name: str = Field(
        "digits", description="a known data set, an .npz file or a folder of class folders"
    )
    dir: str | None = Field(None, description="folder of torchvision's files; also VLGA_DATA")
    train_limit: int | None = Field(
        None,
        ge=10,
        description="use only so many training images, those split off to validate included, "
        "in equal proportions",
    )
    validation_fraction: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="share of the training images that gives the fitness, if a data set has no "
        "images to validate on",
    )
    test_fraction: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="share kept for the test if a data set has no test images",
    )
    fitness_on: Literal["validation", "test"] = Field(
        "validation",
        description="test: as Xiao et al. most likely did; no accuracy is then on unseen images",
    )
    image_size: ImageSize = Field(
        "auto",
        description="scale and crop a folder's images to this height and width, or to "
        "[height, width]; auto: at most 64 pixels on the shorter side, fewer if memory is short",
    )
    fit: Literal["crop", "pad"] = Field(
        "crop",
        description="how a folder's images get that shape; crop: the centre of each, pad: all of "
        "it, with black around",
    )
    skip_broken: bool = Field(
        False, description="leave out a folder's files that cannot be read, and say which"
    )
