"""The names that other people's programs import from vlga."""

import importlib
import re
import subprocess
import sys

import pytest

import vlga
from tests.support import readmes


@pytest.mark.parametrize("name", vlga.__all__)
def test_every_public_name_can_be_imported(name):
    """And is the very object that its module has."""
    module, _, attribute = vlga._PLACES[name].partition(":")
    place = importlib.import_module(module)

    assert getattr(vlga, name) is (getattr(place, attribute) if attribute else place)
    assert name in dir(vlga)


def test_the_public_names_are_those_with_a_place():
    """None is promised that cannot be loaded, and none can be loaded that is not promised."""
    assert sorted(vlga._PLACES) == vlga.__all__


def test_any_other_name_is_unknown():
    """Asking for it fails as with any module."""
    with pytest.raises(AttributeError, match=r"module 'vlga' has no attribute 'Amplifyer'"):
        _ = vlga.Amplifyer


def test_importing_vlga_loads_nothing_heavy(tmp_path):
    """Only the standard library and vlga itself."""
    code = "import sys, vlga; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())

    assert "vlga" in loaded
    assert not loaded & {"torch", "ray", "sqlalchemy", "pandas", "numpy", "click", "workers", "db"}


def test_readmes_import_public_names_only():
    """Whatever else moves, what the READMEs show goes on working."""
    imports = re.findall(
        r"^(.*\b(?:from|import) +(?:vlga|workers|db)\b.*)$", readmes.TEXT, re.MULTILINE
    )
    shown = [re.search(r"\bfrom vlga import ([\w, ]+)|^import vlga$", line) for line in imports]
    named = [name.strip() for one in shown if one and one[1] for name in one[1].split(",")]
    used = re.findall(r"\bvlga\.(\w+)\(", "".join(readmes.blocks("python")))

    assert all(shown), imports
    assert used
    assert {*named, *used} <= set(vlga.__all__)
