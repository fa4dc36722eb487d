import signal

import pytest

from tests.cli.command import SMALL, Result, vlga
from workers.inline_evaluator import InlineEvaluator


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Run every test in an empty folder, without settings from outside, signals as they were."""
    monkeypatch.chdir(tmp_path)
    for name in ("VLGA_DB", "VLGA_DATA"):
        monkeypatch.delenv(name, raising=False)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def interrupt(monkeypatch):
    """Give a function after which Ctrl-C is pressed when so many trainings have ended."""
    wait = InlineEvaluator.wait

    def press_after(n_trainings):
        ended = []

        def wait_or_interrupt(self, timeout_seconds=None):
            if len(ended) == n_trainings and timeout_seconds != 0:
                monkeypatch.setattr(InlineEvaluator, "wait", wait)
                raise KeyboardInterrupt
            evaluations = wait(self, timeout_seconds)
            ended.extend(evaluations)
            return evaluations

        monkeypatch.setattr(InlineEvaluator, "wait", wait_or_interrupt)

    return press_after


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A real search of two networks on digits that has run to its end, and its folder's URL."""
    folder = tmp_path_factory.mktemp("finished")
    url = f"sqlite:///{folder}/mine.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("VLGA_DB", raising=False)
        result = vlga("search", "--db", url, *SMALL)
    assert result.code == 0, result.err
    return Finished(url, result)


class Finished:
    """What the session's search left."""

    def __init__(self, url: str, result: Result) -> None:
        self.url = url
        self.result = result

    def ask(self, *arguments: str) -> Result:
        """Run a reading command on its database."""
        return vlga(*arguments, "--db", self.url)
