"""What the doctor finds good or bad, from values."""

from hypothesis import given
from hypothesis import strategies as st

from vlga.cli.diagnosis import (
    judge_clock,
    judge_cpus,
    judge_data,
    judge_disk,
    judge_gpus,
    judge_libraries,
)

OWN = {"python": "3.11.7", "torch": "2.10.0", "deap": "1.4.4"}


class TestLibraries:
    def test_that_are_the_same_are_good(self):
        """They are told with their versions."""
        told = judge_libraries("a", OWN, OWN)

        assert (told.state, told.found) == ("ok", "python 3.11.7, torch 2.10.0, deap 1.4.4")

    def test_that_are_others_are_told_with_ours(self):
        """Only those."""
        told = judge_libraries("a", OWN | {"torch": "2.9.0", "deap": None}, OWN)

        assert (told.state, told.found) == ("warning", "torch 2.9.0 (here 2.10.0)")

    def test_that_are_missing_are_installed_by_ray(self):
        """It works, but takes its time with every search."""
        told = judge_libraries("a", OWN | {"deap": None}, OWN)

        assert (told.state, told.found) == ("warning", "no deap")
        assert "install them there" in told.do


class TestClock:
    @given(st.floats(-1e6, 1e6), st.floats(0, 100), st.floats(0, 100))
    def test_is_wrong_only_if_it_must_be(self, skew, before, after):
        """A true skew within the bounds is never made larger than it is."""
        told = judge_clock("a", skew - before, skew + after)

        if abs(skew) <= 5:
            assert told.state == "ok"
        if before + after < 1 and abs(skew) > 6:
            assert told.state == "warning"
            assert told.found.endswith("ahead" if skew > 0 else "behind")


def test_a_full_disk_is_a_problem_and_a_small_one_a_warning():
    """Half a gigabyte, and five."""
    states = [judge_disk("disk", int(free)).state for free in (4e8, 4e9, 6e9)]

    assert states == ["problem", "warning", "ok"]


class TestGpus:
    def test_need_a_torch_that_knows_them(self):
        """The version of a build for CPUs ends in its name."""
        cases = [(0, False, "2.10.0+cpu"), (2, True, "2.10.0+cpu"), (2, True, "2.10.0+cu130")]

        assert [judge_gpus("a", *case).state for case in cases] == ["ok", "problem", "ok"]

    def test_that_nobody_uses_are_told(self):
        """An old driver, or Ray started without them."""
        assert judge_gpus("a", 0, True, "2.10.0").state == "warning"


def test_without_a_cpu_nothing_trains():
    """A cluster may have a head and no worker yet."""
    assert [judge_cpus("CPUs", n).state for n in (0, 1)] == ["problem", "ok"]


def test_a_folder_of_data_sets_must_be_there():
    """If one was given; without one the user's own is made when needed."""
    cases = [(None, True), ("data", True), ("data", False)]

    states = [judge_data(folder, exists, ["digits"]).state for folder, exists in cases]
    assert states == ["ok", "ok", "warning"]
