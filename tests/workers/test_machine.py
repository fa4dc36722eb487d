from workers import machine
from workers.machine import available_memory_bytes, machine_memory_bytes


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
