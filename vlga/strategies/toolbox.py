"""The operators of a search on a DEAP toolbox, under DEAP's names.

A strategy takes its operators from here and from nowhere else, so that an own strategy or a study
can exchange one: ``toolbox.register("mate", my_crossover)``.
"""

from __future__ import annotations

from deap import base

from vlga.config.settings import PopulationConfig
from vlga.genetics import crossover, mutation, mutation_sets, sampling, selection
from vlga.genetics.space import SearchSpace

__all__ = ["build_toolbox"]


def build_toolbox(space: SearchSpace, population: PopulationConfig) -> base.Toolbox:
    """Register the operators with a search's space and settings bound.

    The toolbox then has ``individual(rng=, n_blocks=)``, ``order_widths(genome)``,
    ``grow(genome, rng=)``, ``mate(first, second, rng=)``, ``mutate(genome, rng=)``,
    ``shrink(genome, rng=, first_block=, helps=)``, ``select(individuals, rng=)`` and
    ``choose_parents(n_individuals, rng=)``.

    For strategies without phases it has ``mutate_any_gene(genome, rng=)``,
    ``mate_aligned(first, second, rng=)``, ``tournament(individuals, rng=, n_drawn=)``, where
    ``value=`` may say what makes an individual fit, and, giving the mutant with its operator's
    name, ``mutate_anywhere(genome, rng=, max_blocks=)``,
    ``mutate_growing(genome, rng=, max_blocks=)`` and
    ``mutate_large_scale(genome, rng=, max_blocks=, silent=, inherits=)``.
    """
    toolbox = base.Toolbox()
    toolbox.register("individual", sampling.sample, space)
    toolbox.register("order_widths", sampling.order_widths, space=space)
    toolbox.register("grow", sampling.grow, space=space)
    toolbox.register("mate", crossover.uniform_crossover)
    toolbox.register("mutate", mutation.mutate_one_gene, space=space)
    toolbox.register("shrink", sampling.shrink, space=space)
    toolbox.register(
        "select",
        selection.survivors,
        fraction=population.survivor_fraction,
        less_fit_probability=population.less_fit_survival_probability,
    )
    toolbox.register("choose_parents", selection.choose_parents)
    toolbox.register("mutate_any_gene", mutation.mutate_any_gene, space=space)
    toolbox.register("mate_aligned", crossover.aligned_crossover, space=space)
    toolbox.register("tournament", selection.tournament)
    toolbox.register("mutate_anywhere", mutation_sets.mutate_anywhere, space=space)
    toolbox.register("mutate_growing", mutation_sets.mutate_growing, space=space)
    toolbox.register("mutate_large_scale", mutation_sets.mutate_large_scale, space=space)
    return toolbox
