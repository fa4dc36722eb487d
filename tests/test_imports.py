"""What may be loaded where, each in a fresh interpreter."""

import subprocess
import sys
from contextlib import closing

import pytest

from db.store import SqlStore
from tests.support.records import candidate, evaluation, record

BLOCK = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "ray", "sqlalchemy", "pandas"}:
            raise ModuleNotFoundError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
"""
CORE = (
    BLOCK
    + """
import vlga
names = [one.name for one in pkgutil.walk_packages(vlga.__path__, "vlga.")]
others = ("vlga.app", "vlga.cli", "vlga.service", "vlga.notebook", "vlga.__main__")
core = [name for name in names if not name.startswith(others)]
for name in core:
    importlib.import_module(name)
print(*core)
"""
)
COMMAND = """
import sys
from vlga.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
    raise
"""


def python(code, *arguments, cwd):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True
    )


def test_the_algorithm_needs_neither_torch_nor_ray_nor_a_database(tmp_path):
    """All of vlga but app, cli, service and notebook can be imported where none is installed."""
    run = python(CORE, cwd=tmp_path)

    assert run.returncode == 0, run.stderr
    assert {"vlga.execution.driver", "vlga.config.example", "vlga.strategies.base"} <= set(
        run.stdout.split()
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("list",),
        ("show", "first"),
        ("top", "first"),
        ("top", "first", "--front"),
        ("lineage", "first", "2"),
        ("report", "first"),
        ("report", "first", "--html", "first.html"),
    ],
    ids=" ".join,
)
def test_looking_is_fast_because_it_loads_little(arguments, tmp_path):
    """Help and reading commands load none of what takes seconds."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/vlga.db")) as store:
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0), candidate(1), candidate(2, parents=(0, 1))])
        store.add_evaluations("first", [evaluation(number) for number in range(3)])
    run = python(COMMAND, *arguments, cwd=tmp_path)
    loaded = set(run.stderr.splitlines()[-1].split())

    assert run.returncode == 0, run.stderr
    assert {"vlga", "click"} <= loaded
    heavy = {"torch", "ray", "pandas", "alembic", "pydantic", "numpy", "deap", "rich", "plotly"}
    assert not loaded & heavy


def test_looking_at_images_loads_nothing_that_trains(tmp_path):
    """Only what reads settings and images."""
    run = python(COMMAND, "data", "show", "digits", "--sheet", "digits.png", cwd=tmp_path)
    loaded = set(run.stderr.splitlines()[-1].split())

    assert run.returncode == 0, run.stderr
    assert {"numpy", "PIL"} <= loaded
    assert not loaded & {"torch", "torchvision", "ray", "pandas", "sqlalchemy", "sklearn"}
