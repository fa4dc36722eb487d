from random import Random

import pytest

from tests.support.generators import PRESETS
from tests.support.synthetic import ask_round, play
from tests.vlga.genetics.test_selection import people
from vlga.config.load import load_config
from vlga.genetics import crossover, mutation, mutation_sets, sampling, selection
from vlga.strategies import make_strategy
from vlga.strategies.toolbox import build_toolbox

SPACE = PRESETS["default"]
CONFIG = load_config(
    settings=["population.survivor_fraction=0.25", "population.less_fit_survival_probability=0.7"]
)
TOOLBOX = build_toolbox(SPACE, CONFIG.population)
ONE, OTHER = sampling.sample(SPACE, Random(1), 2), sampling.sample(SPACE, Random(2), 2)
LONGER = sampling.sample(SPACE, Random(3), 4)
PEOPLE = people(0.1, 0.5, 0.9, 0.3, 0.7, 0.6, 0.2, 0.4)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda rng: TOOLBOX.individual(rng=rng),
            lambda rng: sampling.sample(SPACE, rng),
        ),
        (
            lambda rng: TOOLBOX.individual(rng=rng, n_blocks=3),
            lambda rng: sampling.sample(SPACE, rng, 3),
        ),
        (lambda _: TOOLBOX.order_widths(LONGER), lambda _: sampling.order_widths(LONGER, SPACE)),
        (lambda rng: TOOLBOX.grow(ONE, rng=rng), lambda rng: sampling.grow(ONE, SPACE, rng)),
        (
            lambda rng: TOOLBOX.mate(ONE, OTHER, rng=rng),
            lambda rng: crossover.uniform_crossover(ONE, OTHER, rng),
        ),
        (
            lambda rng: TOOLBOX.mutate(ONE, rng=rng),
            lambda rng: mutation.mutate_one_gene(ONE, SPACE, rng),
        ),
        (lambda rng: TOOLBOX.shrink(ONE, rng=rng), lambda rng: sampling.shrink(ONE, SPACE, rng)),
        (
            lambda rng: TOOLBOX.select(PEOPLE, rng=rng),
            lambda rng: selection.survivors(PEOPLE, 0.25, 0.7, rng),
        ),
        (
            lambda rng: TOOLBOX.choose_parents(9, rng=rng),
            lambda rng: selection.choose_parents(9, rng),
        ),
        (
            lambda rng: TOOLBOX.mutate_any_gene(ONE, rng=rng),
            lambda rng: mutation.mutate_any_gene(ONE, SPACE, rng),
        ),
        (
            lambda rng: TOOLBOX.mate_aligned(ONE, LONGER, rng=rng),
            lambda rng: crossover.aligned_crossover(ONE, LONGER, SPACE, rng),
        ),
        (
            lambda rng: TOOLBOX.tournament(PEOPLE, rng=rng, n_drawn=3),
            lambda rng: selection.tournament(PEOPLE, 3, rng),
        ),
        (
            lambda rng: TOOLBOX.mutate_anywhere(ONE, rng=rng, max_blocks=3),
            lambda rng: mutation_sets.mutate_anywhere(ONE, SPACE, rng, 3),
        ),
        (
            lambda rng: TOOLBOX.mutate_growing(ONE, rng=rng, max_blocks=3),
            lambda rng: mutation_sets.mutate_growing(ONE, SPACE, rng, 3),
        ),
        (
            lambda rng: TOOLBOX.mutate_large_scale(
                ONE, rng=rng, max_blocks=3, silent=(), inherits=True
            ),
            lambda rng: mutation_sets.mutate_large_scale(
                ONE, SPACE, rng, 3, silent=(), inherits=True
            ),
        ),
    ],
    ids=[
        "individual",
        "individual-3",
        "order-widths",
        "grow",
        "mate",
        "mutate",
        "shrink",
        "select",
        "parents",
        "mutate-any-gene",
        "mate-aligned",
        "tournament",
        "mutate-anywhere",
        "mutate-growing",
        "mutate-large-scale",
    ],
)
def test_a_tool_is_its_operator_with_the_search_s_settings_bound(call, expected):
    """Same seed, same result, for several seeds."""
    for seed in range(5):
        assert call(Random(seed)) == expected(Random(seed))


@pytest.mark.parametrize("name", ["mate", "mutate", "grow", "individual", "select"])
def test_a_strategy_uses_the_tool_that_was_registered_last(name):
    """An own operator takes the place of ours in a running search."""
    settings = [
        "strategy=variable_length", "population.size=4", "population.mutation_probability=1",
    ]  # fmt: skip
    strategy = make_strategy(load_config(settings=settings), (1, 8, 8), 10)
    original, calls = getattr(strategy.toolbox, name), []

    def own(*args, **kwargs):
        calls.append(name)
        return original(*args, **kwargs)

    strategy.toolbox.register(name, own)
    play(strategy, n_rounds=6)
    ask_round(strategy)

    assert calls
