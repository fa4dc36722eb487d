"""The variable-length genetic algorithm of Xiao et al. 2020 (https://arxiv.org/abs/2006.12703).

Section 3.1, steps 1 to 13. A phase searches one block: a population with a common fixed prefix goes
through generations of selection, mutation and uniform crossover; the phase's best is then grown by
one block to seed the next phase, whose networks inherit its trained layers. The search ends when a
phase's best falls short of the best so far by more than a margin.

Where the paper's text says nothing or contradicts its data, we follow its figure 10: the fittest
are never mutated, and the previous phase's best is not carried over into the new population,
only kept as the search's best. Two settings go beyond it and are off in the preset ``xiao2020``:
`mutate = "offspring"` and `avoid_duplicates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate, Individual, best_of
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.space_base import SpaceSearch, StrategySettings

__all__ = ["VariableLength"]

#: So often an offspring that equals a network of the phase is mutated, before it is accepted.
_DUPLICATE_TRIES = 10


class VariableLength(SpaceSearch):
    """Phases of a genetic algorithm on genomes that grow by one block a phase.

    Attributes:
        population: the individuals alive when the generation that is out was made.
        phase_bests: the best of every finished phase.
    """

    inherits = "phase_best"

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self.population: tuple[Individual, ...] = ()
        self.phase_bests: list[Individual] = []
        self._parent: Individual | None = None
        self._seen: set[str] = set()

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:
        if self._n_made == 0:
            return self._first_generation()
        self.population = (*self.population, *told)
        self._log(self.population, len(told))
        if self._lacks_parents_in(self.population):
            return []
        while self.generation + 1 < self.settings.population.generations:
            self.generation += 1
            made = self._next_generation()
            if made:
                return made
            self._log(self.population, 0)  # everyone lived on, which leaves no room for offspring
        return self._next_phase()

    def _first_generation(self) -> list[Candidate]:
        """Make a phase's first population: samples, or the parent grown by one block."""
        rng = self._rng()
        self.population, self._seen = (), set()
        candidates = []
        for _ in range(self.settings.population.size):
            if self._parent is None:
                genome, operator = self.toolbox.individual(rng=rng), "sample"
            else:
                genome, operator = self.toolbox.grow(self._parent.genome, rng=rng), "grow"
            candidates.append(self._make(genome, operator, self._parent_ids(), rng))
        return candidates

    def _next_generation(self) -> list[Candidate]:
        """Select, mutate, cross: the paper's steps 4 to 8, in its figure 1's order."""
        rng = self._rng()
        settings = self.settings.population
        elite, lucky = self.toolbox.select(self.population, rng=rng)
        kept, made = list(elite), []
        for individual in lucky:
            if settings.mutate == "survivors" and rng.random() < settings.mutation_probability:
                genome = self.toolbox.mutate(individual.genome, rng=rng)
                made.append(self._make(genome, "mutate_one_gene", (individual.id,), rng))
            else:
                kept.append(individual)
        parents = [(one.id, one.genome) for one in (*kept, *made)]
        while len(kept) + len(made) < settings.size:
            first, second = (parents[i] for i in self.toolbox.choose_parents(len(parents), rng=rng))
            genome, operator = self.toolbox.mate(first[1], second[1], rng=rng), "uniform_crossover"
            if settings.mutate == "offspring" and rng.random() < settings.mutation_probability:
                genome = self.toolbox.mutate(genome, rng=rng)
                operator += "+mutate_one_gene"
            made.append(self._make(genome, operator, (first[0], second[0]), rng))
        self.population = tuple(kept)
        return made

    def _next_phase(self) -> list[Candidate]:
        """Grow the phase's best into the next phase, or finish: the paper's steps 10 to 12."""
        phase_best, best = best_of(self.population), self.best
        assert phase_best is not None
        assert best is not None
        self.phase_bests.append(phase_best)
        self._parent = phase_best
        max_phases, settings = self.settings.max_phases, self.settings.population
        # 0.79 - 0.78 is a little more than 0.01 in binary: a billionth is no difference.
        if best.accuracy - phase_best.accuracy > settings.stop_margin + 1e-9:
            self.ended_by = (
                f"the best of phase {self.phase}, {phase_best.accuracy:.4f}, is worse than the "
                f"best so far by more than population.stop_margin={settings.stop_margin:g}"
            )
        elif max_phases is not None and self.phase + 1 >= max_phases:
            self.ended_by = f"all of budget.phases={max_phases} are done"
        elif settings.max_blocks is not None and self.phase + 1 >= settings.max_blocks:
            self.ended_by = f"networks have population.max_blocks={settings.max_blocks}"
        if self.ended_by:
            return []
        self.phase += 1
        self.generation = 0
        return self._first_generation()

    def _make(
        self, genome: Genome, operator: str, parents: tuple[int, ...], rng: Random
    ) -> Candidate:
        """Make a candidate within the limits and, if so set, unlike any network of the phase."""
        genome = self._fit(genome, rng, self.phase)
        if self.settings.population.avoid_duplicates:
            for _ in range(_DUPLICATE_TRIES):
                if self._phenotypes.fingerprint(genome) not in self._seen:
                    break
                genome = self._fit(self.toolbox.mutate(genome, rng=rng), rng, self.phase)
                operator = f"{operator.removesuffix('+mutate_one_gene')}+mutate_one_gene"
        inherits = self.settings.inherits_weights
        weights_from = self._parent.id if self._parent and inherits else None
        candidate = self._candidate(genome, operator, parents, weights_from)
        self._seen.add(candidate.fingerprint)
        return candidate

    def _share_of_limits(self) -> float:
        """Leave room for the phases to come: half of what is left is for each.

        Without it the first phase's block takes all, and whatever is grown on it is shrunk to the
        smallest convolutions. How many phases may come has no say, so that a search that is given
        more of them begins with the same networks.
        """
        return 1.0 - 0.5 ** (self.phase + 1)

    def _parent_ids(self) -> tuple[int, ...]:
        return (self._parent.id,) if self._parent else ()
