"""Marks say what a test starts, so that `make quick` is quick."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import marks


@pytest.mark.parametrize("program", ["gcs_server", "raylet", "initdb", "pg_ctl"])
def test_who_has_no_mark_starts_no_server(program):
    """Its test fails for it, at once, and nothing is started."""
    with pytest.raises(pytest.fail.Exception, match=r"test_marks.py.* starts what needs the mark"):
        subprocess.Popen([f"/no/such/{program}"])


@pytest.mark.ray
def test_who_has_the_mark_may():
    """Of its own kind only."""
    with pytest.raises(FileNotFoundError):
        subprocess.Popen(["/no/such/raylet"])
    with pytest.raises(pytest.fail.Exception):
        subprocess.Popen(["/no/such/pg_ctl"])
    subprocess.run([sys.executable, "-S", "-c", ""], check=True)


def test_every_file_of_whole_things_is_there():
    """A file that is renamed would be in `make quick` again, unnoticed."""
    root = Path(__file__).parents[1]
    files = [str(file.relative_to(root)) for file in root.glob("tests/**/test_*.py")]

    assert [one for one in marks.WHOLE if not any(file.startswith(one) for file in files)] == []


def test_its_file_and_fixtures_give_a_test_its_marks():
    """One of each kind, however many of them a test uses."""
    given = []
    names = ["tmp_path", *marks.MARKS]
    test = SimpleNamespace(nodeid="tests/cli/x.py::y", fixturenames=names, add_marker=given.append)
    marks.set_marks(test)

    assert sorted(given) == ["postgres", "ray", "whole"]


def test_whoever_uses_a_fixture_has_its_mark(request):
    """Of all tests of this run."""
    for item in request.session.items:
        for name in marks.MARKS.keys() & {*item.fixturenames}:
            assert item.get_closest_marker(marks.MARKS[name]), item.nodeid
