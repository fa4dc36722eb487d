"""What strategies share that draw genomes from a space: operators, limits and the logbook."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from deap import tools

from vlga.config.rungs import rung_lengths, training_epochs
from vlga.config.settings import PopulationConfig, SearchConfig
from vlga.errors import TooManyFailures
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.networks.layers import Shape
from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.base import Inherits, Strategy
from vlga.strategies.phenotypes import Networks, Phenotypes
from vlga.strategies.toolbox import build_toolbox

__all__ = ["SpaceSearch", "StrategySettings"]

#: Populations' worth of candidates in a row without a new training, after which a space counts as
#: searched through; reused candidates cost no budget, which would otherwise never end.
_MAX_BARREN = 20
#: Blocks of the longest genome where the settings name none: those of random search in Xiao et al.
_MAX_BLOCKS = 5
#: A drawn network may use a share of the limits between this and 1, and has so many blocks, at
#: least and at most (tests/benchmarks/results/draws.txt).
_LEAST_SHARE, _LEAST_BLOCKS, _MOST_BLOCKS = 1 / 2, 3, 5
#: Of so many it is the one with the most parameters for its work, where more than one for so many
#: multiply-accumulates count as that: what a limit leaves of a network is often a few channels at
#: full size. The most of all are no better, and on 8x8 images have fewer epochs in their time
#: (tests/benchmarks/results/draws.txt).
_N_DRAWN, _MACS_PER_PARAMETER = 3, 32


@dataclass(frozen=True, slots=True)
class StrategySettings:
    """What decides a search beside its space.

    Attributes:
        seed: of the search, in [0, 2**63).
        population: the genetic algorithm's settings.
        inherits_weights: whether candidates inherit trained weights, if the strategy's ever do.
        max_phases: phases after which a strategy that has phases ends, or None.
        rung_epochs: epochs of one training on each rung, for a strategy that has rungs.
        max_evaluations: trainings that the budget allows, or None.
        given: networks that a strategy without generations tries first.
        objectives: fitness, and what a strategy that can trades it for.
    """

    seed: int
    population: PopulationConfig
    inherits_weights: bool = True
    max_phases: int | None = None
    rung_epochs: tuple[int, ...] = (1,)
    max_evaluations: int | None = None
    given: tuple[Genome, ...] = ()
    objectives: tuple[str, ...] = ("fitness",)


class SpaceSearch(Strategy):
    """A strategy whose candidates are genomes of a space. It knows nothing of images.

    Args:
        space: where genomes come from.
        settings: the algorithm's.
        phenotypes: what genomes describe.

    Attributes:
        space: as given, or narrowed by the strategy.
        settings: as given.
        toolbox: the operators, on the space.
    """

    inherits: ClassVar[Inherits] = "phase_best"  # the winner's longer training needs its weights

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(settings.seed)
        self.space = self._narrowed(space)
        self.settings = settings
        self.toolbox = build_toolbox(self.space, settings.population)
        self._phenotypes = phenotypes
        self._trainings: set[tuple[str, int | None, int]] = set()
        self._n_repeats = 0
        self._n_given = 0

    @classmethod
    def from_config(cls, config: SearchConfig, input_shape: Shape, n_classes: int) -> Self:
        """Search for networks, by a configuration, for images of this shape."""
        settings = StrategySettings(
            config.seed,
            config.population,
            inherits_weights=config.training.inherit_weights,
            max_phases=config.budget.phases,
            rung_epochs=tuple(
                training_epochs(config, rung) for rung in range(len(rung_lengths(config)))
            ),
            max_evaluations=config.budget.evaluations,
            given=config.founders(),
            objectives=tuple(config.objectives),
        )
        return cls(config.space.build(), settings, Networks(input_shape, n_classes, config.limits))

    def _narrowed(self, space: SearchSpace) -> SearchSpace:
        """Give the part of the space that candidates come from: here all of it."""
        return space

    @property
    def _max_blocks(self) -> int:
        """Blocks of the longest genome, for strategies that do not grow it phase by phase."""
        return self.settings.population.max_blocks or _MAX_BLOCKS

    def _savings(self, individual: Individual) -> tuple[float, ...]:
        """Give how little a network costs by each objective beside the fitness; more is better.

        It is minus the logarithm of the cost: a tenth less is as much anywhere.
        """
        return tuple(-math.log(individual.cost(cost)) for cost in self.settings.objectives[1:])

    def _is_searched_through(self) -> bool:
        """Tell whether a long row of candidates brought no training that was not made before."""
        if self._n_repeats < _MAX_BARREN * self.settings.population.size:
            return False
        self.ended_by = f"the last {self._n_repeats} candidates brought no new network"
        return True

    def _lacks_parents_in(self, population: Sequence[Individual]) -> bool:
        """Tell whether a population is too small to go on from, though a best is known.

        Raises:
            TooManyFailures: it is, and nothing is known.
        """
        if len(population) >= 2:
            return False
        self.lacks_parents = True
        self.ended_by = (
            f"a generation needs at least 2 individuals to go on from, but phase {self.phase} "
            f"generation {self.generation} left {len(population)}; failures so far: "
            + (", ".join(f"{n} {why}" for why, n in self._failures.items()) or "none")
        )
        if self.best is None:
            raise TooManyFailures(self.ended_by)
        return True

    def _rng(self) -> Random:
        """Give this generation's source of randomness, derived by name."""
        return Random(f"{self.seed}/{self.phase}/{self.generation}")

    def _next_given(self, rng: Random) -> Candidate | None:
        """Make the next of the networks that are given, within the limits; None after the last."""
        if self._n_given == len(self.settings.given):
            return None
        return self._candidate(self._fit(self.settings.given[self._n_given], rng), "given")

    def _draw(self, rng: Random) -> Genome:
        """Draw some networks, and give the first that has enough parameters for its work.

        Or else the one that has most. Where no training has said anything yet, their number is a
        good guess at which is better (White et al. 2022,
        https://iclr-blog-track.github.io/2022/03/25/zero-cost-proxies/). Where fitness is traded
        for costs small ones are wanted too.
        """
        n = _N_DRAWN if len(self.settings.objectives) == 1 else 1
        drawn = [self._draw_one(rng) for _ in range(n)]
        enough = 1 / _MACS_PER_PARAMETER
        return max(drawn, key=lambda one: min(self._phenotypes.parameters_per_mac(one), enough))

    def _draw_one(self, rng: Random) -> Genome:
        """Draw a network as a person would begin: some blocks, each as wide as the last or wider.

        The share of the limits that it may use is log-uniform. Networks drawn from a wide space are
        nearly all too large, and all would be shrunk to the limit, where a search has time for the
        fewest.
        """
        most = min(self._max_blocks, _MOST_BLOCKS)
        n_blocks = rng.randint(min(most, _LEAST_BLOCKS), most)
        drawn = self.toolbox.individual(rng=rng, n_blocks=n_blocks)
        share = _LEAST_SHARE ** rng.random()
        return self._fit(self.toolbox.order_widths(drawn), rng, share=share)

    def _fit(self, genome: Genome, rng: Random, first_block: int = 0, share: float = 1.0) -> Genome:
        """Shrink these blocks until the network is within the limits, or they cannot be.

        Each step lowers a cost that is too high: kernels, say, are left alone if only the maps are
        too large.

        Args:
            genome: to shrink.
            rng: the source of randomness.
            first_block: index of the first block that may change.
            share: of the limits that are for this phase, in (0, 1], how much it may use.
        """
        costs, share = self._phenotypes.costs(genome), share * self._share_of_limits()
        while max(costs, default=0) > share:
            smaller = self.toolbox.shrink(
                genome, rng=rng, first_block=first_block, helps=self._lowers(costs, share)
            )
            if smaller is None:
                break
            genome, costs = smaller, self._phenotypes.costs(smaller)
        return genome

    def _lowers(self, costs: Sequence[float], share: float) -> Callable[[Genome], bool]:
        """Give what tells whether a genome has less of a cost that is above this share."""

        def lowers(genome: Genome) -> bool:
            pairs = zip(self._phenotypes.costs(genome), costs, strict=True)
            return any(less < cost for less, cost in pairs if cost > share)

        return lowers

    def _share_of_limits(self) -> float:
        """Give the share of the limits, in (0, 1], that networks made now may use."""
        return 1.0

    def _candidate(
        self,
        genome: Genome,
        operator: str,
        parents: tuple[int, ...] = (),
        weights_from: int | None = None,
        rung: int = 0,
    ) -> Candidate:
        """Number a genome as the search's next candidate."""
        candidate = Candidate(
            id=self._n_made,
            genome=genome,
            fingerprint=self._phenotypes.fingerprint(genome),
            phase=self.phase,
            generation=self.generation,
            parents=parents,
            operator=operator,
            weights_from=weights_from,
            rung=rung,
        )
        self._count(candidate)
        return candidate

    def _count(self, candidate: Candidate) -> None:
        """Count a candidate, and how many in a row were nothing new."""
        training = (candidate.fingerprint, candidate.weights_from, candidate.rung)
        self._n_made += 1
        self._n_given += candidate.operator == "given"
        self._n_repeats = self._n_repeats + 1 if training in self._trainings else 0
        self._trainings.add(training)

    def _log(
        self, population: Sequence[Individual], n_new: int, generation: int | None = None
    ) -> None:
        """Record a generation, the last one asked for if not given, in the logbook."""
        if not population:
            return
        record = tools.Statistics(lambda one: one.accuracy)
        record.register("best", max)
        record.register("median", statistics.median)
        record.register("worst", min)
        self.logbook.record(
            phase=self.phase,
            generation=self.generation if generation is None else generation,
            n_individuals=len(population),
            n_new=n_new,
            **record.compile(population),
        )
