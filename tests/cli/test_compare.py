"""``vlga compare`` with real trainings: two strategies, two seeds, a few small networks each."""

import csv
import io
import itertools
import math
import re
import shlex
import sqlite3
import statistics
from contextlib import closing
from pathlib import Path

import pytest

import workers.evaluation
from tests.cli.command import SMALL, vlga
from vlga.cli.compare import compare, typed

STRATEGIES = ("random_search", "variable_length")
#: The variable-length search ends after its only phase of two networks, the other after three.
COMPARE = (
    "compare", "--strategies", ",".join(STRATEGIES), "--seeds", "2", "--budget", "epochs=3",
    *SMALL, "--set", "data.train_limit=100",
)  # fmt: skip
NAMES = [f"mine-{strategy}-{seed}" for seed in (0, 1) for strategy in STRATEGIES]
JSON = ("--name", "mine", "--format", "json")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison that nobody interrupted: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("VLGA_DB", raising=False)
        told = vlga(*COMPARE, "--name", "mine")
    assert told.code == 0, told.err
    return folder, told


@pytest.fixture
def back(whole, monkeypatch):
    """Go back to the folder of the whole comparison; give what was printed there."""
    folder, told = whole
    monkeypatch.chdir(folder)
    return told


def ledger():
    """Give every row of `evaluations` with its search's name, in the order of recording."""
    with closing(sqlite3.connect("vlga.db")) as connection:
        return connection.execute(
            "SELECT s.name, e.* FROM evaluations e JOIN searches s ON s.id = e.search_id "
            "ORDER BY e.id"
        ).fetchall()


def trainings():
    """Give search, candidate and whether it was the final one, of every training done."""
    with closing(sqlite3.connect("vlga.db")) as connection:
        return connection.execute(
            "SELECT s.name, e.candidate_id, e.is_final FROM evaluations e "
            "JOIN searches s ON s.id = e.search_id WHERE NOT e.reused ORDER BY e.id"
        ).fetchall()


def figures(comparison):
    """Give a comparison's JSON but for the times, which no two runs share."""
    for row in (*comparison["strategies"], *comparison["searches"]):
        del row["seconds"]
    return comparison


class TestSearches:
    def test_are_ordinary_ones(self, back):
        """One a strategy and seed, a seed's strategies together; the other commands know them."""
        listed = vlga("list", "--format", "json").json

        assert [one["name"] for one in reversed(listed)] == NAMES
        assert {one["status"] for one in listed} == {"completed"}
        for name in NAMES:
            assert vlga("top", name).code == 0

    def test_differ_in_strategy_and_seed_alone(self, back):
        """The budget is what was asked for and nothing of the preset's."""
        configs = [vlga("show", name, "--format", "json").json["config"] for name in NAMES]
        own = [(config.pop("strategy"), config.pop("seed")) for config in configs]

        assert own == [(strategy, seed) for seed in (0, 1) for strategy in STRATEGIES]
        assert all(config == configs[0] for config in configs)
        assert configs[0]["budget"] == {
            "evaluations": None,
            "epochs": 3,
            "seconds": None,
            "phases": 1,
        }

    def test_start_with_the_seed_asked_for(self):
        """Seeds are counted up from --seed; a configuration's own [budget] does not count."""
        Path("mine.toml").write_text("[budget]\nseconds = 1e-9\nphases = 7\n")
        words = [word for word in COMPARE if word != "budget.phases=1"]
        del words[words.index("--set", words.index("population.generations=1"))]
        told = vlga(words[0], "mine.toml", *words[1:], "--seed", "7", *JSON)

        assert told.code == 0, told.err
        assert told.json["seeds"] == [7, 8]
        assert told.json["budget"] == {"epochs": 3}
        assert {one["evaluations"] for one in told.json["searches"]} == {3}


class TestTable:
    def test_has_the_ledgers_figures(self, back):
        """Means, deviations and medians of what `show` and the rows of `evaluations` say."""
        rows = {row["strategy"]: row for row in vlga(*COMPARE, *JSON).json["strategies"]}
        for strategy in STRATEGIES:
            shown = [
                vlga("show", f"mine-{strategy}-{seed}", "--format", "json").json for seed in (0, 1)
            ]
            best = [one["best"] for one in shown]
            counts = [one["evaluations"] for one in shown]
            row = rows[strategy]

            for key, where in (("validation", "fitness"), ("test", "test_accuracy")):
                values = [one[where] for one in best]
                assert row[f"{key}_accuracy"] == pytest.approx(sum(values) / 2)
                deviation = abs(values[0] - values[1]) / math.sqrt(2)
                assert row[f"{key}_accuracy_sd"] == pytest.approx(deviation)
            assert row["evaluations"] == sum(one["completed"] for one in counts) / 2
            assert row["epochs"] == row["evaluations"]
            assert row["failures"] == sum(one["failed"] for one in counts) / 2
            assert row["seconds"] == pytest.approx(sum(one["seconds"] for one in shown) / 2)
            assert row["depth"] == statistics.median(one["depth"] for one in best)
            assert row["parameters"] == statistics.median(one["parameters"] for one in best)
            assert (row["finished"], row["tested"], row["unfinished"]) == (2, 2, 0)

    def test_is_for_people(self, back):
        """A line a strategy, then sentences; nothing but it on stdout."""
        printed = back.out.splitlines()
        rows = vlga(*COMPARE, *JSON).json["strategies"]

        assert re.sub("  +", ",", printed[0]) == (
            "strategy,seeds,validation accuracy,test accuracy,evaluations,epochs,seconds,failures,"
            "depth,parameters"
        )
        for line, row in zip(printed[2:4], rows, strict=True):
            cells = re.split("  +", line)
            assert cells[:2] == [row["strategy"], "2"]
            for cell, key in zip(cells[2:4], ("validation_accuracy", "test_accuracy"), strict=True):
                assert cell == f"{row[key]:.4f} ± {row[f'{key}_sd']:.4f}"
        assert printed[4] == ""
        assert re.fullmatch(
            r"2 seeds cannot tell the best two apart: \w+ is ahead of \w+ by 0\.\d{4} ± 0\.\d{4} "
            r"on the test images \(mean and standard error of 2 seeds\)\.",
            printed[5],
        )

    def test_says_who_did_not_use_the_budget(self, back):
        """A strategy that stops by its own rule had less than the others."""
        random, variable = vlga(*COMPARE, *JSON).json["strategies"]

        assert (random["epochs"], random["ended_early"]) == (3, 0)
        assert (variable["epochs"], variable["ended_early"]) == (2, 2)
        assert back.out.splitlines()[6:] == [
            "variable_length ended by its own rule before its budget was used in 2 of 2 searches."
        ]

    def test_of_one_seed_has_no_deviation(self, back, tmp_path):
        """A dash, and the sentence says that one is too few."""
        words = [word if word != "2" else "1" for word in COMPARE]
        told = vlga(*words, "--name", "mine", "--plot-dir", str(tmp_path))

        assert re.search(r"\n(\S+ +1( +0\.\d{4} ± -){2} .*\n){2}", told.out), told.out
        assert "1 seed cannot tell the best two apart" in told.out

    def test_json_has_what_scripts_rely_on(self, back):
        """The documented keys; the difference is the mean of the pairs."""
        tree = vlga(*COMPARE, *JSON).json
        scores = {
            strategy: [
                one["test_accuracy"] for one in tree["searches"] if one["strategy"] == strategy
            ]
            for strategy in STRATEGIES
        }
        found = tree["difference"]
        gaps = [a - b for a, b in zip(scores[found["first"]], scores[found["second"]], strict=True)]

        assert list(tree) == [
            "name", "data", "budget", "seeds", "strategies", "difference", "notes", "searches",
        ]  # fmt: skip
        assert (tree["name"], tree["data"], tree["seeds"]) == ("mine", "digits", [0, 1])
        assert list(tree["strategies"][0]) == [
            "strategy", "finished", "unfinished", "validation_accuracy", "validation_accuracy_sd",
            "test_accuracy", "test_accuracy_sd", "tested", "evaluations", "epochs", "seconds",
            "failures", "ended_early", "depth", "parameters",
        ]  # fmt: skip
        assert list(tree["searches"][0]) == [
            "name", "strategy", "seed", "status", "validation_accuracy", "test_accuracy",
            "evaluations", "epochs", "seconds", "failures", "reused", "depth", "parameters",
            "ended_early",
        ]  # fmt: skip
        assert found["mean"] == pytest.approx(sum(gaps) / 2)
        assert found["standard_error"] == pytest.approx(abs(gaps[0] - gaps[1]) / 2)
        assert (found["pairs"], found["is_clear"]) == (2, False)

    def test_csv_has_the_same_rows(self, back):
        """Column by column."""
        told = vlga(*COMPARE, "--name", "mine", "--format", "csv")
        rows = [*csv.DictReader(io.StringIO(told.out))]

        assert [row["strategy"] for row in rows] == [*STRATEGIES]
        assert list(rows[0]) == list(vlga(*COMPARE, *JSON).json["strategies"][0])
        assert rows[0]["epochs"] == "3.0"


class TestStory:
    def test_is_told_on_stderr(self, back):
        """What is compared, the command that goes on, a line a search, the files."""
        score = r"validation accuracy 0\.\d{4}  test accuracy 0\.\d{4}  \[0:\d\d\]\n"
        story = (
            r"mine  random_search, variable_length; 2 seeds from 0: 4 searches of 3 epochs and "
            r"1 phase; digits: 80 \+ 20 images; 1 at a time; sqlite:///vlga.db\n"
            r"if interrupted, go on with: vlga compare .* --name mine\n"
            + "".join(f"{i} of 4  {name}  {score}" for i, name in enumerate(NAMES, start=1))
            + r"wrote mine\.png\nwrote mine\.html\n"
        )

        assert re.fullmatch(story, back.err), back.err

    def test_is_short_when_there_is_nothing_to_do(self, back, monkeypatch):
        """A complete comparison is printed again: no workers, no training, the same table."""
        monkeypatch.setattr("vlga.cli.compare.make_evaluator", None)
        before = ledger()
        (command,) = re.findall(r"go on with: vlga (.*)", back.err)
        told = vlga(*shlex.split(command))

        assert (told.code, told.out) == (0, back.out)
        assert told.err == "wrote mine.png\nwrote mine.html\n"
        assert ledger() == before

    def test_warns_of_a_fitness_on_the_test_images(self):
        """As every output does."""
        words = ("compare", "--strategies", "random_search", "--seeds", "1", *SMALL)
        told = vlga(*words, "--budget", "epochs=1", "--set", "data.fitness_on=test", *JSON)

        assert told.json["data"] == "digits (fitness on the TEST images)"
        assert told.json["notes"] == [
            "Fitness was measured on the test images: no accuracy here is of unseen ones."
        ]


class TestFiles:
    def test_are_a_picture_and_a_page(self, back):
        """The page has the table, the sentences, the command and the versions."""
        text = Path("mine.html").read_text(encoding="utf-8")

        assert Path("mine.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        for strategy in STRATEGIES:
            assert f"<td>{strategy}</td>" in text
        for cell in re.split("  +", back.out.splitlines()[2]):
            assert f"<td>{cell}</td>" in text
        assert f"<p>{back.out.splitlines()[5]}</p>" in text
        assert re.search("<pre>vlga compare .* --name mine</pre>", text)
        assert re.search(r"<p>On python 3\.\d+\.\d+, vlga .*, torch .*, numpy .*\.</p>", text)

    def test_the_page_needs_no_network(self, back):
        """Whatever it refers to is in it; the only addresses are the names of XML's dialects."""
        text = Path("mine.html").read_text(encoding="utf-8")
        referred = re.findall(r"""(?:href|src|data|action|srcset)=["']([^"']*)""", text)
        referred += re.findall(r"url\(([^)]*)\)", text)

        assert all(one.startswith("#") for one in referred), referred
        assert not re.search(r"(?i)<(script|link|iframe|img|object|embed)\b|@import", text)
        assert re.sub(r'xmlns(:\w+)?="http[^"]*"', "", text).count("://") == 0

    def test_go_where_they_are_wanted(self, back, tmp_path):
        """A folder that need not exist."""
        told = vlga(*COMPARE, "--name", "mine", "--plot-dir", str(tmp_path / "new" / "plots"))

        assert told.code == 0
        assert sorted(path.name for path in (tmp_path / "new" / "plots").iterdir()) == [
            "mine.html",
            "mine.png",
        ]


class TestGoingOn:
    @pytest.mark.parametrize("n_trainings", [0, 2, 3, 4, 8])
    def test_trains_nothing_twice(self, whole, interrupt, n_trainings):
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
        assert figures(resumed.json) == figures(in_folder(whole[0], *COMPARE, *JSON).json)

    def test_may_add_seeds_and_strategies(self):
        """What is there is kept, what is missing is run."""
        words = ("compare", "--budget", "epochs=3", *SMALL, "--name", "mine")
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

    def test_may_use_other_workers(self, back):
        """Where trainings run decides nothing."""
        assert vlga(*COMPARE, "--name", "mine", "--workers", "7").code == 0

    @pytest.mark.parametrize(
        ("setting", "what"),
        [
            ("training.epochs=3", r"training\.epochs=1 instead of 3"),
            ("budget.phases=2", r"budget\.phases=1 instead of 2"),
            ("data.train_limit=60", "other images"),
        ],
    )
    def test_refuses_other_settings(self, back, setting, what):
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
        words = ("compare", "--budget", "epochs=3", "--seeds", "1", *SMALL)
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
        """The command to type next is what was typed, quoted, with the password masked."""
        words = ["a b.toml", "--inline", "--set", "x=[1, 2]", "--set", "y=3", "--seeds", "1"]
        url = "postgresql://me:secret@host/db"
        context = compare.make_context("compare", [*words, "--db", url, "--name", "old"])

        assert typed(context, "new") == (
            "vlga compare 'a b.toml' --set 'x=[1, 2]' --set y=3 --seeds 1 "
            "--db 'postgresql://me:***@host/db' --inline --name new"
        )


class TestFailures:
    def test_of_one_search_leave_the_others(self, monkeypatch):
        """They are said, counted and left out of the figures; exit code 1 after the table."""
        monkeypatch.setattr("workers.evaluation._train", fail_if(lambda number, _: number > 7))
        told = vlga(*COMPARE, "--name", "mine")
        rows = [re.split("  +", line) for line in told.out.splitlines()[2:4]]

        assert told.code == 1
        assert [row[:2] for row in rows] == [[one, "1 of 2"] for one in STRATEGIES]
        assert told.err.count("failed: ") == 2
        assert "random_search has only 1 of 2 seeds to show" in told.out
        assert told.err.endswith(
            f"vlga: 2 of 4 searches failed and are left out: {', '.join(NAMES[2:])}\n"
        )

    def test_of_all_leave_an_empty_table(self):
        """And an empty picture, and no difference."""
        told = vlga(*COMPARE, *JSON, "--set", "limits.evaluation_seconds=1e-9")

        assert told.code == 1
        assert [one["finished"] for one in told.json["strategies"]] == [0, 0]
        assert told.json["difference"] is None
        assert Path("mine.png").exists()

    def test_of_longer_trainings_are_said(self, monkeypatch):
        """The search is complete, but its winner has no test accuracy."""
        monkeypatch.setattr("workers.evaluation._train", fail_if(lambda _, task: task.is_final))
        told = vlga(*COMPARE, "--name", "mine")

        assert told.code == 0
        assert "random_search: 2 of 2 winners failed in their longer training" in told.out
        assert "test accuracy out_of_memory" in told.err
        assert {re.split("  +", line)[3] for line in told.out.splitlines()[2:4]} == {"-"}


def fail_if(is_doomed):
    """Give a training that runs out of memory if this says so of its number, from 1, and task."""
    train, number = workers.evaluation._train, itertools.count(1)

    def train_or_fail(task, *arguments):
        if is_doomed(next(number), task):
            raise MemoryError("12 GiB")
        return train(task, *arguments)

    return train_or_fail


def in_folder(folder, *arguments):
    """Run a command in another folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return vlga(*arguments)
