"""Names of searches: what is typed, and what is made up from a folder's name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.command import SMALL, vlga
from vlga.errors import ConfigError
from vlga.ports.names import check_name, made_up_name


@given(st.text(max_size=300))
def test_what_is_made_up_can_be_typed(text):
    """It obeys the rule for --name, with a number behind it too."""
    check_name(made_up_name(text))
    check_name(f"{made_up_name(text)}-{10**9}")


@pytest.mark.parametrize(
    ("text", "name"),
    [("digits", "digits"), ("-dash", "dash"), ("a b\n\x1b[31m", "a-b-31m"), ("né.v2", "né.v2")],
)
def test_what_is_made_up_is_like_the_text(text, name):
    """Letters and digits stay; what a shell or a terminal obeys does not."""
    assert made_up_name(text) == name


def test_a_name_longer_than_a_file_system_takes_is_refused():
    """Counted in bytes, as file systems do."""
    check_name("x" * 180)
    with pytest.raises(ConfigError, match=r"at most 180 bytes long, but has 182: 'éé"):
        check_name("é" * 91)


def test_a_folder_with_a_dash_makes_a_search_that_can_be_shown(home):
    """The commands that are printed work as they are."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    for number, image in enumerate(pixels):
        folder = home / "-my photos" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    told = vlga("search", *SMALL, "--set", "data.train_limit=none", "--data", "./-my photos")

    assert told.code == 0, told.err
    assert "  vlga top my-photos-1\n" in told.err
    assert vlga("show", "my-photos-1").code == 0
