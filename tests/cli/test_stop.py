import re
import shlex
import signal
from contextlib import closing
from dataclasses import replace

import pytest

from db.store import SqlStore
from tests.cli.test_search import LONGER, results
from tests.support.command import GONE, ME, SMALL, vlga
from tests.support.forked import Forked
from tests.support.waiting import until
from vlga.execution import hold
from vlga.ports.lease import Stop
from workers.evaluators.inline import InlineEvaluator

#: So long that nobody waits for its end.
ENDLESS = (
    *SMALL, "--name", "endless", "--set", "strategy=random_search",
    "--set", "budget.evaluations=100000",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a search of `LONGER` comes to if nobody stops it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        assert vlga("search", *LONGER, "--name", "cut").code == 0
        return results("cut")


@pytest.fixture
def store(home):
    """Another process's view of the database."""
    with closing(SqlStore(f"sqlite:///{home}/vlga.db")) as opened:
        yield opened


@pytest.fixture
def in_training(monkeypatch):
    """Give a function by which something is done once, in the n-th training."""
    monkeypatch.setattr(hold, "RENEW_SECONDS", 0.0)
    wait = InlineEvaluator.wait

    def do(n_th, action):
        n_trained = 0

        def wait_and_do(self, timeout_seconds=None):
            nonlocal n_trained
            ended = wait(self, timeout_seconds)
            n_trained += len(ended)
            if ended and n_trained == n_th:
                action()
            return ended

        monkeypatch.setattr(InlineEvaluator, "wait", wait_and_do)

    return do


class TestStop:
    @pytest.mark.parametrize("option", [(), ("--now",)])
    def test_ends_a_search_that_runs(self, store, in_training, whole, option):
        """Exit code 130, everything finished saved, the command that goes on, no lease left."""
        asked = []
        in_training(5, lambda: asked.append(vlga("stop", "cut", *option)))
        told = vlga("search", *LONGER, "--name", "cut")
        cut = vlga("show", "cut", "--format", "json").json
        (command,) = re.findall(r"Go on with: vlga (.*)", told.err)

        assert (told.code, told.out) == (130, "")
        assert (asked[0].code, asked[0].out) == (0, "")
        when = "now" if option else "when its running trainings have ended"
        assert re.fullmatch(
            rf"asked process {ME.process_id} on '{ME.host}' since .* UTC to stop cut {when}\n",
            asked[0].err,
        )
        assert ("stopping when the running trainings have ended; Ctrl-C" in told.err) == (
            not option
        )
        assert cut["status"] == "interrupted"
        assert cut["evaluations"]["completed"] == 5
        assert store.lease("cut") is None
        assert vlga(*shlex.split(command)).code == 0
        assert results("cut") == whole

    @pytest.mark.parametrize(("option", "stop"), [((), Stop.DRAIN), (("--now",), Stop.NOW)])
    def test_leaves_its_wish_in_the_database(self, finished, option, stop):
        """For a driver on any machine."""
        with closing(SqlStore(finished.url)) as store:
            store.acquire("digits-1", ME, 60)
            told = finished.ask("stop", "digits-1", *option)
            wish = store.renew("digits-1")
            store.release("digits-1")

        assert told.code == 0
        assert wish is stop

    def test_needs_a_search_that_runs(self, finished):
        """A finished one, exit code 2 and one line."""
        told = finished.ask("stop", "digits-1")

        assert told.code == 2
        assert told.err == "vlga: a search must be running to be stopped, but 'digits-1' is not\n"

    def test_knows_a_search_whose_process_died(self, finished):
        """It does not run either, but can go on."""
        with closing(SqlStore(finished.url)) as store:
            store.acquire("digits-1", GONE, 60)
            store.update_search("digits-1", status="running")
            told = finished.ask("stop", "digits-1")
            store.update_search("digits-1", status="completed")
            store.release("digits-1")

        assert told.code == 2
        assert told.err.endswith("'digits-1' is not; go on with: vlga resume digits-1\n")

    def test_knows_the_name(self, finished):
        """A mistyped one is answered with the nearest."""
        told = finished.ask("stop", "digit-1")

        assert told.code == 2
        assert "did you mean 'digits-1'?" in told.err


class TestOneDriver:
    def test_a_living_search_is_not_resumed(self, store, interrupt):
        """Exit code 2 and one line with the host, the process and since when; nothing changes."""
        interrupt(3)
        vlga("search", *LONGER, "--name", "cut")
        store.acquire("cut", ME, 60)
        before = store.find_search("cut")
        told = vlga("resume", "cut")

        assert told.code == 2
        assert re.fullmatch(
            rf"vlga: one process at a time may run a search, but 'cut' is run by process "
            rf"{ME.process_id} on '{ME.host}' since .* UTC; wait for it, or run: vlga stop cut\n",
            told.err,
        )
        assert store.find_search("cut") == before

    def test_a_dead_one_s_is_taken_over_at_once(self, store, interrupt, whole):
        """The lease of a process that was killed keeps nobody waiting."""
        interrupt(3)
        vlga("search", *LONGER, "--name", "cut")
        store.acquire("cut", GONE, 1e6)

        assert vlga("resume", "cut").code == 0
        assert results("cut") == whole
        assert store.lease("cut") is None

    def test_who_was_taken_over_stops(self, store, in_training):
        """Exit code 1 and one line that says by whom; it leaves the ledger alone."""
        bert = replace(ME, token="b", host="bert's", process_id=7)

        def take_over():
            held = store.lease("cut").holder
            assert store.acquire("cut", bert, 60, over=held.token)

        in_training(3, take_over)
        told = vlga("search", *LONGER, "--name", "cut")

        assert told.code == 1
        assert re.fullmatch(
            r"vlga: one process at a time may write to a search, but 'cut' is run by process 7 on "
            r"\"bert's\" since .* UTC; this one stops, and what it has recorded is kept",
            told.err.splitlines()[-1],
        )
        assert store.lease("cut").holder == bert
        assert store.find_search("cut").status == "running"
        assert len(store.evaluations("cut")) == 2

    @pytest.mark.parametrize("settings", [(), ("limits.evaluation_seconds=1e-9",)])
    def test_the_lease_ends_with_the_search(self, store, settings):
        """After its end and after a failure."""
        words = [word for setting in settings for word in ("--set", setting)]
        vlga("search", *SMALL, "--name", "first", *words)

        assert store.lease("first") is None


class TestProcess:
    """Real processes with real signals."""

    def test_sigterm_drains(self, home, processes):
        """Exit code 130, no traceback; what was asked to end ends as if it had not been."""
        slower = (*LONGER, "--set", "training.epochs=3")
        with Forked(processes, ("search", *slower, "--name", "cut"), home) as process:
            for line in process.stderr:
                if line.startswith("phase 0 generation 0"):
                    break
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        cut = vlga("show", "cut", "--format", "json").json

        assert process.returncode == 130, err
        assert out == ""
        assert "Traceback" not in err
        assert "interrupted; what is finished is saved. Go on with: vlga resume cut\n" in err
        assert cut["status"] == "interrupted"
        assert cut["evaluations"]["completed"] >= 4
        assert vlga("resume", "cut").code == 0

    def test_stop_from_another_terminal(self, home, store, processes):
        """It is refused to a second driver while it runs, and ends within seconds when asked."""
        with Forked(processes, ("search", *ENDLESS), home) as process:
            while not process.stderr.readline().startswith("endless  random_search"):
                pass
            until(lambda: store.evaluations("endless") or process.poll() is not None)
            refused = vlga("resume", "endless")
            asked = vlga("stop", "endless")
            _, err = process.communicate(timeout=20)

        assert (refused.code, asked.code) == (2, 0)
        assert f"is run by process {process.pid} on " in refused.err
        assert f"asked process {process.pid} on " in asked.err
        assert process.returncode == 130, err
        assert "Go on with: vlga resume endless" in err
        assert store.find_search("endless").status == "interrupted"
        assert store.lease("endless") is None
