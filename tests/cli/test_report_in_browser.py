"""The page of `vlga report --html` in a real browser."""

from pathlib import Path

import pytest

from tests.cli.test_report import fill
from tests.support.browser import CHROMIUM, look_at
from tests.support.command import vlga
from vlga.report import html
from vlga.report.figures import PALE, Point, figure_of, points

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium"
)

#: Of the page: how far it is wider than the window, and what it loaded; of each figure: its size in
#: pixels, how many shapes and words are to be seen within it, and the colour of its first word.
SEEN = """vlgaFigures.drawn.then(() => ({
    tooWide: document.documentElement.scrollWidth - innerWidth,
    loaded: performance.getEntriesByType('resource').map(one => one.name),
    figures: [...document.querySelectorAll('.plot')].map(plot => {
        const frame = plot.getBoundingClientRect();
        const seen = [...plot.querySelectorAll('.main-svg path, .main-svg text')].filter(one => {
            const box = one.getBoundingClientRect();
            return box.width + box.height > 0 && box.left >= frame.left - 1
                && box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1;
        });
        const words = seen.filter(one => one.tagName === 'text');
        return {
            width: frame.width, height: frame.height, asked: plot.vlgaFigure.layout.height,
            words: words.length, shapes: seen.length - words.length,
            colour: getComputedStyle(words[0]).fill,
            ids: plot.data.flatMap(one => one.customdata ?? []).length,
        };
    }),
}))"""


def test_every_figure_is_drawn_and_nothing_is_complained_about(tmp_path):
    """As wide as the page, with shapes, words and networks; the page loads no other file."""
    fill("first")
    vlga("report", "first", "--html", "first.html")
    page = Path("first.html")
    seen, console = look_at(page, SEEN, tmp_path)

    assert console == []
    assert seen["loaded"] == []
    assert len(seen["figures"]) == page.read_text(encoding="utf-8").count("<figure>") == 7
    for one in seen["figures"]:
        assert one["width"] > 600, one
        assert one["height"] == one["asked"], one
        assert one["words"] >= 3, one
        assert one["shapes"] >= 2, one
        assert one["colour"] == "rgb(31, 35, 40)", one
    assert sum(one["ids"] > 0 for one in seen["figures"]) == 4


def test_it_fits_a_small_screen_and_is_dark_where_the_system_is(tmp_path):
    """What is wide scrolls in itself; the figures have the page's own text colour."""
    fill("first")
    vlga("report", "first", "--html", "first.html")
    small = ("--window-size=360,800", "--blink-settings=preferredColorScheme=0")
    seen, console = look_at(Path("first.html"), SEEN, tmp_path, *small)

    assert console == []
    assert seen["tooWide"] <= 0
    for one in seen["figures"]:
        assert 250 < one["width"] <= 360, one
        assert one["words"] >= 3, one
        assert one["colour"] == "rgb(228, 230, 233)", one


def test_a_figure_that_is_drawn_again_stays_zoomed(tmp_path):
    """As on a page that follows a search, or where day turns to night."""
    figure = html.figure(figure_of([points("a", [Point(1, 2, ""), Point(9, 3, "")], PALE)]), "")
    page = tmp_path / "page.html"
    page.write_text(html.page("", figure), encoding="utf-8")
    again = """vlgaFigures.drawn.then(async () => {
        const plot = document.querySelector('.plot');
        await Plotly.relayout(plot, {'xaxis.range': [4, 5]});
        plot.vlgaFigure.data[0].y[0] = 7;
        await vlgaFigures.draw(plot, plot.vlgaFigure);
        return [plot.layout.xaxis.range, plot.data[0].y];
    })"""
    found, console = look_at(page, again, tmp_path)

    assert found == [[4, 5], [7, 3]]
    assert console == []


def test_a_complaint_would_be_seen(tmp_path):
    """What the first test relies on: an error on a page reaches the console."""
    page = tmp_path / "broken.html"
    page.write_text("<!DOCTYPE html><body><script>absent()</script>")
    _, console = look_at(page, "1", tmp_path)

    assert any("absent is not defined" in line for line in console)
