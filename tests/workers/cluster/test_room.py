import pytest
import ray

from vlga.ports.machines import Machines
from workers.cluster.room import MachineCount, cpus_alone, machines_of, room_of


def node(*, alive=True, **resources):
    """A machine as Ray describes it."""
    return {"Alive": alive, "Resources": resources}


HEAD, SMALL, BIG = node(memory=1e9), node(CPU=2.0), node(CPU=16.0, GPU=4.0)
GONE = node(alive=False, CPU=16.0, GPU=4.0)


@pytest.mark.parametrize(
    ("nodes", "cpus", "gpus", "found"),
    [
        ((HEAD, SMALL, BIG), 1, 0, Machines(2, 0)),
        ((HEAD, SMALL, BIG), 4, 0, Machines(1, 0)),
        ((HEAD, SMALL, BIG, BIG), 1, 0.25, Machines(2, 8)),
        ((SMALL, GONE), 1, 0, Machines(1, 0)),
        ((HEAD,), 1, 0, Machines(0, 0)),
    ],
)
def test_machines_with_room_for_a_training_count(nodes, cpus, gpus, found):
    """A head without CPUs, a machine that is too small and a dead one do not; nor unused GPUs."""
    assert machines_of(nodes, cpus, gpus) == found


@pytest.mark.parametrize(
    ("nodes", "cpus", "gpus", "room"),
    [
        ((HEAD, SMALL, BIG), 1, 0, 18),
        ((HEAD, SMALL, BIG), 1.5, 0, 11),
        ((SMALL, BIG), 1, 0.125, 16),
        ((SMALL, BIG, BIG), 2, 0.5, 16),
        ((SMALL, GONE), 1, 0, 2),
        ((SMALL, SMALL), 3, 0, 0),
    ],
)
def test_no_training_is_spread_over_machines(nodes, cpus, gpus, room):
    """Each machine has room for as many as its CPUs and its GPUs suffice for."""
    assert room_of(nodes, cpus, gpus) == room


@pytest.mark.parametrize(
    ("nodes", "cpus", "gpus", "n_slots", "found"),
    [
        ((HEAD, SMALL, BIG), 1, 0, 18, 16),
        ((HEAD, SMALL, BIG), 1, 0, 3, 3),
        ((HEAD, SMALL, GONE), 1, 0, 18, 2),
        ((node(CPU=64.0), SMALL, node(CPU=8.0, GPU=1.0)), 1, 1, 16, 8),
        ((SMALL, node(CPU=1.0)), 2, 0, 1, 2),
        ((SMALL, BIG), 1, 5, 18, 0),
        ((HEAD, GONE), 1, 0, 1, 0),
    ],
)
def test_a_training_alone_gets_the_cpus_of_one_machine_that_is_there(
    nodes, cpus, gpus, n_slots, found
):
    """At most all workers' together; of a machine that has the GPUs too, or none at all."""
    assert cpus_alone(nodes, cpus, gpus, n_slots) == found


def test_ray_is_asked_every_few_seconds(monkeypatch):
    """However often the count is asked for; a machine that joined is seen then."""
    times = [100.0, 100.0, 102.0, 104.9, 105.0, 105.1, 109.9, 110.0]
    clock, nodes, n_asked = iter(times), [SMALL], []
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "nodes", lambda: n_asked.append(1) or [*nodes])
    count = MachineCount(1, 0, clock=lambda: next(clock))
    nodes.append(BIG)

    assert [count.machines.n_nodes for _ in times[1:]] == [1, 1, 1, 2, 2, 2, 2]
    assert len(n_asked) == 3


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_cluster_that_is_lost_is_what_it_was(monkeypatch, is_connected):
    """Whoever waits for trainings finds out and says so; counting machines raises nothing."""
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(ray, "nodes", lambda: [SMALL])
    count = MachineCount(1, 0, clock=lambda: next(clock))

    def nodes():
        assert is_connected, "Ray would start itself"
        raise ConnectionError

    monkeypatch.setattr(ray, "is_initialized", lambda: is_connected)
    monkeypatch.setattr(ray, "nodes", nodes)

    assert count.machines == Machines(1, 0)
