"""Images in memory, which only a search's evaluator holds, and what is said of one's own."""

from __future__ import annotations

import weakref
from copy import deepcopy

import numpy as np
import pytest
from PIL import Image

from tests.support.command import COMPARED, SMALL, vlga
from vlga.app import evaluators
from vlga.app.evaluators import load_data
from vlga.config.load import load_config, parse_config
from workers.data import folder

STRATEGIES = ("--strategies", "random_search", "--seeds", "1")


@pytest.fixture
def held(monkeypatch):
    """Let evaluators have a copy, as Ray's has; say at each training whether the original lives."""
    make, lives = evaluators._training_evaluator, []

    def make_with_copy(workers, dataset):
        images = weakref.ref(dataset.train_images)
        evaluator = make(workers, deepcopy(dataset))
        submit = evaluator.submit

        def submit_and_look(task):
            lives.append(images() is not None)
            submit(task)

        evaluator.submit = submit_and_look
        return evaluator

    monkeypatch.setattr(evaluators, "_training_evaluator", make_with_copy)
    return lives


@pytest.mark.parametrize(
    "command",
    [
        ("search", *SMALL),
        ("compare", *STRATEGIES, "--budget", "evaluations=2", *COMPARED),
        ("train", "simple_cnn", *SMALL[:1], "--epochs", "1", "--set", "data.train_limit=100"),
    ],
    ids=lambda command: command[0],
)
def test_the_evaluator_alone_has_the_images(held, command):
    """The command has let go of them when the first training begins."""
    assert vlga(*command).code == 0
    assert held
    assert not any(held)


def test_a_resumed_search_holds_no_images_either(held, interrupt):
    """It has compared them with those that the search was started on, and let go of them."""
    interrupt(1)
    assert vlga("search", *SMALL, "--name", "mine").code == 130
    held.clear()

    assert vlga("resume", "mine", "--inline").code == 0
    assert held
    assert not any(held)


def test_the_size_of_photographs_is_stored(tmp_path, monkeypatch):
    """A machine with less memory, which would choose another, goes on with it."""
    for index in range(8):
        (tmp_path / "photos" / "ab"[index % 2]).mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (100, 80), (30 * index, 0, 0))
        picture.save(tmp_path / "photos" / "ab"[index % 2] / f"{index}.png")
    command = ("search", "--data", str(tmp_path / "photos"), *SMALL, "--name", "mine")
    assert vlga(*command, "--set", "final.epochs=0").code == 0
    config = vlga("show", "mine", "--format", "json").json["config"]
    monkeypatch.setattr(folder, "available_memory_bytes", lambda: 2 * 8 * 3 * 64 * 80)

    assert config["data"]["image_size"] == [64, 80]
    assert load_data(parse_config(config)).input_shape == (3, 64, 80)


@pytest.mark.parametrize(
    ("channels", "augment", "said"),
    [
        (3, "auto", "mirrors them; change with --set training.augment=crop"),
        (1, "auto", "never mirrors them; change with --set training.augment=crop_flip"),
        (3, "crop", None),
    ],
)
def test_whether_own_images_are_mirrored_is_said(tmp_path, caplog, channels, augment, said):
    """Nobody knows but their owner whether left and right matter; who has chosen knows."""
    caplog.set_level("INFO")
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 16, channels), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", x=images, y=[0, 1] * 6)
    load_data(
        load_config(settings=[f"data.name={tmp_path}/mine.npz", f"training.augment={augment}"])
    )

    lines = [one for one in caplog.messages if "training" in one]
    assert lines == ([f"mine: training shifts images a little and {said}"] if said else [])
