"""``vlga compare`` interrupted, continued, changed, and with trainings that fail."""

import itertools
import re
import shlex
from pathlib import Path

import pytest

import workers.training.evaluate
from tests.support.command import COMPARED, vlga, vlga_in
from tests.support.comparing import COMPARE, JSON, NAMES, STRATEGIES, figures, ledger, trainings
from vlga.cli.compare import compare
from vlga.cli.compare_options import typed


class TestGoingOn:
    @pytest.mark.parametrize("n_trainings", [0, 2, 3, 4, 8])
    def test_trains_nothing_twice(self, whole_comparison, interrupt, n_trainings):
        """Ctrl-C among, between or in the final trainings: 130, and the command that goes on."""
        interrupt(n_trainings)
        told = vlga(*COMPARE, "--name", "mine")
        commands = re.findall(r"[Gg]o on with: vlga (.*)", told.err)
        before, done_before = ledger(), trainings()
        resumed = vlga(*shlex.split(commands[-1]), "--format", "json")
        done = trainings()

        assert (told.code, told.out) == (130, "")
        assert commands[0] == commands[-1]
        assert len(done_before) == n_trainings
        assert resumed.code == 0, resumed.err
        assert ledger()[: len(before)] == before
        assert len(done) == len(set(done)) == 2 * (3 + 1 + 2 + 1)
        assert figures(resumed.json) == figures(vlga_in(whole_comparison[0], *COMPARE, *JSON).json)

    def test_may_add_seeds_and_strategies(self):
        """What is there is kept, what is missing is run."""
        words = ("compare", "--budget", "epochs=3", *COMPARED, "--name", "mine")
        vlga(*words, "--seeds", "1", "--strategies", "random_search")
        before = ledger()
        told = vlga(*words, "--seeds", "2", "--strategies", "variable_length,random_search")

        assert told.code == 0
        assert ledger()[: len(before)] == before
        assert "4 searches (1 done before) of 3 epochs" in told.err
        assert re.findall(r"(\d) of 4  (mine-\S+)", told.err) == [
            ("1", "mine-variable_length-0"),
            ("3", "mine-variable_length-1"),
            ("4", "mine-random_search-1"),
        ]

    def test_may_use_other_workers(self, compared):
        """Where trainings run decides nothing."""
        assert vlga(*COMPARE, "--name", "mine", "--cpus-per-evaluation", "2").code == 0

    @pytest.mark.parametrize(
        ("setting", "what"),
        [
            ("training.epochs=3", r"training\.epochs=1 instead of 3"),
            ("budget.phases=2", r"budget\.phases=1 instead of 2"),
            ("data.train_limit=60", "other images"),
        ],
    )
    def test_refuses_other_settings(self, compared, setting, what):
        """Two kinds of searches in one table would compare nothing."""
        before = ledger()
        told = vlga(*COMPARE, "--set", setting, "--name", "mine")

        assert (told.code, told.out) == (2, "")
        assert re.fullmatch(
            rf"vlga: --name must be new, or .*, but 'mine-random_search-0' has {what}; .*\n",
            told.err,
        )
        assert ledger() == before

    def test_has_a_name_of_its_own_if_none_is_given(self):
        """The next free number, whatever the names around it."""
        words = ("compare", "--budget", "epochs=3", "--seeds", "1", *COMPARED)
        first = vlga(*words, "--strategies", "random_search")
        second = vlga(*words, "--strategies", "random_search")

        assert first.err.startswith("compare-1  ")
        assert second.err.startswith("compare-2  ")
        assert Path("compare-2.html").exists()
        assert [one["name"] for one in vlga("list", "--format", "json").json] == [
            "compare-2-random_search-0",
            "compare-1-random_search-0",
        ]

    def test_needs_no_password_typed(self):
        """The command to type next is what was typed, quoted; a password comes from VLGA_DB."""
        words = ["a b.toml", "--inline", "--set", "x=[1, 2]", "--set", "y=3", "--seeds", "1"]
        url = "postgresql://me:secret@host/db"
        context = compare.make_context("compare", [*words, "--db", url, "--name", "old"])

        assert typed(context, "new") == (
            "vlga compare 'a b.toml' --set 'x=[1, 2]' --set y=3 --seeds 1 "
            '--inline --name new --db "$VLGA_DB"'
        )


class TestFailures:
    def test_of_one_search_leave_the_others(self, monkeypatch):
        """They are said, counted and left out of the figures; exit code 1 after the table."""
        monkeypatch.setattr(
            "workers.training.evaluate._train", fail_if(lambda number, _: number > 7)
        )
        told = vlga(*COMPARE, "--name", "mine")
        rows = [re.split("  +", line) for line in told.out.splitlines()[2:4]]

        assert told.code == 1
        assert [row[:2] for row in rows] == [[one, "1 of 2"] for one in STRATEGIES]
        assert told.err.count("failed: ") == 2
        assert "random_search finished only 1 of 2 seeds" in told.out
        assert told.err.endswith(
            f"vlga: 2 of 4 searches failed and are left out: {', '.join(NAMES[2:])}\n"
        )

    def test_of_all_leave_an_empty_table(self):
        """And an empty figure, and no difference."""
        told = vlga(*COMPARE, *JSON, "--set", "limits.evaluation_seconds=1e-9")

        assert told.code == 1
        assert [one["finished"] for one in told.json["strategies"]] == [0, 0]
        assert told.json["difference"] is None
        assert Path("mine.html").exists()

    def test_of_longer_trainings_are_said(self, monkeypatch):
        """The search is complete, but its winner has no test accuracy."""
        monkeypatch.setattr(
            "workers.training.evaluate._train", fail_if(lambda _, task: task.is_final)
        )
        told = vlga(*COMPARE, "--name", "mine")

        assert told.code == 0
        assert "random_search: 2 of 2 winners failed in their longer training" in told.out
        assert "test accuracy out_of_memory" in told.err
        assert {re.split("  +", line)[3] for line in told.out.splitlines()[2:4]} == {"-"}


def fail_if(is_doomed):
    """Give a training that runs out of memory if this says so of its number, from 1, and task."""
    train, number = workers.training.evaluate._train, itertools.count(1)

    def train_or_fail(task, *arguments, **options):
        if is_doomed(next(number), task):
            raise MemoryError("12 GiB")
        return train(task, *arguments, **options)

    return train_or_fail
