"""The pictures: what is drawn where."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from vlga.report.best_so_far import Band
from vlga.report.plots import PALETTE, best_so_far_figure, png_bytes, svg_text

SLOW = Band((3, 60, 90), (0.5, 0.8, 0.9), (0.4, 0.7, 0.85), (0.6, 0.9, 0.95))
FAST = Band((3, 30, 120), (0.7, 0.95, 0.975), (0.6, 0.93, 0.97), (0.8, 0.97, 0.98))


def draw(bands, title="fast and slow", n_images=287, **options):
    """Give the figure and its only axes."""
    figure = best_so_far_figure(bands, title=title, n_images=n_images, **options)
    (axes,) = figure.axes
    return figure, axes


def test_every_strategy_has_its_colour_and_its_name():
    """In the order given, with a band of the same colour."""
    _, axes = draw({"slow": SLOW, "fast": FAST})
    legend = axes.get_legend()

    assert [text.get_text() for text in legend.get_texts()] == ["slow", "fast"]
    assert [line.get_color() for line in legend.get_lines()] == [*PALETTE[:2]]
    assert len(axes.collections) == 2


def test_strategies_of_one_colour_have_other_markers():
    """There are more strategies than colours."""
    _, axes = draw({str(number): SLOW for number in range(11)})
    lines = axes.get_legend().get_lines()

    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 11


def test_the_line_is_the_mean_and_ends_with_a_marker():
    """Step by step: an accuracy holds from where it was reached."""
    _, axes = draw({"slow": SLOW})
    line, marker, _ = axes.get_lines()

    assert line.get_drawstyle() == "steps-post"
    assert [*line.get_xdata()] == [*SLOW.epochs]
    assert [*line.get_ydata()] == [*SLOW.mean]
    assert ([*marker.get_xdata()], [*marker.get_ydata()]) == ([90], [0.9])


def test_the_x_axis_goes_to_the_budget():
    """Whoever ends before it can be seen to; without a budget in epochs to the longest search."""
    assert draw({"slow": SLOW}, budget_epochs=120)[1].get_xlim()[1] >= 120
    assert 90 <= draw({"slow": SLOW})[1].get_xlim()[1] < 100


@pytest.mark.parametrize(
    "bands",
    [
        {"slow": SLOW, "fast": FAST},
        {"narrow": Band((3, 120), (0.956, 0.958), (0.955, 0.957), (0.957, 0.959))},
        {"perfect": Band((3, 120), (0.99, 1.0), (0.98, 1.0), (1.0, 1.0))},
        {"flat": Band((3,), (0.9,), (0.9,), (0.9,))},
        {"none right": Band((3, 6), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))},
    ],
    ids=" and ".join,
)
def test_every_end_is_within_the_axis_and_its_ticks_can_be_read(bands):
    """Whether the accuracies are far apart or next to each other, 0 or 1."""
    _, axes = draw(bands)
    low, high = axes.get_ylim()
    ticks = axes.get_yticks()

    for one in bands.values():
        assert low <= one.low[-1]
        assert min(one.high[-1], 1 - 0.5 / 287) <= high  # no error is drawn as half an image's
    assert 2 <= len([tick for tick in ticks if low <= tick <= high]) <= 24


def test_no_error_at_all_is_written_as_1():
    """Though its logarithm is out of reach."""
    _, axes = draw({"perfect": Band((3, 120), (0.99, 1.0), (0.98, 1.0), (1.0, 1.0))})
    axes.figure.draw_without_rendering()

    assert axes.get_yticklabels()[-1].get_text() == "1"
    assert "1" not in [text.get_text() for text in draw({"slow": SLOW})[1].get_yticklabels()]


def test_halving_the_error_is_as_far_anywhere():
    """From 0.8 to 0.9 and from 0.98 to 0.99 it is the same distance on paper."""
    _, axes = draw({"slow": SLOW, "fast": FAST})
    heights = axes.transData.transform([(0, value) for value in (0.8, 0.9, 0.98, 0.99)])[:, 1]

    assert heights[1] - heights[0] == pytest.approx(heights[3] - heights[2])


def test_nothing_to_draw_is_an_empty_picture():
    """All searches may have failed."""
    figure, axes = draw({})

    assert axes.get_legend() is None
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_a_png_is_one_and_twice_the_same():
    """Byte for byte; no day and no chance in it."""
    first, second = (png_bytes(draw({"slow": SLOW})[0]) for _ in range(2))

    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert first == second


def test_an_svg_is_one_element_and_twice_the_same():
    """Ready to stand in a page: text as text, nothing before it, nothing from elsewhere."""
    title = r"<b> $\frac$ & a_b"
    first, second = (svg_text(draw({"slow": SLOW}, title)[0]) for _ in range(2))
    root = ET.fromstring(first)

    assert first == second
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert title in ["".join(one.itertext()).strip() for one in root.iter()]
    assert np.all([one.tag.startswith("{http://www.w3.org/2000/svg}") for one in root.iter()])


def test_no_window_system_is_touched():
    """Drawing loads neither pyplot, which has global state, nor anything that needs a display."""
    script = (
        "import sys; from vlga.report.plots import best_so_far_figure, png_bytes;"
        "png_bytes(best_so_far_figure({}, title='', n_images=1));"
        "print([name for name in ('matplotlib.pyplot', 'tkinter') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
