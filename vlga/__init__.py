"""vlga: finds a good convolutional network for images by evolution.

The names in `__all__` are its public face in Python. They load what they need when they are asked
for, so that `import vlga` itself loads neither torch nor Ray nor a database.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0.dev0"

#: Where each public name lives: a module, or a name in one.
_PLACES = {
    "AmplificationPlan": "vlga.networks.training:AmplificationPlan",
    "Amplifier": "workers.amplification:Amplifier",
    "NetworkClassifier": "vlga.notebook.classifier:NetworkClassifier",
    "VLGASearch": "workers.tune_search:VLGASearch",
    "frames": "db.frames",
    "open": "vlga.notebook.searching:open_search",
    "search": "vlga.notebook.searching:search",
}
__all__ = [
    "AmplificationPlan",
    "Amplifier",
    "NetworkClassifier",
    "VLGASearch",
    "frames",
    "open",
    "search",
]


def __getattr__(name: str) -> Any:
    """Load a public name at its first use (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    """Offer the public names beside what is already loaded."""
    return sorted({*globals(), *__all__})
