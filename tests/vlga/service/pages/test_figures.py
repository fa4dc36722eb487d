"""What a chart shows in words."""

from __future__ import annotations

from vlga.report.figures import PALE, Point, figure_of, label, line
from vlga.service.pages.figures import lines_of


def test_of_a_long_line_some_points_are_told():
    """Evenly spread, the last among them; of a short one all."""
    some = [Point(x, 0.1, f"best of {x}: 0.9") for x in range(1, 503)]
    long, short = lines_of(
        figure_of([line("best", some, PALE), line("other", [Point(1, 0.1, "mean: 0.5")], PALE)])
    )

    assert (long.every, long.n_points, len(long.rows)) == (3, 502, 168)
    assert long.rows[-1] == ("best of 502", "0.9")
    assert (short.every, short.rows) == (1, [("mean", "0.5")])


def test_a_point_is_told_as_it_was_meant():
    """Without what breaks and masks it for Plotly; what two lines say comes once."""
    text = label("a gene of a name that is long: 3 < 4")
    (one,) = lines_of(figure_of([line("all", [Point(1, 0.1, text)], PALE)] * 2))

    assert one.rows == [("a gene of a name that is long", "3 < 4")]
    assert [*lines_of(figure_of([{"type": "scatter", "x": [1], "y": [1]}]))] == []
