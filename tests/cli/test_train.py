"""`vlga train` and `vlga report`: real trainings of small networks on digits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.command import vlga, vlga_in

QUICK = ("--inline", "--epochs", "2", "--set", "data.train_limit=100")
STUDY = """
[data]
train_limit = 100

[training]
epochs = 3

[study]
networks = ["simple_cnn", "simple_cnn_plain"]
learning_rates = [0.05]
seeds = 2

[[study.arms]]
amplify = "off"

[[study.arms]]
amplify = "intelligent"
kind = "activation"
factor = 1.5
window = [0.3, 1.0]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of two networks, two arms and two seeds, run to its end; its database's URL."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY)
    result = vlga_in(folder, "train", "--grid", "study.toml", "--name", "mine", "--inline")
    assert result.code == 0, result.err
    return f"sqlite:///{folder}/vlga.db", result


class TestTrain:
    def test_trains_a_model_and_scores_it_on_the_test_images(self):
        """One training: the table on stdout, the story on stderr, the figures in the ledger."""
        told = vlga("train", "simple_cnn", *QUICK)
        (row,) = vlga("report", "simple_cnn-1", "--format", "json").json["arms"]
        (outcome,) = vlga("individual", "simple_cnn-1", "0", "--format", "json").json["evaluations"]

        assert told.code == 0
        assert "simple_cnn-1  1 training of 2 epochs: simple_cnn; 1 arm, 1 seed" in told.err
        assert (
            f"#0 simple_cnn, learning rate 0.1, plain, seed 0: test {row['test_accuracy']:.2%}"
            in told.err
        )
        assert f"{100 * row['test_accuracy']:.2f}" in told.out
        assert outcome["test_accuracy"] == row["test_accuracy"] > 0.1
        assert len(outcome["curve"]) == 2
        assert outcome["parameters"] > 90_000

    def test_compares_with_plain_where_it_is_asked_to(self):
        """Both arms of one seed begin with the same weights: their first epochs are equal."""
        told = vlga(
            "train", "simple_cnn", "--amplify", "random", "--ratio", "1", "--factor", "1.5",
            "--against-plain", *QUICK[:1], "--epochs", "4", *QUICK[3:], "--name", "both",
        )  # fmt: skip
        curves = [
            vlga("individual", "both", number, "--format", "json").json["evaluations"][0]["curve"]
            for number in "01"
        ]

        assert "random batch_norm x1.5 ratio=1" in told.out
        assert curves[0][0]["train_loss"] == curves[1][0]["train_loss"]
        assert curves[0][3]["train_loss"] != curves[1][3]["train_loss"]
        assert [len(point["amplified_layers"]) for point in curves[1]] == [0, 3, 3, 0]
        assert [len(point["amplified_layers"]) for point in curves[0]] == [0, 0, 0, 0]

    @pytest.mark.parametrize(("seeds", "cpus"), [("1", len(os.sched_getaffinity(0))), ("2", 1)])
    def test_the_only_training_gets_the_whole_machine(self, seeds, cpus):
        """Of several each gets one CPU, as in a search."""
        vlga("train", "simple_cnn", *QUICK, "--seeds", seeds, "--name", "mine")
        config = vlga("show", "mine", "--format", "json").json["config"]

        assert config["workers"]["cpus_per_evaluation"] == cpus

    def test_windows_decide_learning_rate_and_amplification(self):
        """As given, scaled to the epochs of the training."""
        vlga(
            "train", "simple_cnn", "--amplify", "random", "--window", "50:1:off",
            "--window", "100:1:on", "--window", "150:0.1:off", *QUICK[:1], "--epochs", "3",
            *QUICK[3:], "--name", "windows",
        )  # fmt: skip
        curve = vlga("individual", "windows", "0", "--format", "json").json["evaluations"][0][
            "curve"
        ]

        assert [point["learning_rate"] for point in curve] == pytest.approx([0.1, 0.1, 0.01])
        assert [bool(point["amplified_layers"]) for point in curve] == [False, True, False]

    def test_trains_a_search_s_winner_as_its_genes_say(self, finished):
        """By the search's name; beside it without amplification, from the same seed."""
        best = finished.ask("show", "digits-1", "--format", "json").json["best"]
        told = finished.ask("train", "digits-1", "--against-plain", "--name", "again", *QUICK)
        shown = finished.ask("individual", "again", "1", "--format", "json").json

        assert told.code == 0, told.err
        assert shown["genome"]["network"] == f"digits-1:{best['id']}"
        assert shown["evaluations"][0]["parameters"] == best["parameters"]
        assert (
            f"digits-1:{best['id']}, seed 0 of a study"
            in finished.ask("individual", "again", "1").out
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((), "give a MODEL"),
            (("resnet81",), "MODEL must be a known one or a search"),
            (("vgg19",), "vgg19 must have images of at least 32x32 pixels"),
            (("simple_cnn", "--amplify", "intelligent", "--ratio", "0.5"), "ratio belongs to"),
            (("simple_cnn", "--amplify", "random", "--measure", "G1"), "measure belongs to"),
            (("simple_cnn", "--factor", "2"), "factor needs amplify 'random' or 'intelligent'"),
            (("simple_cnn", "--against-plain"), "--against-plain compares with training without"),
            (("simple_cnn", "--amplify", "own"), "amplify='own' needs a searched network"),
            (("simple_cnn", "--window", "50:on"), "--window must be UNTIL:RATE:on"),
            (("simple_cnn", "--grid", "study.toml"), "leave simple_cnn out"),
            (("--grid", "none.toml"), "configuration file must be readable"),
        ],
    )
    def test_a_mistake_is_one_line_and_leaves_nothing(self, home, arguments, message):
        """Exit code 2, no database."""
        told = vlga("train", *arguments, "--inline")

        assert told.code == 2
        assert message in told.err
        assert told.err.count("\n") == 1
        assert not (home / "vlga.db").exists()


class TestStudy:
    def test_prints_a_line_a_training_and_the_report_at_the_end(self, study):
        """The report is on stdout, as `vlga report` gives it."""
        url, told = study

        assert sum(line.startswith("#") for line in told.err.splitlines()) == 8
        assert told.out == vlga("report", "mine", "--db", url).out

    def test_is_a_row_for_each_arm(self, study):
        """Two networks, plain and amplified, two seeds each; in csv too."""
        url, _ = study
        rows = vlga("report", "mine", "--db", url, "--format", "json").json["arms"]

        assert [(one["network"], one["n_completed"]) for one in rows] == [
            ("simple_cnn", 2), ("simple_cnn", 2), ("simple_cnn_plain", 2), ("simple_cnn_plain", 2)
        ]  # fmt: skip
        assert [one["minus_plain"] is None for one in rows] == [True, False, True, False]
        assert vlga("report", "mine", "--db", url, "--format", "csv").out.count("\n") == 5

    def test_tells_how_steady_each_layer_was_and_when_it_was_amplified(self, study):
        """Measured from the epoch before the window on; never amplified before a measure."""
        url, told = study
        layers = vlga("report", "mine", "--db", url, "--format", "json").json["layers"]

        assert len(layers) == 2 * 3
        for layer in layers:
            assert [one is None for one in layer["measures"]] == [False, False, True]
            assert layer["chosen"][0] == 0
        assert "intelligent activation x1.5 G1 mean window=0.3-1:" in told.out

    def test_is_a_page_too(self, study):
        """The table of arms, their differences, and a map of each arm with measured layers."""
        url, told = study
        page = vlga("report", "mine", "--db", url, "--html", "mine.html")
        text = Path("mine.html").read_text(encoding="utf-8")

        assert page.out == told.out
        assert page.err == "page: mine.html\n"
        assert "<h1>mine: a study on digits</h1>" in text
        assert text.count("<figure>") == 5
        for line in told.out.splitlines()[2:6]:
            assert f"<td>{line.split('  ')[0]}</td>" in text
        assert "simple_cnn, learning rate 0.05, intelligent activation x1.5" in text

    def test_is_seen_by_the_other_commands(self, study):
        """Listed as a search is, and refused where only a search makes sense."""
        url, _ = study

        assert vlga("list", "--db", url, "--format", "json").json[0]["strategy"] == "grid"
        assert len(vlga("top", "mine", "--db", url, "--format", "json").json) == 8
        assert "learning rate 0.05" in vlga("individual", "mine", "0", "--db", url).out
        assert vlga("train", "mine", "--db", url).code == 2

    def test_goes_on_where_it_was_stopped(self, interrupt, home):
        """What is recorded is not trained again, and the figures are those of a whole study."""
        (home / "study.toml").write_text(STUDY)
        elsewhere = ("--name", "whole", "--db", "sqlite:///whole.db")
        whole = vlga("train", "--grid", "study.toml", *elsewhere, "--inline")
        interrupt(3)
        stopped = vlga("train", "--grid", "study.toml", "--name", "parts", "--inline")
        resumed = vlga("resume", "parts")

        assert (stopped.code, resumed.code) == (130, 0)
        assert "vlga resume parts" in stopped.err
        assert sum(line.startswith("#") for line in resumed.err.splitlines()) == 8
        assert resumed.out == whole.out
