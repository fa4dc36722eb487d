"""``python -m vlga``: the command line, also from a folder with its own `db` or `workers`."""

from __future__ import annotations

import sys
from pathlib import Path

# `python -m` puts the current folder in front of the import path: ours must come before it.
sys.path.insert(0, str(Path(__file__).parent.parent))

from vlga.cli.main import run

run()
