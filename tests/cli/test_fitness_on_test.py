"""A search that takes its fitness from the test images says so wherever it speaks."""

from __future__ import annotations

import pytest

from tests.support.command import SMALL, vlga, vlga_in

MARK = "fitness on the TEST images"


@pytest.fixture(scope="module")
def peeked(tmp_path_factory):
    """Such a search, run to its end; its database's URL and what it told."""
    folder = tmp_path_factory.mktemp("peeked")
    told = vlga_in(folder, "search", *SMALL, "--set", "data.fitness_on=test")
    assert told.code == 0, told.err
    return f"sqlite:///{folder}/vlga.db", told


def test_the_search_says_it_first_and_last(peeked):
    """In its head line, and instead of calling the test images unseen."""
    _, told = peeked

    assert MARK in told.err.splitlines()[0]
    assert "TEST accuracy" in told.out
    assert "so it says nothing about other images" in told.out
    assert "never used before" not in told.out


@pytest.mark.parametrize(
    "command",
    [("list",), ("show", "digits-1"), ("top", "digits-1"), ("individual", "digits-1", "0")],
)
def test_every_reading_command_says_it(peeked, command):
    """`individual` where it gives the accuracy, the others by the data's name."""
    url, _ = peeked
    told = vlga(*command, "--db", url)

    assert ("TEST accuracy" if command[0] == "individual" else MARK) in told.out + told.err
    assert "validation accuracy" not in told.out + told.err


def test_it_is_in_the_json_of_list_and_show(peeked):
    """As part of the data's name; a search on validation images has none of it."""
    url, _ = peeked

    assert MARK in vlga("list", "--db", url, "--format", "json").json[0]["data"]
    assert MARK in vlga("show", "digits-1", "--db", url, "--format", "json").json["data"]
