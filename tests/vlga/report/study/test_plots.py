"""The figures of a study."""

from dataclasses import replace

import numpy as np

from vlga.report.plots import png_bytes
from vlga.report.study.plots import differences_figure, layers_figure, learning_figure
from vlga.report.study.summary import ArmResult, LayerHistory


def maps(figure):
    """Give the axes that have a map, without the bars of their colours."""
    return [axes for axes in figure.axes if axes.get_images()]


def test_each_layer_has_a_row_and_each_epoch_a_column():
    """G on the left, absent where it was not measured, and who was amplified on the right."""
    figure = layers_figure(
        [
            LayerHistory("blocks.0.a", (0.5, None, 1.0), (0.0, 0.5, 1.0)),
            LayerHistory("blocks.0.b", (0.25, None, 0.0), (1.0, 1.0, 0.0)),
        ]
    )
    measures, chosen = maps(figure)

    assert measures.get_title("left") == "G, mean over the seeds"
    assert measures.get_images()[0].get_array().filled(-1).tolist() == [
        [0.5, -1, 1.0],
        [0.25, -1, 0.0],
    ]
    assert np.asarray(chosen.get_images()[0].get_array()).tolist() == [[0, 0.5, 1], [1, 1, 0]]
    assert [text.get_text() for text in measures.get_yticklabels()] == ["blocks.0.a", "blocks.0.b"]
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_what_was_never_measured_has_no_map():
    """Layers drawn at random have no G."""
    figure = layers_figure([LayerHistory("a", (None, None), (0.0, 1.0))])

    assert [axes.get_title("left") for axes in maps(figure)] == ["amplified, share of the seeds"]
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_each_arm_but_plain_has_its_difference_with_a_bar():
    """In percentage points, the first arm on top, filled where the difference is clear."""
    plain = ArmResult("net", 0.1, "plain", 5, 0, 0.8, 0.01, 0.8, None, None, 0)
    better = replace(plain, arm="random", minus_plain=0.05, minus_plain_se=0.001, n_pairs=5)
    unclear = replace(plain, arm="other", minus_plain=-0.01, minus_plain_se=0.02, n_pairs=5)
    (axes,) = differences_figure([plain, better, unclear]).axes
    points = [bars.lines[0] for bars in axes.containers]

    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "net, 0.1, random", "net, 0.1, other",
    ]  # fmt: skip
    assert [point.get_xdata().tolist() for point in points] == [[5.0], [-1.0]]
    assert [point.get_markerfacecolor() for point in points] == ["C0", "white"]
    assert axes.yaxis_inverted()


def test_each_arm_has_its_learning_curve():
    """In percent, after each epoch from the first."""
    (axes,) = learning_figure({"plain": [0.25, 0.5], "random": [0.5, 0.75]}).axes

    assert [line.get_label() for line in axes.get_lines()] == ["plain", "random"]
    assert [line.get_xydata().tolist() for line in axes.get_lines()] == [
        [[1, 25], [2, 50]],
        [[1, 50], [2, 75]],
    ]
