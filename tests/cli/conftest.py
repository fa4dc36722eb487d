import signal
from collections.abc import Iterator

import pytest

from tests.support.command import FIRST, SMALL, Result, vlga, vlga_in
from tests.support.comparing import COMPARE
from tests.support.ledger import ledger
from workers.evaluators.inline import InlineEvaluator
from workers.rivals.compute import draw_sample, rivals_on


class RivalsAtOnce:
    """A `BackgroundRivals` without its process, which takes longer than the tests' searches."""

    def __init__(self, dataset, measure):
        self._rivals = rivals_on(draw_sample(dataset), measure)

    def wait(self, _seconds):
        """Give them."""
        return self._rivals

    def close(self):
        """Do nothing."""


@pytest.fixture(autouse=True, scope="package")
def rivals_at_once():
    """Searches in this process compute their rivals in it too; others have the real thing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workers.rivals.BackgroundRivals", RivalsAtOnce)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Run every test in an empty folder, without settings from outside, signals as they were."""
    monkeypatch.chdir(tmp_path)
    for name in ("VLGA_DB", "VLGA_DATA", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that are started ignore neither SIGINT nor SIGHUP, as a shell's jobs may."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, hung_up)
    signal.signal(signal.SIGINT, before)


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


@pytest.fixture
def after(monkeypatch):
    """Give a function by which something is done once so many trainings have ended."""
    wait, n_ended, to_do = InlineEvaluator.wait, 0, {}

    def wait_and_do(self, timeout_seconds=None):
        nonlocal n_ended
        ended = wait(self, timeout_seconds)
        for _ in ended:
            n_ended += 1
            to_do.pop(n_ended, lambda: None)()
        return ended

    monkeypatch.setattr(InlineEvaluator, "wait", wait_and_do)
    return to_do.__setitem__


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The ledger that the search `FIRST` leaves if nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    url = f"sqlite:///{folder}/vlga.db"
    assert vlga_in(folder, *FIRST, "--db", url).code == 0
    return ledger(url)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A real search of two networks on digits that has run to its end, and its folder's URL."""
    folder = tmp_path_factory.mktemp("finished")
    url = f"sqlite:///{folder}/mine.db"
    result = vlga_in(folder, "search", "--db", url, *SMALL)
    assert result.code == 0, result.err
    return Finished(url, result)


@pytest.fixture(scope="session")
def whole_comparison(tmp_path_factory):
    """A comparison that nobody interrupted: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("whole")
    told = vlga_in(folder, *COMPARE, "--name", "mine")
    assert told.code == 0, told.err
    return folder, told


@pytest.fixture
def compared(whole_comparison, monkeypatch):
    """Go back to the folder of the whole comparison; give what was printed there."""
    folder, told = whole_comparison
    monkeypatch.chdir(folder)
    return told


class Finished:
    """What the session's search left."""

    def __init__(self, url: str, result: Result) -> None:
        self.url = url
        self.result = result

    def ask(self, *arguments: str) -> Result:
        """Run a reading command on its database."""
        return vlga(*arguments, "--db", self.url)
