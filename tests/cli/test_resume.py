"""Resuming with other settings; that nothing else changes is in test_search.py."""

import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from db.store import SqlStore
from tests.cli.test_search import images, results
from tests.support.command import FIRST, SMALL, vlga
from tests.support.ledger import ledger

#: Three random networks of up to two blocks.
RANDOM = (
    *SMALL, "--set", "strategy=random_search", "--set", "population.max_blocks=2",
    "--set", "budget.evaluations=3", "--set", "training.reuse=false",
)  # fmt: skip


def shown(name):
    return vlga("show", name, "--format", "json").json


def finals(name):
    with closing(SqlStore("sqlite:///vlga.db")) as store:
        return store.final_trainings(name)


class TestBudget:
    def test_a_completed_search_goes_on_with_more(self):
        """What was trained is kept; the end is that of a search with that budget from the start."""
        assert vlga("search", *RANDOM, "--name", "whole", "--set", "budget.evaluations=6").code == 0
        assert vlga("search", *RANDOM, "--name", "grown").code == 0
        before = results("grown")
        told = vlga("resume", "grown", "--set", "budget.evaluations=6")

        assert told.code == 0, told.err
        assert shown("grown")["config"]["budget"]["evaluations"] == 6
        assert before[0]["evaluations"]["completed"] == 3
        (state, everyone, people), (expected, all_others, others) = (
            results(name) for name in ("grown", "whole")
        )
        assert (state, everyone) == (expected, all_others)
        assert [one["genome"] for one in people] == [one["genome"] for one in others]

    def test_what_was_taken_over_had_used_the_budget_too(self):
        """A search that trained nothing, as another had, ended by its budget all the same."""
        vlga("search", *RANDOM, "--name", "first")
        vlga("search", *RANDOM, "--set", "training.reuse=true", "--name", "second")
        told = vlga("resume", "second", "--set", "budget.evaluations=4")

        assert told.code == 0, told.err
        assert shown("second")["evaluations"] == {"completed": 1, "failed": 0, "reused": 3}

    def test_its_winner_is_trained_longer_once(self):
        """Where the winner stays the same its training stands; else the new one's counts."""
        vlga("search", *RANDOM, "--name", "grown")
        first = shown("grown")["best"]
        for n_evaluations in (4, 5, 6, 7):
            told = vlga("resume", "grown", "--set", f"budget.evaluations={n_evaluations}")
            assert told.code == 0, told.err
        last = shown("grown")["best"]
        trained = [one.candidate_id for one in finals("grown")]

        assert len(set(trained)) == len(trained)
        assert trained[0] == first["id"]
        assert trained[-1] == last["id"]
        assert last["test_accuracy"] == finals("grown")[-1].fitness

    def test_an_interrupted_search_gets_it_too(self, interrupt):
        """The changed configuration is stored, so that a further resume has it."""
        interrupt(2)
        vlga("search", *RANDOM, "--name", "cut")
        interrupt(1)
        told = vlga("resume", "cut", "--set", "budget.evaluations=5", "--set", "final.epochs=2")
        assert told.code == 130
        assert vlga("resume", "cut").code == 0

        assert shown("cut")["evaluations"]["completed"] == 5
        assert [one.epochs for one in finals("cut")] == [2]

    @pytest.mark.parametrize("setting", ["budget.evaluations=3", "budget.evaluations=2"])
    def test_no_larger_one_is_refused(self, setting):
        """Exit code 2 and one line that says what it was; the search stays as it was."""
        vlga("search", *RANDOM, "--name", "done")
        before = results("done")
        told = vlga("resume", "done", "--set", setting)

        assert told.code == 2
        assert re.fullmatch(
            "vlga: a search must be unfinished to be resumed, but 'done' is completed; it goes on "
            "only with a larger budget than evaluations=3 .*; or start another with: vlga search\n",
            told.err,
        )
        assert results("done") == before

    def test_a_search_that_ended_by_its_own_rule_is_over(self):
        """More budget would change nothing, but a wider rule lets it go on."""
        settings = ("--set", "population.max_blocks=1", "--set", "budget.phases=2")
        assert vlga("search", *SMALL, *settings, "--name", "done").code == 0
        told = vlga("resume", "done", "--set", "budget.seconds=1e6")

        assert told.code == 2
        assert "is completed, and ended by its strategy's own rule, not by its budget" in told.err
        assert "give it a larger population.stop_margin or population.max_blocks" in told.err

        wider = ("population.max_blocks=2", "population.stop_margin=1")
        told = vlga("resume", "done", *(word for one in wider for word in ("--set", one)))
        assert told.code == 0, told.err
        assert {one["phase"] for one in results("done")[2]} == {0, 1}

    def test_time_that_was_too_short_for_another_training_was_used_up(self):
        """A search that ended a little early, since nothing more would have ended in time."""
        assert vlga("search", *RANDOM, "--name", "timed").code == 0
        with closing(SqlStore("sqlite:///vlga.db")) as store, store.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE evaluations SET train_seconds = 3 WHERE NOT is_final"
            )
            connection.exec_driver_sql("UPDATE evaluations SET train_seconds = 0 WHERE is_final")
            connection.exec_driver_sql("UPDATE searches SET seconds = 7")
        more = ("--set", "budget.evaluations=1000", "--set", "budget.seconds=8")
        told = vlga("resume", "timed", *more)

        assert told.code == 2, told.err
        assert "it goes on only with a larger budget" in told.err

    def test_seconds_of_the_longer_training_are_not_the_search_s(self):
        """A search goes on for as long as its new time is longer than its search has taken."""
        vlga("search", *RANDOM, "--name", "timed")
        with closing(SqlStore("sqlite:///vlga.db")) as store:
            used = store.find_search("timed").seconds
            n_before = len(store.evaluations("timed"))
            store.update_search("timed", seconds=used + 1000)
            (final,) = store.final_trainings("timed")
            with store.engine.begin() as connection:
                connection.exec_driver_sql(
                    f"UPDATE evaluations SET train_seconds = {final.train_seconds + 1000} "
                    "WHERE is_final"
                )
        more = (f"budget.evaluations={n_before + 1}", f"budget.seconds={used + 100}")
        told = vlga("resume", "timed", *(word for one in more for word in ("--set", one)))

        assert told.code == 0, told.err
        assert shown("timed")["evaluations"]["completed"] > n_before

    def test_generations_may_be_added_to_the_first_phase(self):
        """A completed search of one phase goes on as if it had had them from the start."""
        few, more = (("--set", f"population.generations={n}") for n in (2, 4))
        settings = (*SMALL, "--set", "population.size=4", "--set", "training.reuse=false")
        assert vlga("search", *settings, *few, "--name", "grown").code == 0
        assert vlga("search", *settings, *more, "--name", "whole").code == 0
        told = vlga("resume", "grown", *more)

        assert told.code == 0, told.err
        assert results("grown")[:2] == results("whole")[:2]


class TestSettings:
    def test_what_may_not_change_is_refused(self, finished):
        """Exit code 2, one line, and the search is not touched."""
        told = finished.ask("resume", "digits-1", "--set", "seed=5")

        assert told.code == 2
        assert re.fullmatch("vlga: --set seed must stay as it is in a search .*\n", told.err)
        assert finished.ask("show", "digits-1", "--format", "json").json["seed"] == 0

    def test_options_say_where_it_goes_on(self, interrupt):
        """They are stored with the search, as those of `vlga search` are."""
        interrupt(1)
        vlga("search", *RANDOM, "--name", "cut")
        told = vlga("resume", "cut", "--cpus-per-evaluation", "2")

        assert told.code == 0, told.err
        assert shown("cut")["config"]["workers"]["cpus_per_evaluation"] == 2.0

    def test_a_longer_training_is_not_another_afterwards(self):
        """The test accuracy is of the winner as it was trained."""
        vlga("search", *RANDOM, "--name", "done")
        for name in ("label_smoothing", "cutout", "early_size"):
            told = vlga(
                "resume", "done", "--set", "budget.evaluations=4", "--set", f"final.{name}=0.5"
            )

            assert told.code == 2
            assert f"[final] {name} must stay as it is once a winner has been" in told.err


class TestMoved:
    @pytest.mark.parametrize("move", [Path.rename, shutil.copytree], ids=["renamed", "copied"])
    def test_a_project_folder_goes_on(self, home, interrupt, monkeypatch, undisturbed, move):
        """With weights to inherit, as if nothing had happened; a copy needs not the first."""
        (home / "old").mkdir()
        monkeypatch.chdir(home / "old")
        interrupt(10)
        assert vlga(*FIRST).code == 130
        assert vlga("db", "check").code == 0
        move(home / "old", home / "new")
        for file in home.glob("old/**/*.pt"):
            file.write_bytes(b"changed")
        monkeypatch.chdir(home / "new")
        checked, resumed = vlga("db", "check"), vlga("resume", "first")

        assert checked.code == 0, checked.out
        assert resumed.code == 0, resumed.err
        assert ledger("sqlite:///vlga.db") == undisturbed
        assert vlga("delete", "first", "--yes").code == 0
        assert not list(home.glob("new/**/*.pt"))

    @pytest.fixture
    def moved(self, home, interrupt):
        """A search that was interrupted, whose images have another name now."""
        images(home / "mine.npz")
        interrupt(1)
        settings = ("--set", "data.train_limit=30")
        assert vlga("search", "--data", "mine.npz", *SMALL, *settings).code == 130
        Path("mine.npz").rename("yours.npz")

    def test_images_are_asked_for(self, moved):
        """One line says how to give them."""
        told = vlga("resume", "mine-1")

        assert (told.code, told.err.count("\n")) == (2, 1)
        assert "does not exist" in told.err
        assert told.err.endswith("; if they were moved: vlga resume mine-1 --data PATH\n")

    def test_images_are_found_again(self, moved, home):
        """The search keeps their new place."""
        told = vlga("resume", "mine-1", "--data", "yours.npz")

        assert told.code == 0, told.err
        assert shown("mine-1")["config"]["data"]["name"] == str(home / "yours.npz")

    def test_other_images_are_refused(self, moved, home):
        """One line; the search keeps the place that it had."""
        images(home / "others.npz", seed=1)
        told = vlga("resume", "mine-1", "--data", "others.npz")

        assert told.code == 2
        assert re.search(
            "^vlga: 'mine-1' must be resumed on the images it was started on, but "
            "'.*/others.npz' has others; bring them back, or start another search$",
            told.err,
            re.MULTILINE,
        )
        assert shown("mine-1")["config"]["data"]["name"] == str(home / "mine.npz")
        assert shown("mine-1")["status"] == "interrupted"


def test_a_recorded_longer_training_completes_the_search():
    """Whatever kept its status from being written: nothing is trained again."""
    vlga("search", *RANDOM, "--name", "done")
    before, n_finals = results("done"), len(finals("done"))
    with closing(SqlStore("sqlite:///vlga.db")) as store:
        store.update_search("done", status="running", test_accuracy=None)
    told = vlga("resume", "done")

    assert told.code == 0
    assert results("done") == before
    assert len(finals("done")) == n_finals == 1
