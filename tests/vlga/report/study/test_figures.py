"""The figures of a study."""

from dataclasses import replace

from tests.support.figures import valid
from vlga.report.study.figures import differences_figure, layers_figure, learning_figure
from vlga.report.study.summary import ArmResult, LayerHistory


def titles(figure):
    return [one["text"] for one in figure["layout"]["annotations"]]


def test_each_layer_has_a_row_and_each_epoch_a_column():
    """G on top, absent where it was not measured, and who was amplified below."""
    figure = valid(
        layers_figure(
            [
                LayerHistory("blocks.0.a", (0.5, None, 1.0), (0.0, 0.5, 1.0)),
                LayerHistory("blocks.0.b", (0.25, None, 0.0), (1.0, 1.0, 0.0)),
            ]
        )
    )
    measures, chosen = figure["data"]
    layout = figure["layout"]

    assert titles(figure) == ["G, mean over the seeds", "amplified, share of the seeds"]
    assert measures["z"] == [[0.5, None, 1.0], [0.25, None, 0.0]]
    assert chosen["z"] == [[0, 0.5, 1], [1, 1, 0]]
    assert measures["x"] == chosen["x"] == [1, 2, 3]
    assert measures["hovertext"][0][:2] == [
        "blocks.0.a, epoch 1<br>G, mean over the seeds: 0.50", "",
    ]  # fmt: skip
    for axis in (layout["yaxis"], layout["yaxis2"]):
        assert axis["ticktext"] == ["blocks.0.a", "blocks.0.b"]
    assert layout["yaxis"]["domain"][0] >= layout["yaxis2"]["domain"][1]


def test_what_was_never_measured_has_no_map():
    """Layers drawn at random have no G."""
    figure = valid(layers_figure([LayerHistory("a", (None, None), (0.0, 1.0))]))

    assert titles(figure) == ["amplified, share of the seeds"]


def test_each_arm_but_plain_has_its_difference_with_a_bar():
    """In percentage points, the first arm on top, filled where the difference is clear."""
    plain = ArmResult("net", 0.1, "plain", 5, 0, 0.8, 0.01, 0.8, None, None, 0)
    better = replace(plain, arm="random", minus_plain=0.05, minus_plain_se=0.001, n_pairs=5)
    unclear = replace(plain, arm="other", minus_plain=-0.01, minus_plain_se=0.02, n_pairs=5)
    figure = valid(differences_figure([plain, better, unclear]))
    (trace,) = figure["data"]

    assert titles(figure) == ["<b>net, learning rate 0.1</b>", "random", "other"]
    assert figure["layout"]["yaxis"]["range"] == [2.5, -0.5]
    assert (trace["x"], trace["y"]) == ([5.0, -1.0], [1, 2])
    assert trace["error_x"]["array"] == [0.1, 2.0]
    assert trace["marker"]["symbol"] == ["circle", "circle-open"]
    assert trace["hovertext"][0] == (
        "net, learning rate 0.1<br>random<br>+5.00 ± 0.10 percentage points<br>better"
    )


def test_a_single_pair_has_no_standard_error():
    """Nothing is said of what is not known."""
    one = ArmResult("net", 0.1, "other", 1, 0, 0.8, None, 0.8, 0.01, None, 1)
    (trace,) = valid(differences_figure([one]))["data"]

    assert trace["hovertext"] == ["net, learning rate 0.1<br>other<br>+1.00 percentage points"]


def test_each_arm_has_its_learning_curve():
    """In percent, after each epoch from the first."""
    traces = valid(learning_figure({"plain": [0.25, 0.5], "random": [0.5, 0.75]}))["data"]

    assert [one["name"] for one in traces] == ["plain", "random"]
    assert [[*zip(one["x"], one["y"], strict=True)] for one in traces] == [
        [(1, 25), (2, 50)],
        [(1, 50), (2, 75)],
    ]
