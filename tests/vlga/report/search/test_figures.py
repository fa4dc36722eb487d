"""The figures of a search: what is drawn where."""

import json

import pytest

from tests.support.figures import valid
from tests.vlga.report.search.test_summary import TestRounds, outcome
from tests.vlga.report.test_figures import MEASURE, accuracies
from vlga.report.search.figures import (
    depth_figure,
    failures_figure,
    fitness_figure,
    genes_figure,
    pareto_figure,
)
from vlga.report.search.genes import GeneShift
from vlga.report.search.summary import pareto_front, rounds

ROUNDS = rounds(TestRounds.MEMBERS, 10)
SIZES = ("fitness", "parameters")


def test_fitness_has_a_dot_a_network_a_median_and_the_best():
    """At the generation that made them; a failed generation has none of its own."""
    figure = valid(fitness_figure(ROUNDS, n_images=100, measure=MEASURE))
    dots, median, best = figure["data"]

    assert [*zip(dots["customdata"], dots["x"], accuracies(dots), strict=True)] == [
        (0, "0.0", 0.2), (1, "0.0", 0.6), (3, "0.1", 0.4), (4, "1.0", 0.8), (5, "1.0", 0.8),
    ]  # fmt: skip
    assert dots["hovertext"][1] == "#1: 0.6000, made in 0.0"
    assert (median["x"], accuracies(median)) == (["0.0", "0.1", "1.0"], [0.4, 0.4, 0.8])
    assert (best["x"], accuracies(best)) == (["0.0", "0.1", "1.0", "1.1"], [0.6, 0.6, 0.8, 0.8])
    assert best["line"]["shape"] == "hv"
    assert figure["layout"]["xaxis"]["categoryarray"] == ["0.0", "0.1", "1.0", "1.1"]


def test_fitness_says_how_many_are_out_of_sight():
    """The best are what is looked at."""
    layout = fitness_figure(ROUNDS, n_images=100, measure=MEASURE)["layout"]
    assert layout["yaxis"]["title"]["text"] == MEASURE

    assert [one["text"] for one in layout["annotations"]] == ["1 more below"]


def test_of_many_networks_some_are_drawn_and_the_legend_says_so():
    """A page stays small enough to open; the front and the winner are always there."""
    members = [outcome(number, number / 8000, parameters=number + 1) for number in range(4000)]
    front = pareto_front(members, SIZES)
    more = {"n_images": 9, "measure": MEASURE}
    by_size = pareto_figure(members, front[-40:], 3999, objectives=SIZES, **more)
    by_round = fitness_figure(rounds(members, 9), **more)

    for figure in (by_round, by_size):
        dots = figure["data"][0]
        assert dots["name"] == "2,000 of 4,000 networks"
        assert len(dots["x"]) == len({*dots["customdata"]}) == 2000
    assert by_size["data"][1]["customdata"] == [one.id for one in front[-40:]]
    assert by_size["data"][2]["customdata"] == [3999]
    assert len(json.dumps(by_size)) < 250_000


def test_depth_goes_from_fewest_to_most():
    """With the median and the fittest's."""
    median, best = valid(depth_figure(ROUNDS))["data"]

    assert (median["x"], median["y"]) == (["0.0", "0.1", "1.0"], [2, 2, 4.5])
    assert median["error_y"]["array"] == [1, 0, 0.5]
    assert median["error_y"]["arrayminus"] == [1, 0, 0.5]
    assert median["hovertext"][0] == "0.0: median 2, from 1 to 3 convolutions"
    assert best["y"] == [3, 2, 4]


def test_each_gene_has_a_row_an_allele():
    """A hollow dot for all, a full one for the fittest, a line between them."""
    figure = valid(
        genes_figure(
            [
                GeneShift("kernel", {1: (0.75, 0.0), 3: (0.25, 1.0)}, 0.75, 0.1),
                GeneShift("skip", {False: (0.5, 0.0), True: (0.5, 1.0)}, 0.5, 0.1),
            ]
        )
    )
    everyone, fittest = figure["data"]
    layout = figure["layout"]

    assert [(one["text"], one["y"]) for one in layout["annotations"]] == [
        ("<b>kernel</b>", 0), ("<b>skip</b>", 3),
    ]  # fmt: skip
    assert layout["yaxis"]["ticktext"] == ["", "1", "3", "", "no", "yes"]
    assert [one["name"] for one in figure["data"]] == ["all", "the fittest quarter"]
    assert (everyone["x"], everyone["y"]) == ([0.75, 0.25, 0.5, 0.5], [1, 2, 4, 5])
    assert (fittest["x"], fittest["y"]) == ([0.0, 1.0, 0.0, 1.0], [1, 2, 4, 5])
    assert [(one["x0"], one["x1"], one["y0"]) for one in layout["shapes"]][:2] == [
        (0.75, 0.0, 1), (0.25, 1.0, 2),
    ]  # fmt: skip
    assert fittest["hovertext"][0] == "kernel: 1<br>all: 75%, the fittest: 0%"


def test_each_reason_has_a_bar_with_its_number():
    """The most frequent on top."""
    figure = valid(failures_figure({"diverged": 3, "out_of_memory": 1}))
    (bars,) = figure["data"]

    assert (bars["x"], bars["text"]) == ([3, 1], ["3", "1"])
    assert figure["layout"]["yaxis"]["ticktext"] == ["diverged", "out of memory"]
    assert figure["layout"]["yaxis"]["range"] == [1.5, -0.5]


def test_the_front_is_a_line_and_the_winner_a_star():
    """All networks are dots; accuracy grows upwards, size to the right."""
    members = [
        outcome(0, 0.5, parameters=10),
        outcome(1, 0.4, parameters=500),
        outcome(2, 0.9, parameters=2000),
        outcome(3, None),
    ]
    front = pareto_front(members, SIZES)
    drawing = pareto_figure(members, front, 2, objectives=SIZES, n_images=100, measure=MEASURE)
    figure = valid(drawing)
    dots, front, star = figure["data"]

    assert dots["customdata"] == [0, 1, 2]
    assert (front["x"], accuracies(front)) == ([10, 2000], [0.5, 0.9])
    assert (star["x"], accuracies(star), star["customdata"]) == ([2000], [0.9], [2])
    assert star["hovertext"] == ["#2: 0.9000<br>2.00 k parameters, 10.0 k MACs, 2 convolutions"]
    assert figure["layout"]["xaxis"]["type"] == "log"


def test_with_two_costs_the_front_is_marked_without_a_line():
    """It is none in the plane of one of them, which is the first."""
    members = [outcome(0, 0.5, macs=10), outcome(1, 0.9, macs=20), outcome(2, 0.5, parameters=1)]
    objectives = ("fitness", "macs", "parameters")
    front = pareto_front(members, objectives)
    drawing = pareto_figure(
        members, front, None, objectives=objectives, n_images=100, measure=MEASURE
    )
    figure = valid(drawing)
    _, marked = figure["data"]

    assert (marked["mode"], marked["customdata"], marked["x"]) == (
        "markers", [2, 0, 1], [10_000, 10, 20],
    )  # fmt: skip
    assert figure["layout"]["xaxis"]["title"]["text"].startswith("multiply-accumulates an image")


@pytest.mark.parametrize(
    "draw",
    [
        lambda: fitness_figure([], n_images=1, measure=MEASURE),
        lambda: fitness_figure(rounds([outcome(0, None)], 5), n_images=1, measure=MEASURE),
        lambda: fitness_figure(rounds([outcome(0, 1.0)], 5), n_images=1, measure=MEASURE),
        lambda: fitness_figure(rounds([outcome(0, 0.0)], 5), n_images=1, measure=MEASURE),
        lambda: depth_figure(rounds([outcome(0, None)], 5)),
        lambda: genes_figure([]),
        lambda: failures_figure({}),
        lambda: pareto_figure([], [], None, objectives=SIZES, n_images=1, measure=MEASURE),
        lambda: pareto_figure(
            [outcome(0, 1.0)], [outcome(0, 1.0)], 0, objectives=SIZES, n_images=1, measure=MEASURE
        ),
    ],
)
def test_little_or_nothing_can_be_drawn(draw):
    """A search that has just begun or that failed."""
    assert valid(draw())["layout"]["height"] > 0
