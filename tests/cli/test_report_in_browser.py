"""The page of `vlga report --html` in a real browser."""

from pathlib import Path

import pytest

from tests.cli.test_report import fill
from tests.support.browser import CHROMIUM, look_at
from tests.support.command import vlga

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium"
)

#: Of each figure: its size in pixels, and how many shapes and words are to be seen within it.
DRAWN = """[...document.querySelectorAll('figure svg')].map(svg => {
    const frame = svg.getBoundingClientRect();
    const seen = [...svg.querySelectorAll('path, use, image, text')].filter(one => {
        const box = one.getBoundingClientRect();
        return box.width + box.height > 0 && box.left >= frame.left - 1
            && box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1;
    });
    const words = seen.filter(one => one.tagName === 'text').length;
    return {width: frame.width, height: frame.height, words, shapes: seen.length - words};
})"""


def test_every_figure_is_drawn_and_nothing_is_complained_about(tmp_path):
    """Each as wide as the page, with shapes and words in it; the console stays empty."""
    fill("first")
    vlga("report", "first", "--html", "first.html")
    figures, console = look_at(Path("first.html"), DRAWN, tmp_path)

    assert console == []
    assert len(figures) == 7
    for one in figures:
        assert one["width"] > 600, one
        assert one["height"] > 100, one
        assert one["words"] >= 3, one
        assert one["shapes"] >= 10, one


def test_it_fits_a_small_screen_and_asks_for_no_other_file(tmp_path):
    """What is wide scrolls in itself; the page is the only thing loaded."""
    fill("first")
    vlga("report", "first", "--html", "first.html")
    question = (
        "[document.documentElement.scrollWidth - innerWidth,"
        " performance.getEntriesByType('resource').length]"
    )
    (too_wide, loaded), _ = look_at(Path("first.html"), question, tmp_path)

    assert too_wide <= 0
    assert loaded == 0


def test_a_complaint_would_be_seen(tmp_path):
    """What the first test relies on: an error on a page reaches the console."""
    page = tmp_path / "broken.html"
    page.write_text("<!DOCTYPE html><body><script>absent()</script>")
    _, console = look_at(page, "1", tmp_path)

    assert any("absent is not defined" in line for line in console)
