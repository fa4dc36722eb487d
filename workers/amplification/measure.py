"""How steady a layer's gradients are over an epoch.

Over the epoch's steps t, each element e of a layer's gradient g_t has the sum of g_t,e and the sum
of |g_t,e|. Their ratio is 1 where the gradient kept its direction and near 0 where it only
fluctuated; multiplying all of the epoch's gradients by one number leaves it as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor

__all__ = ["MEASURES", "GradientMeter", "per_element", "pooled"]

Sums = tuple[Tensor, Tensor]


def pooled(sums: Sequence[Sums]) -> float:
    """Give G1, in [0, 1]: ``sum_e |sum_t g| / sum_e sum_t |g|``, and 0 if all gradients were 0.

    Args:
        sums: (sum of g, sum of |g|) over the steps, one pair per tensor of the layer.
    """
    kept = torch.stack([total.abs().sum(dtype=torch.float64) for total, _ in sums]).sum()
    moved = torch.stack([size.sum(dtype=torch.float64) for _, size in sums]).sum()
    return float((kept / moved).masked_fill(moved == 0, 0))


def per_element(sums: Sequence[Sums]) -> float:
    """Give G2, in [0, 1]: the mean over elements of ``|sum_t g| / sum_t |g|``, 0/0 counting as 0.

    Args:
        sums: as for `pooled`.
    """
    ratios = [(total.abs() / size).masked_fill(size == 0, 0).flatten() for total, size in sums]
    return float(torch.cat(ratios).mean(dtype=torch.float64))


MEASURES: dict[str, Callable[[Sequence[Sums]], float]] = {"G1": pooled, "G2": per_element}


class GradientMeter:
    """Adds gradients up on their device, with no synchronisation before `measures` is called.

    Args:
        micro_batches: backward passes of a step; their gradients' sum is the step's gradient.
    """

    def __init__(self, micro_batches: int = 1) -> None:
        self._sums: dict[str, dict[Hashable, Sums]] = defaultdict(dict)
        self._micro_batches = micro_batches
        #: Of a step that is not complete: the sum so far, and how many it is of.
        self._parts: dict[tuple[str, Hashable], tuple[Tensor, int]] = {}

    def add(self, layer: str, key: Hashable, gradient: Tensor) -> None:
        """Add the gradient of one of the layer's tensors, from one backward pass.

        Args:
            layer: its name.
            key: tells the layer's tensors apart.
            gradient: any shape, the same each time; added up in float32 or the dtype if wider.
        """
        gradient = gradient.detach()
        if self._micro_batches > 1:
            sum_so_far, n = self._parts.pop((layer, key), (torch.zeros_like(gradient), 0))
            gradient = sum_so_far + gradient
            if n + 1 < self._micro_batches:
                self._parts[layer, key] = gradient, n + 1
                return
        if key not in self._sums[layer]:
            dtype = torch.promote_types(gradient.dtype, torch.float32)
            zeros = torch.zeros_like(gradient, dtype=dtype)
            self._sums[layer][key] = (zeros, zeros.clone())
        total, size = self._sums[layer][key]
        total.add_(gradient)
        size.add_(gradient.abs())

    def add_output(self, layer: str, gradient: Tensor) -> None:
        """Add the gradient at one use of a layer without parameters, averaged over the batch.

        Each use counts like a step; outputs of different shape are different tensors.

        Args:
            layer: its name.
            gradient: (n, ...) at the layer's output.
        """
        dtype = torch.promote_types(gradient.dtype, torch.float32)
        self.add(layer, gradient.shape[1:], gradient.mean(0, dtype=dtype))

    def measures(self, measure: str) -> dict[str, float]:
        """Give each measured layer's G, in [0, 1]; layers that had no gradient are left out.

        Args:
            measure: ``G1`` (pooled) or ``G2`` (per element).
        """
        function = MEASURES[measure]
        return {layer: function(list(sums.values())) for layer, sums in self._sums.items()}
