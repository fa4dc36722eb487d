"""How networks are trained: the settings ``training``, and ``final`` for a winner's longer one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vlga.config.base import Count, Fraction, Settings, or_auto
from vlga.errors import ConfigError

__all__ = ["FinalConfig", "TrainingConfig", "WindowConfig"]


class WindowConfig(Settings):
    """Some epochs of a training: from the end of the previous window to its own end."""

    until: Annotated[float, Field(gt=0)] = Field(
        description="where it ends, in any unit: the last window ends with the training"
    )
    rate: Annotated[float, Field(gt=0)] = Field(
        1.0, description="its learning rate, as a multiple of the training's"
    )
    amplify: bool = Field(False, description="whether gradients are amplified in it")


class TrainingConfig(Settings):
    """One training. Learning rate, momentum, weight decay and amplification are genes."""

    epochs: Count = Field(
        6, description="passes over the training images, or auto", json_schema_extra=or_auto
    )
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        128, description="images in a step, or auto", json_schema_extra=or_auto
    )
    base_batch_size: Count | None = Field(
        None,
        description="the batch that learning rates are for: scaled to batch_size; weight decay is "
        "then what a step of so many images takes at the peak rate, whatever that is",
    )
    warmup_fraction: Fraction = Field(
        0.2, description="share of the steps with a rising learning rate"
    )
    initialization: Literal["he", "dirac"] = Field(
        "he",
        description="of convolutions; dirac: with batch normalization they begin by passing on, "
        "skip connections at zero",
    )
    norm_bias_rate: Annotated[float, Field(gt=0)] = Field(
        1.0,
        description="learning rate of batch normalization's shifts, as a multiple of the rest's",
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="balanced: a rare class weighs as much in the loss as a large one, also in the "
        "winner's longer training",
    )
    augment: Literal["none", "crop", "crop_flip", "auto"] = Field(
        "auto", description="auto: crop_flip for photographs, crop for others"
    )
    inherit_weights: bool = Field(
        True, description="start from trained layers of the previous phase's best, or the parent"
    )
    reuse: bool = Field(
        True, description="reuse the outcome of an equal training in another search of the database"
    )
    windows: list[WindowConfig] = Field(
        [], description="learning rate and amplification by epoch, instead of warmup and decay"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        ends = [window.until for window in self.windows]
        if ends != sorted(set(ends)):
            raise ConfigError(
                f"[training.windows] until must increase from window to window, but got {ends}"
            )
        return self


class FinalConfig(Settings):
    """The winner's longer training, on training and validation images together."""

    epochs: int = Field(
        30,
        ge=0,
        lt=2**31,
        description="passes over the images, at most, or auto; 0: no such training",
        json_schema_extra=or_auto,
    )
    time_fraction: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.4,
        description="share of budget.seconds that is kept for it, or less if it needs less; 0: "
        "none, it comes on top",
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    cutout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.25,
        description="side of the square that is hidden in each image, as a share of the image's, "
        "if the training has 30 epochs or more and images are augmented at all and have 16 pixels "
        "a side or more; 0: none",
    )
    early_size: Annotated[float, Field(gt=0, le=1)] = Field(
        0.75,
        description="side of the images in the first half of the training, as a share of their "
        "own, if it has 30 epochs or more and images are augmented at all and have 48 pixels a "
        "side or more; 1: their own",
    )
    average_mirrored: bool = Field(
        True,
        description="answer with the mean for an image and for its mirror image, where trainings "
        "mirror images and latency does not matter; a prediction costs two passes",
    )
    committee: Annotated[int, Field(ge=1, le=100)] = Field(
        1,
        description="networks trained so, the winner and the next best, as far as time allows; "
        "the mean of their probabilities is the search's answer; 1: the winner alone; auto: 4 "
        "where budget.seconds is set and what a network costs is nobody's concern",
        json_schema_extra=or_auto,
    )
