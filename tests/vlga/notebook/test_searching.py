"""Searches begun, opened and gone on with from Python."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch
from sqlalchemy import Engine, event

import vlga
from db.store import SqlStore
from vlga.errors import ConfigError, DataError, SearchNotFound, VlgaError
from workers.data.digits import read_digits
from workers.evaluators import inline

QUICK = {
    "budget.evaluations": 3,
    "training.epochs": 1,
    "final.epochs": 1,
    "data.train_limit": 100,
    "space.block.channels_a": [4, 8],
    "space.block.channels_b": [4, 8],
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty folder, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("VLGA_DB", "VLGA_DATA", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def begin(name, images="digits", **settings):
    """Search for a second, in this process."""
    return vlga.search(
        images,
        name=name,
        strategy="random_search",
        population={"max_blocks": 1},
        workers={"inline": True},
        settings=QUICK,
        **settings,
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return begin("mine", db=f"sqlite:///{tmp_path_factory.mktemp('found')}/vlga.db")


def test_a_search_is_an_object(found):
    """Its winner, its networks as a table, its report, and itself in a line."""
    best = found.best
    population = found.population()

    assert found.status == "completed"
    assert best.id in set(population.id)
    assert best.fitness == population.fitness.max()
    assert 0 < best.test_accuracy <= 1
    assert str(found).startswith(f"mine: completed, winner #{best.id} with ")
    assert "test accuracy 0." in str(found)
    assert "winner" in str(found.report())
    assert "<iframe srcdoc=" in found.report()._repr_html_()
    assert '<div class="plot"' in found.report().page


def test_is_found_again(found, monkeypatch):
    """By its database and its name."""
    assert vlga.open("mine", db=found.db) == found
    monkeypatch.setenv("VLGA_DB", found.db)
    assert vlga.open("mine") == found


def test_a_page_is_written_where_it_may(found, home):
    found.report("page.html")
    found.report("page.html")
    (home / "thesis.html").write_text("<p>mine")

    assert (home / "page.html").read_text() == found.report().page
    with pytest.raises(ConfigError, match=r"that vlga has made, but 'thesis.html' is another"):
        found.report("thesis.html")


def test_its_winner_is_put_to_use(found, home):
    """As a table, as a module of torch and as files: all give the same class."""
    images = read_digits().train.images[:20]
    np.savez("mine.npz", x=images[:, 0])
    (home / "broken.png").write_bytes(b"no image")
    table = found.predict(["mine.npz", "broken.png"])
    model = found.model()
    with torch.inference_mode():
        classes = model(torch.from_numpy(images) / 255).argmax(1).tolist()
    files = found.export("out")

    assert table["class"][:20].tolist() == [str(one) for one in classes]
    assert table.probability[:20].between(0.1, 1).all()
    assert table.iloc[20].isna().tolist() == [False, True, True]
    assert len(found.predict(home / "mine.npz", top=3)) == 60
    assert {one.name for one in files} == {
        "README.md", "model.py", "predict.py", "weights.safetensors"
    }  # fmt: skip
    with pytest.raises(ConfigError, match="must be a new or an empty folder"):
        found.export("out")


def test_its_mistakes_are_counted(found):
    """On the test images, of which it gets as many right as the search said."""
    mistakes = found.mistakes()

    assert mistakes.accuracy == pytest.approx(found.committee.test_accuracy)
    assert mistakes.n_wrong >= len(mistakes.worst) > 0
    assert str(mistakes).startswith("of 359 test images ")
    assert mistakes._repr_html_().count("<img ") == len(mistakes.worst)


def test_it_goes_on_with_more():
    one = begin("more")
    more = one.resume(settings={"budget.evaluations": 4})

    assert more == one
    assert more.db == "sqlite:///vlga.db"
    assert more.status == "completed"
    assert len(more.population()) == 4


def test_one_that_has_nothing_to_do_is_refused(found):
    with pytest.raises(ConfigError, match="a search must be unfinished to be resumed"):
        found.resume()


@pytest.fixture
def interruptible():
    """Not as a background job of a shell, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_gives_what_was_found(interruptible, monkeypatch, capsys):
    """The result has what is finished; it goes on where it was."""
    train, n = inline.evaluate, 0

    def interrupted(*arguments, **options):
        nonlocal n
        n += 1
        if n == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return train(*arguments, **options)

    monkeypatch.setattr(inline, "evaluate", interrupted)
    cut = begin("cut")
    assert cut.status == "interrupted"
    assert "cut is interrupted; what is finished is saved" in capsys.readouterr().err

    assert cut.resume().status == "completed"
    assert cut.best.test_accuracy is not None


def test_ctrl_c_in_the_middle_of_a_write_waits_for_its_end(interruptible):
    """What is written stays, and the end of the search is entered at once."""
    commits = []

    def press(_connection):
        commits.append(1)
        if len(commits) == 8:
            os.kill(os.getpid(), signal.SIGINT)

    event.listen(Engine, "commit", press)
    try:
        cut = begin("written")
    finally:
        event.remove(Engine, "commit", press)

    assert len(commits) > 8
    assert cut.status == "interrupted"


def test_ctrl_c_pressed_again_does_not_interrupt_the_saving(interruptible, monkeypatch):
    """Its end is entered all the same, and Ctrl-C is what it was after it."""
    train, enter = inline.evaluate, SqlStore.update_search

    def interrupted(*arguments, **options):
        os.kill(os.getpid(), signal.SIGINT)
        return train(*arguments, **options)

    def impatient(self, name, **values):
        if values.get("status") == "interrupted":
            os.kill(os.getpid(), signal.SIGINT)
        enter(self, name, **values)

    monkeypatch.setattr(inline, "evaluate", interrupted)
    monkeypatch.setattr(SqlStore, "update_search", impatient)

    assert begin("twice").status == "interrupted"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    ("images", "settings", "kind", "rule"),
    [
        ("digits", {"populatoin": {"size": 2}}, ConfigError, "populatoin"),
        ("digits", {"settings": {"population.size": 1}}, ConfigError, r"size must be"),
        ("digits", {"seconds": -1}, ConfigError, r"seconds must be greater than 0"),
        ("digits", {"strategy": "grid"}, ConfigError, r"must be one that searches"),
        ("digits", {"name": "a/b"}, ConfigError, r"must be letters"),
        ("digits", {"db": "sqlite://"}, VlgaError, r"."),
        ("no/such/folder", {}, DataError, r"'no/such/folder' does not exist"),
    ],
)
def test_a_mistake_is_one_line(home, images, settings, kind, rule):
    """And leaves nothing behind."""
    with pytest.raises(kind, match=rule) as caught:
        vlga.search(images, **settings)

    assert "\n" not in str(caught.value)
    assert not [*home.iterdir()]


def test_a_search_that_is_not_there_cannot_be_opened(found):
    with pytest.raises(SearchNotFound, match="'yours' is not; known: mine"):
        vlga.open("yours", db=found.db)
