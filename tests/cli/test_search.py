import re
import shlex
import signal
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import SMALL, vlga
from tests.support.forked import Forked
from vlga.ports.rivals import Rivals
from workers.evaluators.inline import InlineEvaluator

#: Enough trainings to be interrupted among, with a second phase that inherits weights.
LONGER = (
    *SMALL, "--set", "population.generations=3", "--set", "budget.phases=2",
    "--set", "population.size=4", "--set", "population.stop_margin=1.0",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a search of `LONGER` comes to if nobody interrupts it."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert vlga("search", *LONGER).code == 0
        return results("digits-1")


def images(path: Path, seed: int = 0) -> None:
    """Write sixty noisy images of 4x4 of two classes."""
    rng, labels = np.random.default_rng(seed), np.repeat(["down", "up"], 30)
    x_train = np.clip(rng.random((60, 4, 4)) + 0.5 * (labels == "up")[:, None, None], 0, 1)
    np.savez(path, x_train=x_train, y_train=labels)


class TestSearch:
    def test_tells_its_story_on_stderr_and_its_result_on_stdout(self, finished):
        """Head, a line a generation, the final training, what to type next; and the winner."""
        told = finished.result
        story = (
            r"digits-1  variable_length, seed 0, on digits: 80 \+ 20 images of 1x8x8, 10 classes; "
            r"1 epoch, batches of 8, networks of at most \S+ \w MACs an image, "
            r"feature maps of at most \S+ MB; 1 at a time; sqlite:///.*/mine.db\n"
            r"phase 0 generation 0  2 new, 2 alive: best 0\.\d{4}, median 0\.\d{4}  \[0:\d\d\]\n"
            r"training the winner #[01] for 1 epoch, about \d:\d\d, on all training images\n"
            r"next:  vlga individual digits-1 [01] --db sqlite:///.*/mine.db\n"
            r"       vlga top digits-1 --db sqlite:///.*/mine.db\n"
        )
        result = (
            r"\n"
            r"ended: all of budget.phases=1 are done\n"
            r"winner #[01]  validation accuracy 0\.\d{4}, [12] convolutions?, \d+.* MACs an image\n"
            r"test accuracy 0\.\d{4} ± 0\.0\d{3} on 359 images never used before, "
            r"after 1 epoch on all others\n"
            r"for comparison: always the largest class 0\.\d{4}, 3 nearest neighbours 0\.\d{4}, "
            r"support-vector machine 0\.\d{4}\n"
            r"(the winner is no better than always naming the largest class\n)?"
        )

        assert told.code == 0
        assert re.fullmatch(story, told.err), told.err
        assert re.fullmatch(result, told.out), told.out

    def test_leaves_a_ledger(self, finished):
        """The search with its settings, both candidates, the winner's final training and files."""
        shown = finished.ask("show", "digits-1", "--format", "json").json
        winner = finished.ask(
            "individual", "digits-1", str(shown["best"]["id"]), "--format", "json"
        ).json

        assert (shown["status"], shown["message"]) == (
            "completed",
            "all of budget.phases=1 are done",
        )
        assert shown["evaluations"] == {"completed": 2, "failed": 0, "reused": 0}
        assert shown["config"]["population"]["size"] == 2
        assert {"python", "vlga", "torch", "ray"} <= set(shown["versions"])
        assert shown["rivals"].keys() == {field.name for field in fields(Rivals)}
        assert shown["best"]["test_accuracy"] == winner["evaluations"][-1]["fitness"]
        assert [one["is_final"] for one in winner["evaluations"]] == [False, True]
        assert {one["kind"] for one in winner["artifacts"]} == {"weights", "final_weights"}
        assert all(Path(one["path"]).is_file() for one in winner["artifacts"])

    def test_names_commands_that_work(self, finished):
        """The lines under `next:` can be typed as they are."""
        commands = re.findall(r"vlga (.*)", finished.result.err.partition("next:")[2])

        assert len(commands) == 2
        for command in commands:
            assert vlga(*shlex.split(command)).code == 0

    def test_is_numbered_after_its_data(self, home):
        """Without a name it is the data's with the next free number; the default file is ours."""
        for name in ("mine-1", "mine-2"):
            images(home / "mine.npz")
            told = vlga("search", "--data", "mine.npz", *SMALL, "--set", "data.train_limit=30")

            assert re.search(f"^{name}  ", told.err, re.MULTILINE)
            assert f"vlga top {name}\n" in told.err
        assert (home / "vlga.db").is_file()
        assert {one["name"] for one in vlga("list", "--format", "json").json} == {
            "mine-1",
            "mine-2",
        }

    def test_takes_settings_from_everywhere(self, home, monkeypatch):
        """A file, options, and the database from VLGA_DB, which the hints then leave out."""
        (home / "mine.toml").write_text("seed = 3\n[final]\nepochs = 0\n[training]\nepochs = 9\n")
        monkeypatch.setenv("VLGA_DB", "sqlite:///other.db")
        settings = [word for word in SMALL if word != "final.epochs=1"]
        del settings[settings.index("--set", settings.index("training.epochs=1"))]
        told = vlga("search", "mine.toml", "--name", "my.first-1", "--seed", "4", *settings)
        shown = vlga("show", "my.first-1", "--format", "json").json

        assert told.code == 0, told.err
        assert told.err.endswith("vlga top my.first-1\n")
        assert "test accuracy" not in told.out
        assert (shown["seed"], shown["config"]["training"]["epochs"]) == (4, 1)
        assert shown["best"]["test_accuracy"] is None
        assert (home / "other.db").is_file()

    def test_with_the_same_seed_is_the_same(self, finished):
        """Fitnesses and networks to the last digit, in another database.

        Once more there, it takes over all that the first has trained.
        """
        expected = finished.ask("top", "digits-1", "--format", "json").json
        for name in ("digits-1", "digits-2"):
            told = vlga("search", *SMALL, "--format", "json")
            assert told.json == vlga("show", name, "--format", "json").json
            taken = "2 trainings taken over from other searches of this database\n"
            assert (taken in told.err) == (name == "digits-2")
            assert vlga("top", name, "--format", "json").json == expected

        counts = [
            vlga("show", name, "--format", "json").json["evaluations"]
            for name in ("digits-1", "digits-2")
        ]
        assert counts[0]["reused"] == counts[1]["completed"] == counts[1]["failed"] == 0
        assert counts[1]["reused"] == counts[0]["completed"] > 0
        assert "in another search: validation" in vlga("individual", "digits-2", "0").out

    def test_that_cannot_train_anything_says_why(self):
        """Exit code 1, one line, and the reasons in the ledger."""
        told = vlga("search", *SMALL, "--set", "limits.evaluation_seconds=1e-9")
        shown = vlga("show", "digits-1", "--format", "json").json

        assert told.code == 1
        assert re.fullmatch(
            r"vlga: a generation needs at least 2 .* failures so far: 2 timed_out",
            told.err.splitlines()[-1],
        )
        assert (shown["status"], shown["best"]) == ("failed", None)
        assert told.err.endswith(f"vlga: {shown['message']}\n")
        assert shown["failures"] == {"timed_out": 2}

    def test_whose_final_training_fails_is_complete_all_the_same(self, monkeypatch):
        """Its winner is known; what went wrong is said, brackets and all."""
        evaluate = InlineEvaluator.wait

        def out_of_memory(self, timeout_seconds=None):
            if self._queue and self._queue[0].is_final:
                monkeypatch.setattr("workers.training.evaluate._train", fail)
            return evaluate(self, timeout_seconds)

        def fail(*_, **__):
            raise MemoryError("[/cuda] 12 GiB")

        monkeypatch.setattr(InlineEvaluator, "wait", out_of_memory)
        told = vlga("search", *SMALL)

        assert told.code == 0
        failed = "its longer training failed (out_of_memory): MemoryError: [/cuda] 12 GiB"
        assert any(line.startswith(failed) for line in told.out.splitlines()), told
        assert vlga("show", "digits-1", "--format", "json").json["best"]["test_accuracy"] is None

    def test_says_of_a_winner_that_it_has_learned_nothing(self, home):
        """It names the largest class, as any fool could."""
        noise = np.random.default_rng(0).random((60, 4, 4))
        np.savez(home / "mine.npz", x_train=noise, y_train=["up"] * 54 + ["down"] * 6)
        told = vlga("search", "--data", "mine.npz", *SMALL, "--set", "data.train_limit=30")

        assert told.code == 0
        assert "the winner is no better than always naming the largest class\n" in told.out


class TestResume:
    def test_has_the_rivals_that_are_known(self, monkeypatch):
        """They depend on the images alone, which are the same."""
        budget = ("--set", "strategy=random_search", "--set", "budget.evaluations=1")
        first = vlga("search", *SMALL, *budget, "--name", "first")
        monkeypatch.setattr("workers.rivals.BackgroundRivals", None)
        second = vlga("resume", "first", "--set", "budget.evaluations=2")

        assert (first.code, second.code) == (0, 0)
        lines = [re.findall("for comparison: .*", one.out) for one in (first, second)]
        assert len(lines[0]) == 1
        assert lines[0] == lines[1]

    @pytest.mark.parametrize("n_trainings", [0, 1, 5, 9])
    def test_ends_as_if_nothing_had_happened(self, whole, interrupt, n_trainings):
        """Ctrl-C: exit code 130 and the command that goes on to the result of a whole search."""
        interrupt(n_trainings)
        told = vlga("search", *LONGER, "--name", "cut")
        (command,) = re.findall(r"Go on with: vlga (.*)", told.err)
        cut = vlga("show", "cut", "--format", "json").json
        resumed = vlga(*shlex.split(command))

        assert (told.code, resumed.code) == (130, 0)
        assert told.out == ""
        assert "\nwinner #" in resumed.out
        assert cut["status"] == "interrupted"
        assert cut["evaluations"]["completed"] == n_trainings
        assert results("cut") == whole

    def test_also_of_the_final_training(self, interrupt):
        """The search is not run again, only its winner is trained longer."""
        settings = (*SMALL, "--set", "training.reuse=false")
        whole = vlga("search", *settings, "--name", "whole")
        interrupt(2)
        told = vlga("search", *settings, "--name", "cut")
        resumed = vlga("resume", "cut")

        assert (whole.code, told.code, resumed.code) == (0, 130, 0)
        assert results("cut") == results("whole")

    def test_refuses_other_images(self, home, interrupt):
        """The ledger's fitnesses would not compare."""
        images(home / "mine.npz")
        interrupt(1)
        vlga("search", "--data", "mine.npz", *SMALL, "--set", "data.train_limit=30")
        images(home / "mine.npz", seed=1)
        told = vlga("resume", "mine-1")

        assert told.code == 2
        assert re.search("^vlga: 'mine-1' must be resumed on the images", told.err, re.MULTILINE)

    def test_finds_its_images_from_another_folder(self, home, interrupt, monkeypatch):
        """A path given as --data is kept whole."""
        images(home / "mine.npz")
        interrupt(1)
        vlga("search", "--data", "mine.npz", *SMALL, "--set", "data.train_limit=30")
        (home / "elsewhere").mkdir()
        monkeypatch.chdir(home / "elsewhere")

        assert vlga("resume", "mine-1", "--db", f"sqlite:///{home}/vlga.db").code == 0


def results(name):
    """Give all that a search found, apart from how long it took."""
    shown = vlga("show", name, "--format", "json").json
    everyone = vlga("top", name, "-n", "99", "--format", "json").json
    outcome = {key: shown[key] for key in ("status", "message", "evaluations", "best", "config")}
    people = [vlga("individual", name, str(one["id"]), "--format", "json").json for one in everyone]
    for person in people:
        person["files"] = [
            (one["kind"], one["sha256"], one["n_bytes"]) for one in person.pop("artifacts")
        ]
        del person["evaluations"]
    return outcome, everyone, people


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_a_terminal(home, processes):
    """A real process with a real signal: exit code 130, everything finished saved, resumable."""
    # The signal must not come after the end.
    slower = (*LONGER, "--set", "training.epochs=3", "--set", "training.reuse=false")
    with Forked(processes, ("search", *slower, "--name", "cut"), home) as process:
        for line in process.stderr:
            if line.startswith("phase 0 generation 0"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    (resume,) = re.findall(r"Go on with: vlga (.*)", err)
    cut = vlga("show", "cut", "--format", "json").json

    assert out == ""
    assert "Traceback" not in err
    assert cut["status"] == "interrupted"
    assert cut["evaluations"]["completed"] >= 4
    assert vlga(*shlex.split(resume)).code == 0
    assert vlga("search", *slower, "--name", "whole").code == 0
    assert results("cut") == results("whole")
