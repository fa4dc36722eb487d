import csv
import io
import json

import pytest

from vlga.ports.machines import Machines
from vlga.report.formats import (
    as_csv,
    as_json,
    as_table,
    at_a_time_text,
    count_text,
    filled,
    machines_text,
    number_of,
    ordinal,
    pace_text,
    render,
    seconds_text,
)

ROWS = [
    {"name": "digits-1", "best_fitness": 0.5, "evaluations": 1234, "more": [1]},
    {"name": "a", "best_fitness": None, "evaluations": 7, "more": []},
]


def test_a_table_aligns_numbers_to_the_right():
    """Words to the left, an absent value as a dash, no blanks at the end of a line."""
    assert as_table(ROWS, ("name", "best_fitness", "evaluations")) == (
        "name      best fitness  evaluations\n"
        "────────  ────────────  ───────────\n"
        "digits-1        0.5000        1,234\n"
        "a                    -            7"
    )


def test_a_table_puts_text_to_the_right_where_it_is_asked_to():
    """Numbers that are written out already."""
    rows = [{"name": "a", "epochs": "1,200"}, {"name": "b", "epochs": "80.5"}]

    assert as_table(rows, ("name", "epochs"), right=["epochs"]).splitlines()[2:] == [
        "a      1,200",
        "b       80.5",
    ]


def test_a_table_says_yes_and_no():
    """A bool is no number."""
    assert as_table([{"is": True}, {"is": False}], ["is"]).split()[2:] == ["yes", "no"]


def test_a_table_leaves_out_what_it_can_do_without():
    """As many columns as it takes, in the order given."""
    columns, spare = ("name", "best_fitness", "evaluations"), ("evaluations", "best_fitness")
    headers = {
        width: as_table(ROWS, columns, width=width, spare=spare).splitlines()[0]
        for width in (35, 34, 21)
    }

    assert headers[35] == "name      best fitness  evaluations"
    assert headers[34] == "name      best fitness"
    assert headers[21] == "name"


def test_a_table_goes_on_below_where_its_last_column_has_no_room():
    """At its own place, which nothing else uses."""
    rows = [{"state": "ok", "what": "CPUs of this machine"}, {"state": "bad", "what": "a disk"}]

    assert as_table(rows, ("state", "what"), width=20) == (
        "state  what\n─────  ─────────────\nok     CPUs of this\n       machine\nbad    a disk"
    )


def test_a_character_of_two_columns_takes_two():
    """So that what follows stands under its header, and goes on below it."""
    rows = [{"class": "猫", "what": "CPUs of this machine"}, {"class": "dog", "what": "a disk"}]

    assert as_table(rows, ("class", "what")) == (
        "class  what\n─────  ────────────────────\n猫     CPUs of this machine\ndog    a disk"
    )
    assert as_table(rows, ("class", "what"), width=20) == (
        "class  what\n─────  ─────────────\n猫     CPUs of this\n       machine\ndog    a disk"
    )


def test_a_text_is_broken_at_blanks():
    """Never inside a word, and not where it fits."""
    assert filled("vlga finds networks\nby evolution", 12, indent=2) == (
        "vlga finds\n  networks\nby evolution"
    )
    assert filled("vlga finds networks", None) == "vlga finds networks"


def test_a_table_of_nothing_is_its_header():
    """And no failure."""
    assert as_table([], ("name", "data")) == "name  data\n────  ────"


def test_csv_is_read_back():
    """Only the columns asked for, numbers in full, an absent value empty."""
    text = as_csv(ROWS, ("name", "best_fitness"))

    assert [*csv.reader(io.StringIO(text))] == [
        ["name", "best_fitness"],
        ["digits-1", "0.5"],
        ["a", ""],
    ]


def test_json_keeps_every_key():
    """Also what a table has no room for; words stay readable."""
    assert json.loads(render(ROWS, "json", ["name"])) == ROWS
    assert as_json("二") == '"二"'


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (12_345, "12.3 k"),
        (123_456, "123 k"),
        (999_999, "1.00 M"),
        (4_560_000, "4.56 M"),
        (1.2e9, "1.20 G"),
        (1.2e12, "1.20 T"),
        (1.2e16, "12000 T"),
    ],
)
def test_large_counts_have_three_digits(number, text):
    """With the unit that leaves one to three before the point."""
    assert count_text(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")],
)
def test_durations_are_read_like_a_clock(seconds, text):
    """Minutes and seconds, and hours if there are any."""
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs"), (1234, "1,234 epochs")]
)
def test_one_is_singular(number, text):
    """And everything else plural."""
    assert number_of(number, "epoch") == text


@pytest.mark.parametrize(
    ("per_minute", "text"),
    [
        (1234.5, "1,234 trainings a minute"),
        (26.4, "26 trainings a minute"),
        (5.25, "5.2 trainings a minute"),
        (1.0, "1.0 trainings a minute"),
        (0.5, "30 trainings an hour"),
        (0.02, "1.2 trainings an hour"),
    ],
)
def test_a_pace_is_said_in_a_unit_that_fits(per_minute, text):
    """A minute for small networks, an hour for those that train long."""
    assert pace_text(per_minute) == text


@pytest.mark.parametrize(
    ("n_nodes", "n_gpus", "text"),
    [
        (1, 0, ""),
        (1, 1, "1 GPU"),
        (1, 8, "8 GPUs"),
        (3, 0, "3 machines"),
        (3, 8, "3 machines with 8 GPUs"),
        (0, 0, "0 machines"),
    ],
)
def test_machines_are_named_where_that_says_something(n_nodes, n_gpus, text):
    """One machine without a GPU is what everybody has; none at all is worth knowing."""
    machines = Machines(n_nodes, n_gpus)

    assert machines_text(machines) == text
    assert at_a_time_text(4, machines) == (f"4 at a time on {text}" if text else "4 at a time")


def test_a_place_is_an_ordinal():
    """The teens of every hundred end in th."""
    places = (1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 101, 111, 1003)
    said = "1st 2nd 3rd 4th 10th 11th 12th 13th 21st 22nd 101st 111th 1,003rd"
    assert " ".join(map(ordinal, places)) == said
