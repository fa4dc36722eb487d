"""Searches on a real Ray cluster of several processes, with a token, from outside of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.connection.engine import open_engine
from db.read import searches
from tests.support.cluster import Cluster, bare_python
from tests.support.command import FIRST
from tests.support.ledger import ledger
from tests.support.prometheus import measured
from tests.support.waiting import until
from vlga.errors import EvaluatorError, SearchNotFound
from workers.cluster.address import check_address

#: `FIRST`, but for where it runs.
SEARCH = tuple(word for word in FIRST if word != "--inline")


@pytest.fixture(scope="module")
def machines(ray_machines, tmp_path_factory):
    """A cluster whose only machine has no vlga; tests that add and kill some come last."""
    ray_machines.add_machine(bare_python(tmp_path_factory.mktemp("bare")))
    return ray_machines


def start(
    made: Cluster, url: str, *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.Popen[str]:
    """Start the search as a person does who has the cluster's token."""
    return subprocess.Popen(
        [sys.executable, "-m", "vlga", *SEARCH, "--db", url, *arguments],
        env={**made.environment, **environment},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def evaluations_measured(pages: Iterable[str]) -> Counter[tuple[str, ...]]:
    """Count evaluations by outcome and reason as Prometheus does."""
    return Counter(
        {
            tuple(labels): int(value)
            for (name, *labels), value in measured(pages, "first").items()
            if name == "vlga_evaluations_total"
        }
    )


def found(ledger):
    """Give what a search found, whoever trained it and in whatever order it ended."""
    (search,) = ledger["searches"]
    outcomes = sorted(ledger["evaluations"], key=lambda one: (one["is_final"], one["candidate_id"]))
    return ledger["candidates"], outcomes, search["best_candidate_id"], search["test_accuracy"]


def n_recorded(url: str) -> int:
    """Count the outcomes that a search has recorded so far."""
    engine = open_engine(url, create=True)
    try:
        counts: dict[str, int] = searches.show_search(engine, "first")["evaluations"]
        return sum(counts.values())
    except SearchNotFound:
        return 0
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Sent:
    """A search that ran on a cluster: what it wrote, recorded, and told Prometheus."""

    err: str
    url: str
    measured: Counter[tuple[str, ...]]


def all_recorded(of: Cluster, url: str, before: Counter[tuple[str, ...]]):
    """Wait until the head's page has as many evaluations as were recorded; give them."""
    found = Counter()

    def is_whole():
        nonlocal found
        found = evaluations_measured(of.pages) - before
        return found.total() >= n_recorded(url)

    until(is_whole, 20, lambda: found)
    return found


def recorded(url: str) -> Counter[tuple[str, str]]:
    """Count evaluations by outcome and reason as the ledger has them."""
    return Counter(
        ("reused", "") if one["reused"]
        else ("failed", one["reason"]) if one["reason"] else ("completed", "")
        for one in ledger(url)["evaluations"]
        if not one["is_final"]
    )  # fmt: skip


@pytest.fixture(scope="class")
def sent(machines, tmp_path_factory):
    """As a Ray client, from a machine that has the project."""
    folder = tmp_path_factory.mktemp("sent")
    url, before = f"sqlite:///{folder}/vlga.db", evaluations_measured(machines.pages)
    search = start(machines, url, "--address", machines.client_address, cwd=folder)
    _, err = search.communicate(timeout=200)
    assert search.returncode == 0, err
    return Sent(err, url, all_recorded(machines, url, before))


class TestAMachineWithoutTheProject:
    def test_is_sent_it(self, sent, undisturbed):
        """It trains as this process would."""
        assert sent.err.startswith(
            "sending vlga to the machines of the cluster\nfirst  variable_length"
        )
        assert found(ledger(sent.url)) == found(undisturbed)

    def test_is_measured(self, sent):
        """Prometheus hears of every evaluation what the ledger has of it, also of the last."""
        assert sent.measured == recorded(sent.url)


def test_the_doctor_looks_at_every_machine(machines):
    """Its libraries, code, CPUs, GPUs and clock, through the token; nothing is wrong."""
    told = subprocess.run(
        [sys.executable, "-m", "vlga", "doctor", "--address", machines.address, "--format", "json"],
        env=machines.environment,
        capture_output=True,
        text=True,
    )
    rows = json.loads(told.stdout)
    whats = [one["what"].split(" of ")[0] for one in rows]

    assert told.returncode == 0, told.stdout
    assert {one["state"] for one in rows} == {"ok"}
    assert whats.count("vlga") == whats.count("GPUs") - 1 == whats.count("CPUs") == 2
    assert {one["found"] for one in rows if one["what"].startswith("vlga of")} == {
        "the same as here",
        "sent along with each search",
    }


class TestAToken:
    @pytest.mark.parametrize("way", ["address", "client_address"])
    @pytest.mark.parametrize(
        ("environment", "mine"),
        [
            ({"RAY_AUTH_MODE": "disabled"}, "none is set here"),
            ({"RAY_AUTH_TOKEN": "0" * 64}, "another one is set here"),
        ],
    )
    def test_that_is_not_the_cluster_s_is_said_at_once(
        self, machines, monkeypatch, way, environment, mine
    ):
        """Ray itself would try for half a minute, and say nothing of a token."""
        address = getattr(machines, way)
        for name, value in {"RAY_AUTH_MODE": "token", **environment}.items():
            monkeypatch.setenv(name, value)

        with pytest.raises(EvaluatorError, match=f"at '{address}' .* its token, but {mine}"):
            check_address(address)

    def test_is_asked_for_in_one_line(self, machines):
        """With the way out; exit code 2."""
        search = start(
            machines, "sqlite:///none.db", "--address", machines.address, RAY_AUTH_TOKEN="0"
        )
        out, err = search.communicate(timeout=60)

        assert (search.returncode, out) == (2, "")
        assert err == (
            f"vlga: the Ray cluster at '{machines.address}' needs its token, but another one is "
            "set here; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as they are on its "
            "head (ray get-auth-token)\n"
        )


def test_a_machine_that_vanishes_changes_nothing(machines, home, undisturbed, empty_postgres):
    """Of three machines one is killed in the middle: no failure, and the same result.

    By the head's address the search measures itself, and Prometheus hears of all of it.
    """
    pages = [*machines.pages]
    before = evaluations_measured(pages)
    number, _ = machines.add_machine(), machines.add_machine()
    search = start(machines, empty_postgres, "--address", machines.address)
    until(lambda: n_recorded(empty_postgres) >= 3 or search.poll() is not None)
    machines.kill(number)
    _, err = search.communicate(timeout=200)

    assert search.returncode == 0, err
    assert err.startswith("sending vlga to the machines of the cluster\nfirst  variable_length")
    # The head has no CPUs: nothing is trained there.
    assert "; 3 at a time on 3 machines; postgresql" in err
    assert found(ledger(empty_postgres)) == found(undisturbed)
    assert evaluations_measured(pages) - before == recorded(empty_postgres)


def test_a_head_that_is_restarted_changes_nothing(machines, home, undisturbed):
    """Everything vanishes in the middle and comes back: the search waits, and finds the same."""
    url = f"sqlite:///{home}/vlga.db"
    search = start(machines, url, "--address", machines.client_address)
    until(lambda: n_recorded(url) >= 3 or search.poll() is not None)
    search.send_signal(signal.SIGSTOP)  # or it may be over before the head has stopped
    machines.close()
    search.send_signal(signal.SIGCONT)
    machines.start_head()
    machines.add_machine()
    _, err = search.communicate(timeout=200)

    assert search.returncode == 0, err
    assert "\nthe Ray cluster is gone; waiting up to 10 minutes for it\n" in err
    assert "\nthe workers are back\n" in err
    assert found(ledger(url)) == found(undisturbed)
