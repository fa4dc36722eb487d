"""States and actions as the pages name them: a word, a shape and a colour, never a colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ACTIONS", "STATES", "State", "actions_for", "progress_share", "state_of"]


@dataclass(frozen=True, slots=True)
class State:
    """How a state of a search is shown.

    Attributes:
        word: its name.
        tone: names its colour in style.css: ``busy | wait | good | bad | idle``.
        shape: the path of a drawing of 12 x 12.
        about: what it means, in a sentence.
    """

    word: str
    tone: str
    shape: str
    about: str


_SQUARE = "M3 3h6v6H3z"
_BARS = "M4 2.5v7M8 2.5v7"
STATES = {
    one.word: one
    for one in (
        State("queued", "wait", "M6 2a4 4 0 1 0 .01 0zM6 4v2l1.5 1", "It waits for a free place."),
        State("starting", "wait", "M6 2a4 4 0 1 1-4 4", "Its process is starting."),
        State("running", "busy", "M4 2.5v7L10 6z", "Networks are being trained."),
        State("pausing", "wait", _BARS, "It ends after the trainings that run now."),
        State("paused", "idle", _BARS, "Nothing is lost; it goes on where it was when resumed."),
        State("stopping", "wait", _SQUARE, "It saves and ends at once."),
        State("stopped", "idle", _SQUARE, "Nothing is lost; it goes on where it was when resumed."),
        State("lost", "bad", "M6 1.5 11 10.5H1zM6 5v2.5M6 9v.2", "Its process is gone."),
        State("failed", "bad", "M3 3l6 6M9 3l-6 6", "It ended with an error."),
        State("completed", "good", "M2 6.5l3 3 5-7", "It has ended, and its winner is chosen."),
    )
}
_UNKNOWN = "M6 2a4 4 0 1 0 .01 0z"

#: What can be done to a search: the button, and what it will do.
ACTIONS = {
    "pause": ("Pause", "Finishes the trainings that run now, then frees its place."),
    "stop": ("Stop", "Saves and ends at once; trainings that run now are given up."),
    "resume": ("Resume", "Goes on where it was."),
    "delete": ("Delete", "Deletes its rows and files for good."),
}

_ALLOWED = {
    "queued": ("pause", "delete"),
    "starting": ("pause", "stop"),
    "running": ("pause", "stop"),
    "pausing": ("resume", "stop"),
    "stopping": ("resume",),
    "completed": ("delete",),
}


def state_of(word: str) -> State:
    """Give how a state is shown; one that is not known here by its word alone."""
    return STATES.get(word) or State(word, "idle", _UNKNOWN, "")


def actions_for(state: str) -> tuple[str, ...]:
    """Give what can be done to a search in a state, keys of `ACTIONS`."""
    return _ALLOWED.get(state, ("resume", "delete"))


def progress_share(state: str, progress: Mapping[str, Any] | None) -> float | None:
    """Give how much of its tightest budget a search has used, in [0, 1], or None if unknown."""
    if state == "completed":
        return 1.0
    return None if progress is None else progress.get("done_fraction")
