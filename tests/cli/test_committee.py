"""A search that ends with a committee, from the command line to the predictions."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from db.store import SqlStore
from tests.support.command import SMALL, vlga, vlga_in
from vlga.config.data import DataConfig
from vlga.notebook.searching import open_search
from workers.data import load_dataset

TWO = ("search", *SMALL, "--set", "final.committee=2", "--name", "two")


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A search of two networks that ended with both of them: its database and what was printed."""
    folder = tmp_path_factory.mktemp("two")
    url = f"sqlite:///{folder}/vlga.db"
    told = vlga_in(folder, *TWO, "--db", url)
    assert told.code == 0, told.err
    return url, told


def ask(ended, *arguments):
    return vlga(*arguments, "--db", ended[0])


def shown(ended):
    return ask(ended, "show", "two", "--format", "json").json


def test_says_what_it_trains_and_what_came_out(ended):
    """A line before each training; the mean of both with what it costs, then the winner alone."""
    _, told = ended

    assert re.search(r"training the winner #\d, 1 of 2, for 1 epoch", told.err)
    assert re.search(r"training #\d, 2 of 2, for 1 epoch, about \d:\d\d, on all train", told.err)
    assert re.search(
        r"^test accuracy 0\.\d{4} ± 0\.\d{4} on \d+ images never used before, "
        r"by the mean of #0 and #1, together \S+.* parameters, .* MACs an image, "
        r"trained for \d+:\d\d in all\n"
        r"the winner alone: test accuracy 0\.\d{4} ± 0\.\d{4}, after 1 epoch on all others$",
        told.out,
        re.MULTILINE,
    )


def test_is_shown_with_what_it_costs(ended):
    """By `show`, in JSON and in words, and by `report`; the winner's own figures stay its own."""
    found = shown(ended)
    committee, best = found["committee"], found["best"]
    each = [ask(ended, "individual", "two", str(n), "--format", "json").json for n in (0, 1)]
    longer = [
        [one for one in member["evaluations"] if one["is_final"] and one["epochs"]]
        for member in each
    ]

    assert committee["members"] == [0, 1]
    assert committee["parameters"] == sum(one["parameters"] for (one,) in longer)
    assert committee["macs"] == sum(one["macs"] for (one,) in longer)
    assert committee["train_seconds"] == sum(one["train_seconds"] for (one,) in longer)
    assert best["test_accuracy"] == longer[best["id"]][0]["fitness"]
    assert found["evaluations"]["completed"] == 2
    for told in (ask(ended, "show", "two").out, ask(ended, "report", "two").out):
        assert "by the mean of #0 and #1, together" in " ".join(told.split())


def test_its_accuracy_is_the_search_s(ended):
    """In the list, in a comparison, and in words; the winner's is said beside it."""
    found = shown(ended)
    accuracy = f"{found['committee']['test_accuracy']:.4f}"
    told = ask(ended, "show", "two").out

    assert re.search(rf"^test accuracy +{accuracy} ± ", told, re.MULTILINE)
    alone = f"{found['best']['test_accuracy']:.4f}"
    assert re.search(rf"^winner alone +test accuracy {alone} ± ", told, re.MULTILINE)
    with closing(SqlStore(ended[0])) as store:
        assert store.find_search("two").test_accuracy == found["committee"]["test_accuracy"]
    assert f"test accuracy {accuracy} ± " in str(open_search("two", db=ended[0]))


def test_a_result_has_it(ended, finished):
    """In Python, with the figures of `show`; a search without one has none."""
    committee = open_search("two", db=ended[0]).committee

    assert {**asdict(committee), "members": [*committee.members]} == shown(ended)["committee"]
    assert open_search("digits-1", db=finished.url).committee is None


def test_an_individual_shows_the_committee_apart(ended):
    """The winner's page has its longer training and the committee's score, which is no training."""
    best = shown(ended)["best"]["id"]
    told = ask(ended, "individual", "two", str(best)).out

    assert "final training of 1 epoch" in told
    assert re.search(r"committee of .* parameters: test accuracy 0\.\d{4}", told)
    assert re.search(r"committee weights +/.*/final_weights-.*\.pt", told)


def test_its_mistakes_are_the_search_s(ended):
    """Told of the winner, as those of the mean."""
    found = shown(ended)
    words = ("individual", "two", str(found["best"]["id"]), "--mistakes")
    told = ask(ended, *words)
    wrong = ask(ended, *words, "--format", "json").json["mistakes"]

    assert "the mean of #0 and #1: " in told.out
    assert wrong["accuracy"] == pytest.approx(found["committee"]["test_accuracy"])


def test_predicts_with_the_mean_of_the_members_probabilities(ended, tmp_path):
    """As often right on the test images as the search said; without a word it is the committee."""
    dataset = load_dataset(DataConfig(train_limit=100))
    for number, image in enumerate(dataset.test_images):
        Image.fromarray(image[0]).save(tmp_path / f"{number:04}.png")
    found = {}
    for which in ("two", "two:committee", "two:0", "two:1"):
        told = ask(ended, "predict", which, str(tmp_path), "--top", "10", "--format", "json")
        assert told.code == 0, told.err
        found[which] = np.array(
            [
                [one["probability"] for one in sorted(row["classes"], key=lambda one: one["class"])]
                for row in told.json
            ]
        )
    mean = (found["two:0"] + found["two:1"]) / 2
    right = found["two:committee"].argmax(1) == dataset.test_labels

    assert (found["two"] == found["two:committee"]).all()

    assert found["two:committee"] == pytest.approx(mean, abs=1e-5)
    assert right.mean() == pytest.approx(shown(ended)["committee"]["test_accuracy"])


def test_is_exported_as_one_network(ended, home):
    """Whose logits are those of the members' mean, and whose card says what it is."""
    told = ask(ended, "export", "two", "--to", "out", "--format", "onnx")
    card = (home / "out" / "README.md").read_text()
    accuracy = shown(ended)["committee"]["test_accuracy"]

    assert told.code == 0, told.err
    assert "# Committee of 0 and 1 of two" in card
    assert "| network | the mean of 2 networks: " in card
    assert f"| test accuracy | {accuracy:.4f} ± " in card
    assert "| 1 alone | 0." in card


def test_is_exported_as_source(ended, home):
    """One page of plain PyTorch with a class for each member; `write` compares their logits."""
    told = ask(ended, "export", "two:committee", "--to", "out")
    source = (home / "out" / "model.py").read_text()

    assert told.code == 0, told.err
    assert "self.members = nn.ModuleList([Member1(), Member2()])" in source
    assert len(re.findall(r"^class \w+", source, re.MULTILINE)) == 3


def test_without_one_there_is_nothing_to_predict_with(finished):
    """In one line, with the way out."""
    told = finished.ask("predict", "digits-1:committee", "photo.jpg")

    assert told.code == 2
    assert told.err == (
        "vlga: SEARCH:committee must have been trained, but 'digits-1' has no committee; go on "
        "with: vlga resume digits-1 --set final.committee=3\n"
    )


def test_interrupted_between_its_trainings_it_goes_on(ended, interrupt):
    """Nothing is trained twice, and the same comes out."""
    interrupt(3)
    told = vlga(*TWO)
    assert told.code == 130
    assert "Go on with: vlga resume two" in told.err
    told = vlga("resume", "two")

    assert told.code == 0, told.err
    assert told.err.count("on all training images") == 1
    mine = vlga("show", "two", "--format", "json").json
    for key in ("members", "test_accuracy", "parameters", "macs"):
        assert mine["committee"][key] == shown(ended)["committee"][key]
    with closing(SqlStore("sqlite:///vlga.db")) as store:
        assert [one.epochs for one in store.final_trainings("two")] == [1, 1, 0]


def test_a_completed_search_can_be_given_one(ended, home):
    """As if it had been asked for at first; what is trained already is not trained again."""
    assert vlga("search", *SMALL, "--name", "two").code == 0
    told = vlga("resume", "two", "--set", "final.committee=2")

    assert told.code == 0, told.err
    assert told.err.count("on all training images") == 1
    mine = vlga("show", "two", "--format", "json").json
    assert mine["best"] == shown(ended)["best"]
    for key in ("members", "test_accuracy", "parameters", "macs"):
        assert mine["committee"][key] == shown(ended)["committee"][key]
