"""The figures: what is drawn where."""

import math
import re
from importlib.resources import files
from itertools import pairwise

import pytest

from tests.support.figures import valid
from vlga.report import html
from vlga.report.best_so_far import Band
from vlga.report.figures import (
    PALE,
    PALETTE,
    Point,
    best_so_far_figure,
    label,
    line,
    points,
    rows_axis,
)

MEASURE = "validation macro F1"
SLOW = Band((3, 60, 90), (0.5, 0.8, 0.9), (0.4, 0.7, 0.85), (0.6, 0.9, 0.95))
FAST = Band((3, 30, 120), (0.7, 0.95, 0.975), (0.6, 0.93, 0.97), (0.8, 0.97, 0.98))
PERFECT = Band((3, 120), (0.99, 1.0), (0.98, 1.0), (1.0, 1.0))


def draw(bands, n_images=287, **options):
    """Give the figure's traces and its layout."""
    figure = valid(best_so_far_figure(bands, n_images=n_images, measure=MEASURE, **options))
    assert figure["layout"]["yaxis"]["title"]["text"] == f"best {MEASURE} so far"
    return figure["data"], figure["layout"]


def accuracies(trace):
    """Give the accuracies that are drawn at the heights of an axis of errors."""
    return [round(1 - error, 6) for error in trace["y"]]


def test_every_strategy_has_its_colour_and_its_name():
    """In the order given, with a band of the same colour from the worst seed to the best."""
    low, high, mean, *_ = traces = draw({"slow": SLOW, "fast": FAST})[0]
    lines = [one for one in traces if one.get("showlegend", True)]

    assert [(one["name"], one["line"]["color"]) for one in lines] == [
        ("slow", PALETTE[0]), ("fast", PALETTE[1]),
    ]  # fmt: skip
    assert (accuracies(low), accuracies(high)) == ([*SLOW.low], [*SLOW.high])
    assert high["fill"] == "tonexty"
    assert high["fillcolor"].startswith(PALETTE[0])
    assert len({one["legendgroup"] for one in (low, high, mean)}) == 1


def test_strategies_of_one_colour_have_other_markers_and_dashes():
    """There are more strategies than colours."""
    traces, _ = draw({str(number): Band((3,), (0.5,), (0.5,), (0.5,)) for number in range(11)})
    looks = {(one["line"]["color"], one["marker"]["symbol"]) for one in traces}

    assert len(looks) == 11
    assert [one["line"]["dash"] for one in traces] == ["solid"] * 7 + ["dash"] * 4


def test_the_line_is_the_mean_and_ends_with_a_marker():
    """Step by step: an accuracy holds from where it was reached."""
    *_, mean = draw({"slow": SLOW})[0]

    assert mean["line"]["shape"] == "hv"
    assert (mean["x"], accuracies(mean)) == ([*SLOW.epochs], [*SLOW.mean])
    assert mean["marker"]["size"] == [0, 0, 9]
    assert mean["hovertext"][0] == "slow<br>3 epochs: 0.5000 (0.4000 to 0.6000)"


def test_of_one_search_each_point_is_a_network():
    """Which a click can open; there is no band, and no legend is needed."""
    one = Band((3, 9), (0.5, 0.8), (0.5, 0.8), (0.5, 0.8))
    (trace,), layout = draw({"ladder": one}, ids=[4, 7])

    assert trace["customdata"] == [4, 7]
    assert trace["hovertext"] == [
        "ladder<br>3 epochs: 0.5000, #4",
        "ladder<br>9 epochs: 0.8000, #7",
    ]
    assert not layout["showlegend"]


def test_the_x_axis_goes_to_the_budget():
    """Whoever ends before it can be seen to; without a budget in epochs to the longest search."""
    assert draw({"slow": SLOW}, budget_epochs=120)[1]["xaxis"]["range"][1] >= 120
    assert 90 <= draw({"slow": SLOW})[1]["xaxis"]["range"][1] < 100


@pytest.mark.parametrize(
    "bands",
    [
        {"slow": SLOW, "fast": FAST},
        {"narrow": Band((3, 120), (0.956, 0.958), (0.955, 0.957), (0.957, 0.959))},
        {"around 0.9": Band((3, 120), (0.87, 0.9), (0.87, 0.9), (0.87, 0.903))},
        {"perfect": PERFECT},
        {"flat": Band((3,), (0.9,), (0.9,), (0.9,))},
        {"none right": Band((3, 6), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))},
        {"from nothing": Band((3, 60, 90), (0.0, 0.0, 0.9), (0.0, 0.0, 0.9), (0.0, 0.0, 1.0))},
    ],
    ids=" and ".join,
)
def test_every_end_is_within_the_axis_and_its_ticks_can_be_read(bands):
    """Whether the accuracies are far apart or next to each other, 0 or 1."""
    axis = draw(bands)[1]["yaxis"]
    worst, best = axis["range"]
    heights = [math.log10(error) for error in axis["tickvals"]]

    for one in bands.values():
        assert math.log10(1 - one.low[-1] or 0.5 / 287) <= worst
        assert math.log10(max(1 - one.high[-1], 0.5 / 287)) >= best
    assert 2 <= len([height for height in heights if best <= height <= worst]) <= 12
    assert min(low - high for low, high in pairwise(heights)) > 0.03 * (worst - best)
    assert all(
        float(text) == pytest.approx(1 - error) or text == "1"
        for text, error in zip(axis["ticktext"], axis["tickvals"], strict=True)
    )


def test_no_error_at_all_is_written_as_1():
    """Though its logarithm is out of reach."""
    traces, layout = draw({"perfect": PERFECT})

    assert layout["yaxis"]["ticktext"][-1] == "1"
    assert traces[-1]["y"][-1] == layout["yaxis"]["tickvals"][-1]
    assert "1" not in draw({"slow": SLOW})[1]["yaxis"]["ticktext"]


def test_halving_the_error_is_as_far_anywhere():
    """From 0.8 to 0.9 and from 0.98 to 0.99 it is the same distance: errors by their logarithm."""
    axis = draw({"slow": SLOW, "fast": FAST})[1]["yaxis"]

    assert axis["type"] == "log"
    assert axis["range"][0] > axis["range"][1]


def test_nothing_to_draw_is_an_empty_figure():
    """All searches may have failed."""
    assert draw({})[0] == []


def test_names_are_shown_as_they_are():
    """Plotly takes tags for markup, and may follow them."""
    nasty = Point(0, 0, "text")
    name = '<a href="http://a">b</a> & c'

    for trace in (points(name, [nasty], PALE), line(name, [nasty], PALE)):
        assert trace["name"] == '&lt;a href="http://a"&gt;b&lt;/a&gt; &amp; c'
    assert rows_axis([name])["ticktext"] == [trace["name"]]


def test_a_long_name_has_several_lines():
    """Plotly would let it run out of a phone's screen."""
    assert label("word " * 12) == f"{' '.join(['word'] * 8)}<br>word word word word"


def test_many_points_of_a_line_are_not_marked():
    """They would hide it."""
    few, many = ([Point(x, 0.5, "") for x in range(n)] for n in (30, 31))

    assert line("few", few, PALE, "circle")["mode"] == "lines+markers"
    assert line("many", many, PALE, "circle")["mode"] == "lines"


def test_each_colour_can_be_seen_on_a_light_and_on_a_dark_page():
    """With the contrast of 3 that the accessibility guidelines ask of drawings."""
    script = files("vlga.report").joinpath("figures.js").read_text(encoding="utf-8")
    on_dark = dict(re.findall(r'"(#[0-9a-f]{6})": "(#[0-9a-f]{6})"', script))
    light, dark = re.search(r"--page: light-dark\((#\w+), (#\w+)\)", html.page("")).groups()

    assert set(on_dark) == {*PALETTE, PALE}
    assert {one for one in on_dark if contrast(one, light) < 3} == set()
    assert {one for one in on_dark.values() if contrast(one, dark) < 3} == set()


def contrast(one, other):
    """Give the contrast of two colours by WCAG, from 1 to 21."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (red, green, blue)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
