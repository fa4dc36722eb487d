"""The settings of a search, with their defaults and ranges."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from vlga.config.base import Count, Fraction, Settings, or_auto
from vlga.config.data import DataConfig
from vlga.config.fitness import FitnessName
from vlga.config.objectives import ObjectiveName
from vlga.config.strategies import ENDING, MULTI_OBJECTIVE, StrategyName
from vlga.config.study import StudyConfig
from vlga.config.training import FinalConfig, TrainingConfig
from vlga.errors import ConfigError, GenomeError
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace

__all__ = [
    "AUTO",
    "BudgetConfig",
    "LimitsConfig",
    "PopulationConfig",
    "SearchConfig",
    "SpaceConfig",
    "TrackingConfig",
    "WorkersConfig",
]


#: Settings that may be ``auto``: chosen for the images, the machine and the time when a search
#: begins, see `vlga.app.sizes`.
AUTO = (
    "final.committee",
    "final.epochs",
    "limits.max_activation_bytes",
    "limits.max_macs",
    "population.founders",
    "training.batch_size",
    "training.epochs",
)


class SpaceConfig(Settings):
    """The alleles of each gene; `SearchSpace.from_settings` checks them."""

    network: dict[str, Any]
    block: dict[str, Any]
    first_block: dict[str, Any] = Field({})
    prior: dict[str, Any] = Field({})

    def build(self) -> SearchSpace:
        """Give the space, or raise `ConfigError`."""
        return SearchSpace.from_settings(self.network, self.block, self.first_block, self.prior)


class PopulationConfig(Settings):
    """The genetic algorithm; the preset xiao2020 has the values of Xiao et al. 2020."""

    # A generation is made in one go and held in memory.
    size: int = Field(16, ge=2, le=1_000_000, description="individuals in a generation")
    generations: int = Field(4, ge=1, description="generations in a phase, including the first")
    survivor_fraction: float = Field(
        0.5, gt=0, le=1, description="share of the fittest that survive"
    )
    less_fit_survival_probability: Fraction = Field(
        0.2, description="probability that each of the others survives"
    )
    mutation_probability: Fraction = Field(
        0.2, description="probability that one gene of an individual is changed"
    )
    mutate: Literal["survivors", "offspring"] = Field(
        "offspring", description="which mutate: less fit survivors (Xiao et al.) or offspring"
    )
    avoid_duplicates: bool = Field(
        True, description="mutate offspring that equal a network already seen in the phase"
    )
    max_blocks: int | None = Field(None, ge=1, description="most blocks that a network may have")
    rungs: Annotated[int, Field(ge=1, le=9)] = Field(
        3, description="lengths of training of strategy ladder: the whole, a third of it, a ninth"
    )
    screen: Count = Field(
        1,
        description="children that strategy ladder makes for each network it trains, of which a "
        "model of the networks known so far chooses one; 1: no model",
    )
    founders: list[dict[str, Any]] = Field(
        [],
        description="genomes tried before all others, by strategies without generations; auto: "
        "networks that are known to be good",
        json_schema_extra=or_auto,
    )
    stop_margin: Fraction = Field(
        0.01, description="stop when a phase's best is worse than the best so far by more than this"
    )


class BudgetConfig(Settings):
    """What a search may use; it ends with the first that is used up."""

    evaluations: Annotated[int, Field(ge=1)] | None = Field(None, description="trainings started")
    epochs: Annotated[int, Field(ge=1)] | None = Field(None, description="epochs trained")
    seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="wall time, the winner's longer training included"
    )
    phases: Annotated[int, Field(ge=1)] | None = Field(None, description="phases run")


class LimitsConfig(Settings):
    """What one network may cost, and when to give up."""

    max_macs: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="multiply-accumulates an image, or auto; a larger network is shrunk to fit",
        json_schema_extra=or_auto,
    )
    max_activation_bytes: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="feature maps kept for one image in a training step, or auto; as for max_macs",
        json_schema_extra=or_auto,
    )
    latency_ms: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="longest time for one image on the CPU thread or GPU that trains; a network "
        "that takes longer fails before it is trained",
    )
    evaluation_seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="time limit of one training"
    )
    weight_files: Count = Field(
        100, description="weight files to keep, of the fittest; those still needed are kept too"
    )
    max_failures_in_a_row: Count = Field(
        20, description="after so many the search stops and says why"
    )


def _gpus(value: Any) -> Any:
    """Accept a number of GPUs, or the word auto."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "auto" and not (is_number and 0 <= value < math.inf):
        raise ConfigError(
            "[workers] gpus_per_evaluation must be a number of at least 0, or auto, but got "
            f"gpus_per_evaluation={value!r}"
        )
    return value


class WorkersConfig(Settings):
    """Where trainings run."""

    inline: bool = Field(False, description="train in this process, one at a time, without Ray")
    address: str | None = Field(
        None, description="a Ray cluster; if not set, Ray is started on this machine"
    )
    workers: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="trainings at a time; if not set, as many as the cluster has room for"
    )
    cpus_per_evaluation: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    gpus_per_evaluation: Annotated[float | Literal["auto"], BeforeValidator(_gpus)] = Field(
        "auto",
        description="GPUs, or a share of one; auto: the share that each network needs, or only "
        "CPUs if torch can use no GPU",
    )


class TrackingConfig(Settings):
    """Tools that are told of every training; what they know has no say in a search."""

    tensorboard: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="a folder for TensorBoard; each training is a run, SEARCH/ID, in it"
    )
    mlflow: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="where MLflow keeps runs; each search is an experiment"
    )


class SearchConfig(Settings):
    """All settings of a search."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0  # as much as a database holds
    strategy: StrategyName = "variable_length"
    fitness: FitnessName = Field(
        "accuracy",
        description="what a network is chosen by; all classes count alike, whatever their size, in "
        "balanced_accuracy (mean of the classes' accuracies) and f1_macro; log_loss: "
        "exp(-log loss), so that more is better",
    )
    objectives: list[ObjectiveName] = Field(
        ["fitness"],
        description="fitness, and what ladder or steady_state trades it for: parameters, macs, "
        "latency",
    )
    data: DataConfig = DataConfig()
    space: SpaceConfig
    population: PopulationConfig = PopulationConfig()
    training: TrainingConfig = TrainingConfig()
    final: FinalConfig = FinalConfig()
    budget: BudgetConfig = BudgetConfig()
    limits: LimitsConfig = LimitsConfig()
    workers: WorkersConfig = WorkersConfig()
    tracking: TrackingConfig = TrackingConfig()
    study: StudyConfig = StudyConfig()
    auto: list[str] = Field([], description="settings that are auto, and so have no value yet")

    @property
    def measures_latency(self) -> bool:
        """Whether it matters how long a network takes for one image."""
        return "latency" in self.objectives or self.limits.latency_ms is not None

    @property
    def averages_mirrored(self) -> bool:
        """Whether the winner looks at mirror images too, which would double its latency."""
        return self.final.average_mirrored and not self.measures_latency

    def founders(self) -> tuple[Genome, ...]:
        """Give the networks that are tried before all others.

        Raises:
            ConfigError: one is no genome, or has a gene or a length that the space does not have.
        """
        space, most = self.space.build(), self.population.max_blocks
        genomes = []
        for index, heritage in enumerate(self.population.founders):
            where = f"[population] founders[{index}]"
            try:
                genome = Genome.from_dict(heritage)
            except GenomeError as error:
                raise ConfigError(f"{where}: {error}") from error
            stray = space.stray_gene(genome)
            if stray is not None:
                raise ConfigError(
                    f"{where} must lie in the space, but got {stray}={genome.genes()[stray]!r}; "
                    "add this allele to the space, or leave the network out"
                )
            if most is not None and len(genome.blocks) > most:
                raise ConfigError(
                    f"{where} must have at most population.max_blocks={most} blocks, but has "
                    f"{len(genome.blocks)}"
                )
            genomes.append(genome)
        return tuple(genomes)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.space.build()
        self.founders()
        for key in self.auto:
            if key not in AUTO:
                raise ConfigError(f"auto must be of {', '.join(AUTO)}, but got {key!r}")
        self._check_objectives()
        budget = self.budget
        is_chosen = "training.epochs" in self.auto
        if budget.epochs is not None and budget.epochs < self.training.epochs and not is_chosen:
            raise ConfigError(
                f"[budget] epochs must be at least training.epochs={self.training.epochs}, but "
                f"got epochs={budget.epochs}; set a larger budget, or fewer training.epochs"
            )
        if self.strategy not in ENDING and not (
            budget.evaluations or budget.epochs or budget.seconds
        ):
            raise ConfigError(
                "[budget] must limit evaluations, epochs or seconds for strategy "
                f"{self.strategy!r}, which never ends by itself; add --set budget.evaluations=100"
            )
        return self

    def _check_objectives(self) -> None:
        got = f"but got objectives={self.objectives}"
        if self.objectives[:1] != ["fitness"] or len({*self.objectives}) < len(self.objectives):
            raise ConfigError(f"objectives must begin with fitness and have none twice, {got}")
        if len(self.objectives) > 1 and self.strategy not in MULTI_OBJECTIVE:
            others = " or ".join(f"--set strategy={name}" for name in sorted(MULTI_OBJECTIVE))
            raise ConfigError(
                f"objectives must be [fitness] for strategy {self.strategy!r}, which weighs "
                f"nothing else, {got}; add {others}"
            )
        if len(self.objectives) > 1 and self.population.screen > 1:
            raise ConfigError(
                "[population] screen must be 1 with several objectives, since its model knows the "
                f"fitness alone, but got screen={self.population.screen}"
            )
