"""A search whose fitness is no accuracy says so wherever it shows one."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.support.command import COMPARED, SMALL, vlga, vlga_in
from vlga import open as open_search

KINDS = {"f1_macro": "macro F1", "log_loss": "exp(-log loss)"}
JSON = ("--format", "json")


@pytest.fixture(scope="module", params=KINDS)
def searched(request, tmp_path_factory):
    """A search for such a fitness beside one for accuracy; its kind, its database and its words."""
    folder = tmp_path_factory.mktemp(request.param)
    committee = ("--set", "final.committee=2")
    told = vlga_in(folder, "search", *SMALL, *committee, "--set", f"fitness={request.param}")
    assert told.code == 0, told.err
    plain = vlga_in(folder, "search", *SMALL, "--name", "plain")
    assert plain.code == 0, plain.err
    return request.param, f"sqlite:///{folder}/vlga.db", told, plain


def test_the_search_says_what_it_chose_by(searched):
    """Of the winner, of its test, and of the simple methods, if they have it."""
    kind, _, told, _ = searched
    words = re.escape(KINDS[kind])

    assert f", 10 classes; fitness: validation {KINDS[kind]}; " in told.err.splitlines()[0]
    assert re.search(rf"^winner #\d  validation {words} 0\.\d{{4}}, ", told.out, re.MULTILINE)
    tested = rf"test accuracy 0\.\d{{4}} ± 0\.\d{{4}}, {words} 0\.\d{{4}}"
    mean = "on 359 images never used before, by the mean of #0 and #1, together"
    assert re.search(rf"^{tested} {mean}", told.out, re.MULTILINE)
    assert re.search(rf"^the winner alone: {tested}, after", told.out, re.MULTILINE)
    of = "" if kind == "log_loss" else "macro F1 of "
    assert f"for comparison: {of}always the largest class 0." in told.out


def test_readers_say_it_too(searched):
    """In what they show, and as a setting in JSON; the accuracies stay accuracies."""
    kind, url, _, _ = searched
    where = ("digits-1", "--db", url)
    shown = vlga("show", *where, *JSON).json
    best = shown["best"]
    number = str(best["id"])
    one = vlga("individual", "digits-1", number, "--db", url)
    trainings = vlga("individual", "digits-1", number, "--db", url, *JSON).json["evaluations"]
    final = [run for run in trainings if run["is_final"] and run["epochs"]][-1]

    assert shown["fitness"] == kind
    assert best["test_fitness"] == final["fitness"]
    assert best["test_accuracy"] == final["test_accuracy"]
    assert final["curve"][-1]["validation_accuracy"] == final["test_accuracy"]
    assert f"{best['fitness']:.4f} (validation {KINDS[kind]})" in vlga("show", *where).out
    assert f"{best['fitness']:.4f} (validation {KINDS[kind]})" in vlga("report", *where).out
    assert vlga("top", *where).err == f"fitness: validation {KINDS[kind]}\n"
    assert f"validation {KINDS[kind]} {best['fitness']:.4f}" in one.out
    assert f"test {KINDS[kind]} {final['fitness']:.4f}, test accuracy 0." in one.out


def test_so_do_python_and_an_exported_network(searched, tmp_path):
    """In the words of the terminal."""
    kind, url, _, _ = searched
    found = open_search("digits-1", db=url)
    winner = f"digits-1:{found.best.id}"
    told = vlga("export", winner, "--to", str(tmp_path / "out"), "--db", url)
    card = (tmp_path / "out" / "README.md").read_text()

    assert told.code == 0, told.err
    assert f"{KINDS[kind]} {found.committee.test_fitness:.4f}" in str(found)
    assert f"| validation {KINDS[kind]} | {found.best.fitness:.4f} on " in card
    assert f", {KINDS[kind]} {found.best.test_fitness:.4f} on 359 images never used before" in card


def test_of_the_log_loss_more_is_better(searched):
    """The fitness is exp(-loss) of the validation images that the curve ends with."""
    kind, url, _, _ = searched
    (first,) = (
        run
        for run in vlga("individual", "digits-1", "0", "--db", url, *JSON).json["evaluations"]
        if not run["is_final"]
    )
    if kind == "log_loss":
        assert first["fitness"] == pytest.approx(np.exp(-first["validation_loss"]))
    else:
        assert first["fitness"] != first["curve"][-1]["validation_accuracy"]


def test_searches_of_different_fitness_share_no_outcome(searched):
    """Beside it an equal search for accuracy has trained each of its networks itself."""
    _, url, _, plain = searched
    shown = vlga("show", "plain", "--db", url, *JSON).json

    assert "taken over" not in plain.err
    assert shown["evaluations"]["reused"] == 0
    assert shown["fitness"] == "accuracy"


def test_a_search_that_has_begun_keeps_its_fitness(searched):
    """Its networks were chosen by it."""
    _, url, _, _ = searched
    told = vlga("resume", "digits-1", "--db", url, "--set", "fitness=accuracy")

    assert told.code == 2
    assert "--set fitness must stay as it is in a search that has begun" in told.err
    assert "its networks were chosen by the old one" in told.err


def test_a_comparison_says_it(home):
    """Of the winner of each search, and on its page."""
    told = vlga(
        *("compare", *COMPARED, "--strategies", "random_search", "--seeds", "1"),
        *("--budget", "evaluations=1", "--set", "fitness=balanced_accuracy", "--name", "both"),
    )

    assert told.code == 0, told.err
    assert re.search(r"validation balanced accuracy 0\.\d{4}  test accuracy 0\.\d{4} ", told.err)
    assert "Fitness is the validation balanced accuracy." in told.out
    assert "the validation balanced accuracy of the winner" in (home / "both.html").read_text()


def test_a_study_has_accuracies_alone():
    """A fitness chooses among networks; a study compares ways to train."""
    told = vlga("train", "simple_cnn", "--set", "fitness=f1_macro")

    assert told.code == 2
    assert "fitness would be ignored here, but got fitness='f1_macro': " in told.err


def test_an_unknown_fitness_is_refused_with_those_that_there_are():
    """In one line."""
    told = vlga("search", "--set", "fitness=precision")

    assert told.code == 2
    assert "fitness must be 'accuracy', 'balanced_accuracy', 'f1_macro' or 'log_loss'" in told.err


def test_uneven_classes_are_said_with_the_settings_that_mind_them(home):
    """Where one is four times another; not where it is three times, nor where one is used."""
    rng = np.random.default_rng(0)
    for name, n_rare in (("uneven", 10), ("even", 20)):
        labels = np.array([0] * 50 + [1] * n_rare)
        images = rng.integers(0, 255, (len(labels), 8, 8), dtype=np.uint8)
        np.savez(home / f"{name}.npz", x_train=images, y_train=labels)
    small = tuple(word.replace("data.train_limit=100", "seed=0") for word in SMALL)
    few = ("--set", "final.epochs=0", "--set", "data.test_fraction=0.1")
    said = "uneven: the largest class has 5 times the images of the smallest, of which accuracy"

    assert said in vlga("search", "--data", "uneven.npz", *small, *few).err
    for words in (
        ("even.npz",),
        ("uneven.npz", "--set", "fitness=f1_macro"),
        ("uneven.npz", "--set", "training.class_weights=balanced"),
    ):
        told = vlga("search", "--data", *words, *small, *few)
        assert told.code == 0, told.err
        assert "largest class has" not in told.err
