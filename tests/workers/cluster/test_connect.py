"""Connecting to a Ray cluster: what it must have, and a server for clients that may fail."""

from __future__ import annotations

import socket

import pytest
import ray

from tests.support.trainings import dataset
from vlga.errors import EvaluatorError
from workers.cluster import address, connect
from workers.cluster.address import check_address
from workers.cluster.connect import visit
from workers.cluster.room import check_room

#: What Ray says when a client's process hung as it was forked (ray-project/ray#63202).
HUNG = (
    "Initialization failure from server:\nTraceback (most recent call last):\nRuntimeError: "
    "Starting Ray client server failed. See ray_client_server_23000.err for detailed logs."
)


def test_a_training_is_not_spread_over_machines(monkeypatch: pytest.MonkeyPatch):
    """Two CPUs on each of two machines are refused to one that reserves three."""
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4.0})
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}] * 2)
    check_room(2.0, 0.0)

    with pytest.raises(EvaluatorError, match=r"on one machine .* none has 3 CPUs and 0 GPUs"):
        check_room(3.0, 0.0)


def test_what_is_reached_and_then_fails_is_let_go_of(monkeypatch: pytest.MonkeyPatch):
    """Otherwise the next one would take the dead connection for its own."""

    def fail(*_: object) -> None:
        raise ConnectionError("no head")

    let_go = []
    monkeypatch.setattr(ray, "init", lambda **_: None)
    monkeypatch.setattr(ray, "shutdown", lambda: let_go.append(True))
    monkeypatch.setattr(connect, "check_address", lambda _: None)
    monkeypatch.setattr(connect, "node_reports", fail)

    with pytest.raises(EvaluatorError, match="'ray://head:10001' must be reachable"):
        connect.connect("ray://head:10001", None, 1.0, dataset().summary())
    assert let_go == [True]


def test_a_start_that_takes_too_long_is_one_line(monkeypatch: pytest.MonkeyPatch):
    """Ray raises a bare Exception then; any other exception is a mistake of ours."""

    def fail(error: Exception) -> None:
        monkeypatch.setattr(ray, "init", lambda **_: (_ for _ in ()).throw(error))
        connect.connect(None, None, 1.0, dataset().summary())

    with pytest.raises(EvaluatorError, match=r"Ray on this machine must be reachable, .* time;"):
        fail(Exception("The current node did not start\nin time"))
    with pytest.raises(TypeError, match="ours"):
        fail(TypeError("ours"))


class TestAnAddress:
    @pytest.mark.parametrize("place", ["ray://", "nowhere", "host:port", "127.0.0.1:99999"])
    def test_of_no_host_or_port_is_refused(self, place: str):
        """Ray itself takes half a minute to say so."""
        with pytest.raises(EvaluatorError, match=rf"--address must be HOST:PORT, .* '{place}'"):
            check_address(place)

    @pytest.mark.parametrize("scheme", ["", "ray://"])
    def test_where_nobody_answers_is_refused(self, monkeypatch: pytest.MonkeyPatch, scheme: str):
        """Something that listens there but does not know Ray's calls; without Ray's own texts."""
        monkeypatch.setattr(address, "_TIMEOUT_SECONDS", 0.5)
        with socket.create_server(("127.0.0.1", 0)) as server:
            place = f"{scheme}127.0.0.1:{server.getsockname()[1]}"
            with pytest.raises(ConnectionError, match="does not answer as Ray does"):
                check_address(place)


class TestAServerForClientsThatFails:
    @pytest.fixture
    def failures(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What connecting fails with, one after the other, until none is left."""
        failures: list[str] = []

        def connect_to_ray(**_: object) -> None:
            if failures:
                raise ConnectionAbortedError(failures.pop(0))

        monkeypatch.setattr(ray, "init", connect_to_ray)
        monkeypatch.setattr(ray, "shutdown", lambda: None)
        monkeypatch.setattr(connect, "check_address", lambda _: None)
        monkeypatch.setattr(connect, "node_reports", list)
        return failures

    def test_is_asked_again(self, failures: list[str]):
        """Twice; then the cluster is there as if nothing had been."""
        failures += [HUNG, HUNG]

        assert visit("ray://head:10001") == []
        assert failures == []

    @pytest.mark.parametrize(
        ("all_of_them", "n_left"), [([HUNG] * 4, 1), (["no such job", HUNG], 1)]
    )
    def test_is_given_up(self, failures: list[str], all_of_them: list[str], n_left: int):
        """After three times, and at once where it says anything else, in one line."""
        failures += all_of_them

        with pytest.raises(EvaluatorError, match="'ray://head:10001' must be reachable") as raised:
            visit("ray://head:10001")
        assert len(failures) == n_left
        assert "\n" not in str(raised.value)
