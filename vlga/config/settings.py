"""The settings of a search: what there is to set, the defaults and the ranges."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from vlga.config.base import Count, Fraction, Settings
from vlga.config.strategies import ENDING, StrategyName
from vlga.config.study import StudyConfig
from vlga.errors import ConfigError
from vlga.genetics.space import SearchSpace

__all__ = [
    "BudgetConfig",
    "DataConfig",
    "FinalConfig",
    "LimitsConfig",
    "PopulationConfig",
    "SearchConfig",
    "SpaceConfig",
    "TrainingConfig",
    "WindowConfig",
    "WorkersConfig",
]


class DataConfig(Settings):
    """Which images, and how they are split. Images of a split never appear in another."""

    name: str = Field(
        "digits", description="a known data set, an .npz file or a folder of class folders"
    )
    dir: str | None = Field(None, description="folder of torchvision's files; also VLGA_DATA")
    train_limit: int | None = Field(
        None,
        ge=10,
        description="use only so many training images (validation included), stratified",
    )
    validation_fraction: float = Field(
        0.2, gt=0, lt=1, description="share of the training images that gives the fitness"
    )
    test_fraction: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="share cut off for the test where a data set has no test images",
    )
    fitness_on: Literal["validation", "test"] = Field(
        "validation",
        description="test: as Xiao et al. most likely did; no accuracy is then of unseen images",
    )
    image_size: int | None = Field(
        None, ge=1, description="bring a folder's images to this height and width in pixels"
    )


class SpaceConfig(Settings):
    """Alleles per gene; `SearchSpace.from_settings` checks them."""

    network: dict[str, Any]
    block: dict[str, Any]
    first_block: dict[str, Any] = Field({})

    def build(self) -> SearchSpace:
        """Give the space, or raise `ConfigError`."""
        return SearchSpace.from_settings(self.network, self.block, self.first_block)


class PopulationConfig(Settings):
    """The genetic algorithm's settings; the paper's values are in the preset ``xiao2020``."""

    size: int = Field(16, ge=2, description="individuals in a generation")
    generations: int = Field(4, ge=1, description="generations a phase, the first one included")
    survivor_fraction: float = Field(
        0.5, gt=0, le=1, description="share of the fittest that survive"
    )
    less_fit_survival_probability: Fraction = Field(
        0.2, description="chance of each of the others to survive"
    )
    mutation_probability: Fraction = Field(
        0.2, description="chance of an individual to have one gene changed"
    )
    mutate: Literal["survivors", "offspring"] = Field(
        "offspring", description="which may mutate: less fit survivors (the paper) or offspring"
    )
    avoid_duplicates: bool = Field(
        True, description="mutate offspring equal to a network that the phase has seen"
    )
    max_blocks: int | None = Field(None, ge=1, description="blocks of the deepest network")
    stop_margin: Fraction = Field(
        0.01, description="stop when a phase's best is worse than the best so far by more than this"
    )


class WindowConfig(Settings):
    """Some epochs of a training, from the end of the window before to its own."""

    until: Annotated[float, Field(gt=0)] = Field(
        description="its end; the last window's is the training's end, whatever the unit"
    )
    rate: Annotated[float, Field(gt=0)] = Field(
        1.0, description="its learning rate, as a multiple of the training's"
    )
    amplify: bool = Field(False, description="whether gradients are amplified in it")


class TrainingConfig(Settings):
    """One training. Learning rate, momentum, weight decay and amplification are genes."""

    epochs: Count = Field(6, description="passes over the training images")
    batch_size: Count = Field(128, description="images a step")
    warmup_fraction: Fraction = Field(
        0.2, description="share of the steps with a rising learning rate"
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augment: Literal["none", "crop", "crop_flip", "auto"] = Field(
        "auto", description="auto: crop_flip for colour photographs, crop for others"
    )
    inherit_weights: bool = Field(
        True, description="start from trained layers: of the previous phase's best, or the parent's"
    )
    reuse: bool = Field(
        True, description="take over what another search of the database knows of an equal training"
    )
    windows: list[WindowConfig] = Field(
        [], description="learning rates and amplification by epoch, instead of warmup and decay"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        ends = [window.until for window in self.windows]
        if ends != sorted(set(ends)):
            raise ConfigError(
                f"[training.windows] until must rise from window to window, but got {ends}"
            )
        return self


class FinalConfig(Settings):
    """The winner's longer training, on training and validation images together."""

    epochs: int = Field(30, ge=0, description="passes over the images; 0 leaves it out")
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1


class BudgetConfig(Settings):
    """Whichever is met first ends the search. Equal networks of a search cost one training."""

    evaluations: Annotated[int, Field(ge=1)] | None = Field(None, description="trainings started")
    epochs: Annotated[int, Field(ge=1)] | None = Field(None, description="epochs trained")
    seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="wall time, before the winner's final training"
    )
    phases: Annotated[int, Field(ge=1)] | None = Field(None, description="phases run")


class LimitsConfig(Settings):
    """What one network may cost, and when to give up."""

    max_macs: Annotated[int, Field(ge=1)] | None = Field(
        None, description="multiply-accumulates for one image; a larger network is shrunk to fit"
    )
    max_activation_bytes: Annotated[int, Field(ge=1)] | None = Field(
        None, description="maps that a training step keeps for one image; as for max_macs"
    )
    evaluation_seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="time for one training"
    )
    weight_files: Count = Field(
        100, description="files of weights kept: of the fittest, and those yet to be inherited"
    )
    max_failures_in_a_row: Count = Field(20, description="then the search stops and says why")


def _gpus(value: Any) -> Any:
    """Let a number of GPUs or the word pass."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "auto" and not (is_number and 0 <= value < math.inf):
        raise ConfigError(
            "[workers] gpus_per_evaluation must be a number of at least 0, or auto, but got "
            f"gpus_per_evaluation={value!r}"
        )
    return value


class WorkersConfig(Settings):
    """Where trainings run."""

    inline: bool = Field(False, description="in this process, one at a time, without Ray")
    address: str | None = Field(None, description="a Ray cluster; none starts Ray on this machine")
    workers: Annotated[int, Field(ge=1)] | None = Field(
        None, description="trainings at a time; as many as the cluster has room for if not given"
    )
    cpus_per_evaluation: Annotated[float, Field(gt=0)] = 1.0
    gpus_per_evaluation: Annotated[float | Literal["auto"], BeforeValidator(_gpus)] = Field(
        "auto",
        description="GPUs, or a share of one; auto: the share that each network needs, or CPUs "
        "alone where torch can use no GPU",
    )


class SearchConfig(Settings):
    """Everything that decides a search."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0  # as much as a database holds
    strategy: StrategyName = "variable_length"
    data: DataConfig = DataConfig()
    space: SpaceConfig
    population: PopulationConfig = PopulationConfig()
    training: TrainingConfig = TrainingConfig()
    final: FinalConfig = FinalConfig()
    budget: BudgetConfig = BudgetConfig()
    limits: LimitsConfig = LimitsConfig()
    workers: WorkersConfig = WorkersConfig()
    study: StudyConfig = StudyConfig()

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.space.build()
        budget = self.budget
        if budget.epochs is not None and budget.epochs < self.training.epochs:
            raise ConfigError(
                f"[budget] epochs must be enough for one training of {self.training.epochs}, but "
                f"got epochs={budget.epochs}; set more, or fewer training.epochs"
            )
        if self.strategy not in ENDING and not (
            budget.evaluations or budget.epochs or budget.seconds
        ):
            raise ConfigError(
                "[budget] must limit evaluations, epochs or seconds for strategy "
                f"{self.strategy!r}, which never ends by itself; add --set budget.evaluations=100"
            )
        return self
