import pytest

from workers import machine
from workers.machine import (
    available_memory_bytes,
    gpus_have_bfloat16,
    has_bfloat16,
    machine_memory_bytes,
)


def test_available_memory():
    """Some of the memory is free, and never more than there is."""
    assert 0 < available_memory_bytes() <= machine_memory_bytes()


def test_of_a_container(tmp_path, monkeypatch):
    """A container has what its limit leaves, and the kernel's file cache counts as free."""
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 100000\ninactive_file 400000\n")
    monkeypatch.setattr(machine, "_CGROUP_LIMITS", (limit,))
    monkeypatch.setattr(machine, "_CGROUP_USES", ((tmp_path / "memory.current", "inactive_file"),))

    assert available_memory_bytes() == 500_000


def test_where_the_system_does_not_say(tmp_path, monkeypatch):
    """Without such files all memory counts as free."""
    monkeypatch.setattr(machine, "_MEMORY_INFO", tmp_path / "absent")
    monkeypatch.setattr(machine, "_CGROUP_LIMITS", (tmp_path / "absent",))
    monkeypatch.setattr(machine, "_CGROUP_USES", ((tmp_path / "absent", "inactive_file"),))

    assert available_memory_bytes() == machine_memory_bytes()


@pytest.mark.parametrize(
    ("capability", "has"),
    [
        ((6, 1), False),
        ((7, 0), False),
        ((7, 5), False),
        ((8, 0), True),
        ((8, 6), True),
        ((9, 0), True),
    ],
)
def test_only_newer_gpus_compute_in_bfloat16(capability, has):
    """A V100 (7.0) and a T4 (7.5) have no such convolutions, whatever torch says of emulation."""
    assert has_bfloat16(capability) is has


@pytest.mark.parametrize(
    ("script", "have"),
    [
        ("echo 9.0; echo 8.6", True),
        ("echo 9.0; echo 7.5", False),
        ("exit 9", True),
        ("echo '[N/A]'", True),
    ],
)
def test_one_old_gpu_is_enough_to_count_on_less(tmp_path, monkeypatch, script, have):
    """As the driver's tool tells it, a line for each; where it does not, they count as new."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)

    assert gpus_have_bfloat16() is have
