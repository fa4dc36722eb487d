"""The maps of a study's layers."""

import numpy as np

from vlga.report.plots import png_bytes
from vlga.report.study.plots import layers_figure
from vlga.report.study.summary import LayerHistory


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
