"""What may be loaded where, each in a fresh interpreter."""

import subprocess
import sys

import pytest

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
core = [name for name in names if not name.startswith(("vlga.cli", "vlga.__main__"))]
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
    """All of vlga but the command line can be imported where they are not installed."""
    run = python(CORE, cwd=tmp_path)

    assert run.returncode == 0, run.stderr
    assert {"vlga.driver", "vlga.example", "vlga.strategies.base"} <= set(run.stdout.split())


@pytest.mark.parametrize("arguments", [("--help",), ("list",)])
def test_looking_is_fast_because_it_loads_little(arguments, tmp_path):
    """Help and reading commands load none of what takes seconds."""
    python("from db.store import SqlStore; SqlStore('sqlite:///vlga.db').close()", cwd=tmp_path)
    run = python(COMMAND, *arguments, cwd=tmp_path)
    loaded = set(run.stderr.splitlines()[-1].split())

    assert run.returncode == 0, run.stderr
    assert {"vlga", "click"} <= loaded
    heavy = {"torch", "ray", "pandas", "alembic", "pydantic", "numpy", "deap", "rich", "matplotlib"}
    assert not loaded & heavy
