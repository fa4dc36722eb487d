"""The pictures of a search: what is drawn where."""

import pytest

from tests.vlga.report.search.test_summary import TestRounds, made_in, outcome
from vlga.report.plots import png_bytes, svg_text
from vlga.report.search.genes import GeneShift
from vlga.report.search.plots import (
    curves_figure,
    depth_figure,
    failures_figure,
    fitness_figure,
    genes_figure,
    pareto_figure,
)
from vlga.report.search.summary import pareto_front, rounds

ROUNDS = rounds(TestRounds.MEMBERS, 10)


def only_axes(figure):
    (axes,) = figure.axes
    return axes


def test_fitness_has_a_dot_a_network_a_median_and_the_best():
    """At the generation that made them; a failed generation has none of its own."""
    axes = only_axes(fitness_figure(ROUNDS, n_images=100))
    median, best = axes.get_lines()
    (dots,) = axes.collections

    assert [tuple(point) for point in dots.get_offsets()] == [
        (0, 0.2), (0, 0.6), (1, 0.4), (2, 0.8), (2, 0.8),
    ]  # fmt: skip
    assert [*median.get_xdata()] == [0, 1, 2]
    assert [*median.get_ydata()] == pytest.approx([0.4, 0.4, 0.8])
    assert ([*best.get_xdata()], [*best.get_ydata()]) == ([0, 1, 2, 3], [0.6, 0.6, 0.8, 0.8])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.0", "0.1", "1.0", "1.1"]


def test_fitness_says_how_many_are_out_of_sight():
    """The best are what is looked at."""
    assert only_axes(fitness_figure(ROUNDS, n_images=100)).get_title("right") == "1 more below"


def test_many_rounds_have_labels_that_do_not_touch():
    """Every one is drawn, some are named."""
    many = rounds([one for g in range(60) for one in made_in(0, g, outcome(g))], 60)

    assert 8 <= len(only_axes(depth_figure(many)).get_xticks()) <= 13


def test_many_networks_are_drawn_as_pixels():
    """A page stays small enough to open."""
    many = [outcome(number, number / 8000) for number in range(4000)]
    small = [*TestRounds.MEMBERS]

    for members, is_many in ((many, True), (small, False)):
        dots = only_axes(fitness_figure(rounds(members, 9), n_images=9)).collections[0]
        assert bool(dots.get_rasterized()) == is_many
        front = pareto_figure(members, pareto_front(members), None, n_images=9)
        assert bool(only_axes(front).collections[0].get_rasterized()) == is_many
    assert len(svg_text(front)) < 200_000


def test_depth_has_a_bar_from_fewest_to_most():
    """With the median and the fittest's."""
    axes = only_axes(depth_figure(ROUNDS))
    median, best = axes.get_lines()
    bars = [[tuple(end) for end in bar] for bar in axes.collections[0].get_segments()]

    assert bars == [[(0, 1), (0, 3)], [(1, 2), (1, 2)], [(2, 4), (2, 5)]]
    assert [*median.get_ydata()] == [2, 2, 4.5]
    assert [*best.get_ydata()] == [3, 2, 4]


def test_each_gene_has_two_bars_an_allele():
    """The fittest above all, in percent, the allele's name beside them."""
    shifts = [
        GeneShift("kernel", {1: (0.75, 0.0), 3: (0.25, 1.0)}, 0.75, 0.1),
        *(GeneShift(f"gene{i}", {False: (0.5, 0.0), True: (0.5, 1.0)}, 0.5, 0.1) for i in range(3)),
    ]
    figure = genes_figure(shifts)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    first = shown[0]

    assert [axes.get_title("left") for axes in shown] == ["kernel", "gene0", "gene1", "gene2"]
    assert [text.get_text() for text in first.get_yticklabels()] == ["1", "3"]
    assert [bar.get_width() for bar in first.patches] == [0.0, 1.0, 0.75, 0.25]
    assert [text.get_text() for text in shown[1].get_yticklabels()] == ["no", "yes"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["the fittest quarter", "all"]


def test_each_reason_has_a_bar_with_its_number():
    """The most frequent on top."""
    axes = only_axes(failures_figure({"diverged": 3, "out_of_memory": 1}))

    assert [bar.get_width() for bar in axes.patches] == [3, 1]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["diverged", "out of memory"]
    assert [text.get_text() for text in axes.texts] == ["3", "1"]


def test_each_curve_has_a_colour_and_a_name():
    """The fittest first."""
    axes = only_axes(curves_figure({7: [(1, 0.5), (2, 0.75)], 3: [(1, 0.25)]}, n_images=100))

    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["#7", "#3"]
    assert [[*line.get_ydata()] for line in axes.get_lines()] == [[0.5, 0.75], [0.25]]
    assert len({line.get_color() for line in axes.get_lines()}) == 2


def test_the_front_is_a_line_and_the_winner_a_star():
    """All networks are dots; accuracy grows upwards, size to the right."""
    members = [
        outcome(0, 0.5, parameters=10),
        outcome(1, 0.4, parameters=500),
        outcome(2, 0.9, parameters=2000),
        outcome(3, None),
    ]
    axes = only_axes(pareto_figure(members, pareto_front(members), 2, n_images=100))
    line, star = axes.get_lines()

    assert ([*line.get_xdata()], [*line.get_ydata()]) == ([10, 2000], [0.5, 0.9])
    assert ([*star.get_xdata()], [*star.get_ydata()]) == ([2000], [0.9])
    assert len(axes.collections[0].get_offsets()) == 3
    assert axes.get_xscale() == "log"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: fitness_figure(rounds([outcome(0, None)], 5), n_images=1),
        lambda: fitness_figure(rounds([outcome(0, 1.0)], 5), n_images=1),
        lambda: fitness_figure(rounds([outcome(0, 0.0)], 5), n_images=1),
        lambda: depth_figure(rounds([outcome(0, None)], 5)),
        lambda: genes_figure([]),
        lambda: failures_figure({}),
        lambda: curves_figure({}, n_images=1),
        lambda: pareto_figure([], [], None, n_images=1),
        lambda: pareto_figure([outcome(0, 1.0)], [outcome(0, 1.0)], 0, n_images=1),
    ],
)
def test_little_or_nothing_can_be_drawn(draw):
    """A search that has just begun or that failed."""
    assert png_bytes(draw()).startswith(b"\x89PNG")
