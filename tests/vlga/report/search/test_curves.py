"""The figures of how networks learned."""

from tests.support.figures import valid
from tests.vlga.report.test_figures import accuracies
from vlga.report.search.curves import curves_figure, training_figure


def epoch(number, train, validation, amplified=()):
    return {
        "epoch": number,
        "train_accuracy": train,
        "validation_accuracy": validation,
        "amplified_layers": amplified,
    }


def test_each_curve_has_a_colour_and_a_name():
    """The fittest first; a point leads to its network."""
    figure = valid(curves_figure({7: [(1, 0.5), (2, 0.75)], 3: [(1, 0.25)]}, n_images=100))
    first, second = figure["data"]

    assert (first["name"], second["name"]) == ("#7", "#3")
    assert (first["x"], accuracies(first), first["customdata"]) == ([1, 2], [0.5, 0.75], [7, 7])
    assert first["hovertext"] == ["#7 after 1 epoch: 0.5000", "#7 after 2 epochs: 0.7500"]
    assert first["line"]["color"] != second["line"]["color"]


def test_a_training_has_both_accuracies_and_its_amplified_epochs():
    """From epoch 1; those in which layers were amplified are on grey."""
    curve = [epoch(0, 0.25, 0.5), epoch(1, 0.5, 0.75, ("blocks.0.a",)), epoch(2, 0.75, 0.8)]
    figure = valid(training_figure(curve, n_images=100))
    validation, train = figure["data"]

    assert (validation["x"], accuracies(validation)) == ([1, 2, 3], [0.5, 0.75, 0.8])
    assert accuracies(train) == [0.25, 0.5, 0.75]
    assert [(one["x0"], one["x1"]) for one in figure["layout"]["shapes"]] == [(1.5, 2.5)]


def test_a_training_that_was_scored_at_its_end_has_one_line():
    """As a winner's longer one."""
    curve = [epoch(0, 0.25, None), epoch(1, 0.5, None)]

    assert [one["name"] for one in training_figure(curve, n_images=9)["data"]] == [
        "images trained on"
    ]


def test_nothing_can_be_drawn():
    """No network has learned yet."""
    assert valid(curves_figure({}, n_images=1))["data"] == []
    assert valid(training_figure([], n_images=1))["data"] == []
