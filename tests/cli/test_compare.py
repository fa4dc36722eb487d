"""``vlga compare`` with real trainings: two strategies, two seeds, a few small networks each."""

import csv
import io
import math
import re
import shlex
import statistics
from pathlib import Path

import pytest

from tests.support.command import COMPARED, vlga
from tests.support.comparing import COMPARE, JSON, NAMES, STRATEGIES, ledger


class TestSearches:
    def test_are_ordinary_ones(self, compared):
        """One a strategy and seed, a seed's strategies together; the other commands know them."""
        listed = vlga("list", "--format", "json").json

        assert [one["name"] for one in reversed(listed)] == NAMES
        assert {one["status"] for one in listed} == {"completed"}
        for name in NAMES:
            assert vlga("top", name).code == 0

    def test_differ_in_strategy_and_seed_alone(self, compared):
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
    def test_has_the_ledgers_figures(self, compared):
        """Means, deviations and medians of what `show` and the rows of `evaluations` say."""
        rows = {row["strategy"]: row for row in vlga(*COMPARE, *JSON).json["strategies"]}
        for strategy in STRATEGIES:
            shown = [
                vlga("show", f"mine-{strategy}-{seed}", "--format", "json").json for seed in (0, 1)
            ]
            best = [one["best"] for one in shown]
            counts = [one["evaluations"] for one in shown]
            row = rows[strategy]

            for key in ("fitness", "test_accuracy"):
                values = [one[key] for one in best]
                assert row[key] == pytest.approx(sum(values) / 2)
                deviation = abs(values[0] - values[1]) / math.sqrt(2)
                assert row[f"{key}_sd"] == pytest.approx(deviation)
            assert row["evaluations"] == sum(one["completed"] for one in counts) / 2
            assert row["epochs"] == row["evaluations"]
            assert row["failures"] == sum(one["failed"] for one in counts) / 2
            assert row["seconds"] == pytest.approx(sum(one["seconds"] for one in shown) / 2)
            assert row["depth"] == statistics.median(one["depth"] for one in best)
            assert row["parameters"] == statistics.median(one["parameters"] for one in best)
            assert (row["finished"], row["tested"], row["unfinished"]) == (2, 2, 0)

    def test_is_for_people(self, compared):
        """A line a strategy, then sentences; nothing but it on stdout."""
        printed = compared.out.splitlines()
        rows = vlga(*COMPARE, *JSON).json["strategies"]

        assert re.sub("  +", ",", printed[0]) == (
            "strategy,seeds,fitness,test accuracy,evaluations,epochs,seconds,failures,"
            "depth,parameters"
        )
        for line, row in zip(printed[2:4], rows, strict=True):
            cells = re.split("  +", line)
            assert cells[:2] == [row["strategy"], "2"]
            for cell, key in zip(cells[2:4], ("fitness", "test_accuracy"), strict=True):
                assert cell == f"{row[key]:.4f} ± {row[f'{key}_sd']:.4f}"
        assert printed[4] == ""
        assert re.fullmatch(
            r"2 seeds cannot tell the best two apart: \w+ is ahead of \w+ by 0\.\d{4} ± 0\.\d{4} "
            r"on the test images \(mean and standard error of 2 seeds\)\.",
            printed[5],
        )

    def test_says_who_did_not_use_the_budget(self, compared):
        """A strategy that stops by its own rule had less than the others."""
        random, variable = vlga(*COMPARE, *JSON).json["strategies"]

        assert (random["epochs"], random["ended_early"]) == (3, 0)
        assert (variable["epochs"], variable["ended_early"]) == (2, 2)
        assert compared.out.splitlines()[6].startswith("For comparison: always the largest class")
        assert compared.out.splitlines()[7:] == [
            "variable_length ended by its own rule before its budget was used in 2 of 2 searches."
        ]

    def test_of_one_seed_has_no_deviation(self, compared, tmp_path):
        """A dash, and the sentence says that one is too few."""
        words = [word if word != "2" else "1" for word in COMPARE]
        told = vlga(*words, "--name", "mine", "--plot-dir", str(tmp_path))

        assert re.search(r"\n(\S+ +1( +0\.\d{4} ± -){2} .*\n){2}", told.out), told.out
        assert "1 seed cannot tell the best two apart" in told.out

    def test_json_has_what_scripts_rely_on(self, compared):
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
            "name", "data", "budget", "seeds", "rivals", "strategies", "difference", "ratios",
            "curves", "notes", "searches",
        ]  # fmt: skip
        assert (tree["name"], tree["data"], tree["seeds"]) == ("mine", "digits", [0, 1])
        assert list(tree["strategies"][0]) == [
            "strategy", "finished", "unfinished", "fitness", "fitness_sd",
            "test_accuracy", "test_accuracy_sd", "tested", "evaluations", "epochs", "seconds",
            "failures", "ended_early", "taken_over", "depth", "parameters",
        ]  # fmt: skip
        assert list(tree["searches"][0]) == [
            "name", "strategy", "seed", "status", "fitness", "test_accuracy",
            "evaluations", "epochs", "seconds", "failures", "reused", "taken_over", "depth",
            "parameters", "ended_early",
        ]  # fmt: skip
        assert found["mean"] == pytest.approx(sum(gaps) / 2)
        assert found["standard_error"] == pytest.approx(abs(gaps[0] - gaps[1]) / 2)
        assert (found["pairs"], found["is_clear"]) == (2, False)
        assert [list(one) for one in tree["ratios"]] == [
            ["first", "other", "share", "low", "high", "n_seeds"]
        ]
        assert [tree["ratios"][0][key] for key in ("first", "other", "low", "n_seeds")] == [
            *STRATEGIES, None, 2,
        ]  # fmt: skip
        assert [*tree["curves"]] == [*STRATEGIES]
        assert all([*one] == ["epochs", "mean", "low", "high"] for one in tree["curves"].values())

    def test_csv_has_the_same_rows(self, compared):
        """Column by column."""
        told = vlga(*COMPARE, "--name", "mine", "--format", "csv")
        rows = [*csv.DictReader(io.StringIO(told.out))]

        assert [row["strategy"] for row in rows] == [*STRATEGIES]
        assert list(rows[0]) == list(vlga(*COMPARE, *JSON).json["strategies"][0])
        assert rows[0]["epochs"] == "3.0"


class TestTakenOver:
    def test_trainings_of_other_searches_are_told(self, tmp_path):
        """They took no time, so that seconds cannot be compared."""
        words = ("--plot-dir", str(tmp_path), "--name")
        vlga(*COMPARE, *words, "mine")
        told = vlga(*COMPARE, *words, "again")

        assert "random_search took over 6 trainings of other searches of the database" in told.out


class TestStory:
    def test_is_told_on_stderr(self, compared):
        """What is compared, the command that goes on, a line a search, the files."""
        score = r"validation accuracy 0\.\d{4}  test accuracy 0\.\d{4}  \[0:\d\d\]\n"
        story = (
            r"mine  random_search, variable_length; 2 seeds from 0: 4 searches of 3 epochs and "
            r"1 phase; digits: 80 \+ 20 images; 1 epoch, batches of 8, "
            r"networks of at most \S+ \w MACs an image, feature maps of at most \S+ MB, "
            r"\d known networks? first; "
            r"1 at a time; sqlite:///vlga.db\n"
            r"if interrupted, go on with: vlga compare .* --name mine\n"
            + "".join(f"{i} of 4  {name}  {score}" for i, name in enumerate(NAMES, start=1))
            + r"wrote mine\.html\n"
        )

        assert re.fullmatch(story, compared.err), compared.err

    def test_is_short_when_there_is_nothing_to_do(self, compared, monkeypatch):
        """A complete comparison is printed again: no workers, no training, the same table."""
        monkeypatch.setattr("vlga.cli.compare.make_evaluator", None)
        before = ledger()
        (command,) = re.findall(r"go on with: vlga (.*)", compared.err)
        told = vlga(*shlex.split(command))

        assert (told.code, told.out) == (0, compared.out)
        assert told.err == "wrote mine.html\n"
        assert ledger() == before

    def test_warns_of_a_fitness_on_the_test_images(self):
        """As every output does."""
        words = ("compare", "--strategies", "random_search", "--seeds", "1", *COMPARED)
        told = vlga(*words, "--budget", "epochs=1", "--set", "data.fitness_on=test", *JSON)

        assert told.json["data"] == "digits (fitness on the TEST images)"
        assert told.json["notes"][1:] == [
            "Fitness was measured on the test images: no accuracy here is on unseen images."
        ]


class TestPage:
    def test_has_all_that_the_comparison_found(self, compared):
        """The table, the sentences, the curves, the command and the versions."""
        text = Path("mine.html").read_text(encoding="utf-8")

        assert text.count('<div class="plot"') == 1
        for strategy in STRATEGIES:
            assert f"<td>{strategy}</td>" in text
        for cell in re.split("  +", compared.out.splitlines()[2]):
            assert f"<td>{cell}</td>" in text
        assert f"<p>{compared.out.splitlines()[5]}</p>" in text
        assert re.search("<pre>vlga compare .* --name mine</pre>", text)
        assert re.search(r"<p>On python 3\.\d+\.\d+, vlga .*, torch .*, numpy .*\.</p>", text)

    def test_goes_where_it_is_wanted(self, compared, tmp_path):
        """A folder that need not exist."""
        told = vlga(*COMPARE, "--name", "mine", "--plot-dir", str(tmp_path / "new" / "plots"))

        assert told.code == 0
        assert [path.name for path in (tmp_path / "new" / "plots").iterdir()] == ["mine.html"]

    def test_another_s_file_is_refused_before_anything_runs(self):
        """One line; the file stays as it was, and no search is entered."""
        Path("mine.html").write_text("<p>mine")
        told = vlga(*COMPARE, "--name", "mine")

        assert (told.code, told.out) == (2, "")
        assert told.err == (
            "vlga: a file of --plot-dir must be a new file or one that vlga has made, but "
            "'mine.html' is another; move it away, or choose another --name or --plot-dir\n"
        )
        assert Path("mine.html").read_text() == "<p>mine"
        assert vlga("list", "--format", "json").json == []

    def test_the_database_is_no_page(self):
        """However it is called."""
        told = vlga(*COMPARE, "--name", "mine", "--db", "sqlite:///mine.html")

        assert (told.code, told.out) == (2, "")
        assert "must not be the database in use, but got 'mine.html'" in told.err
        assert vlga("list", "--db", "sqlite:///mine.html").code == 0
