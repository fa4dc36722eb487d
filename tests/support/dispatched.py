"""What torch is asked to do while something runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Dispatched", "Reads"]

#: What gives Python a tensor's values, and so waits until a GPU has computed them.
_READING = {
    "__bool__",
    "__float__",
    "__index__",
    "__int__",
    "cpu",
    "item",
    "nonzero",
    "numpy",
    "tolist",
}


class Dispatched(TorchDispatchMode):
    """Counts operations, backward passes included; views, for which nothing is computed, are not.

    Attributes:
        counts: by name, such as ``convolution``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count one and do it."""
        aliases = [one.alias_info for one in func._schema.returns]
        if not any(one is not None and not one.is_write for one in aliases):
            self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


class Reads(TorchFunctionMode):
    """Counts how often Python reads a tensor's values: on a GPU each time waits for it.

    Attributes:
        counts: by name, such as ``item``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count one and do it."""
        name = getattr(func, "__name__", "")
        if name in _READING:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))
