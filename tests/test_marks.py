"""Marks say what a test starts, so that `make quick` is what needs neither Ray nor Postgres."""

import subprocess
import sys
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


def test_fixtures_give_their_marks():
    """One of each kind, however many of them a test uses."""
    given = []
    marks.set_marks(
        SimpleNamespace(fixturenames=["tmp_path", *marks.MARKS], add_marker=given.append)
    )

    assert sorted(given) == ["postgres", "ray"]


def test_whoever_uses_a_fixture_has_its_mark(request):
    """Of all tests of this run."""
    for item in request.session.items:
        for name in marks.MARKS.keys() & {*item.fixturenames}:
            assert item.get_closest_marker(marks.MARKS[name]), item.nodeid
