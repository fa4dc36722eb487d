"""Images in memory: whoever runs a search has none beside what its evaluator holds."""

from __future__ import annotations

import weakref
from copy import deepcopy

import pytest

from tests.support.command import SMALL, vlga
from vlga.app import evaluators

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
        ("compare", *STRATEGIES, "--budget", "evaluations=2", *SMALL),
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
