"""The filters of a stem: what makes patches of the training images white."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from torch import Tensor

from vlga.networks.layers import StemPlan

__all__ = ["N_WHITENED", "whitening_filters"]

#: Images whose patches are measured, spread evenly over all.
N_WHITENED = 512
#: Images whose patches are held at once, in float64.
_AT_ONCE = 32
#: Added to the variance of a direction, so that those of noise alone are not blown up.
_EPSILON = 5e-4


@torch.no_grad()
def whitening_filters(plan: StemPlan, images: Tensor) -> Tensor:
    """Give filters to which patches of images have a variance of 1, and no correlation.

    They are the eigenvectors of the patches' second moments, the largest first, divided by the root
    of their eigenvalue, then their negatives. The same images give the same filters.

    Args:
        plan: of the stem.
        images: (n, channels, height, width) float, normalized; `N_WHITENED` are enough.

    Returns:
        (plan.channels, channels, kernel, kernel) float32 on the images' device.
    """
    n_entries = plan.input_shape[0] * plan.kernel**2
    total = torch.zeros(n_entries, n_entries, dtype=torch.float64, device=images.device)
    n_patches = 0
    for some in torch.split(images, _AT_ONCE):
        patches = F.unfold(some.contiguous(), plan.kernel, stride=plan.stride)
        patches = patches.transpose(1, 2).flatten(0, 1).double()
        total += patches.T @ patches
        n_patches += len(patches)
    # in float64 on the CPU: small, and the same to the last digits everywhere
    values, vectors = torch.linalg.eigh((total / n_patches).cpu())
    directions = vectors.T.flip(0)[: plan.channels // 2]
    scales = (values.flip(0)[: plan.channels // 2].clamp_min(0) + _EPSILON).sqrt()
    # an eigenvector's sign is anybody's choice: its largest entry is positive
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    filters = directions * largest.sign() / scales[:, None]
    shape = (-1, plan.input_shape[0], plan.kernel, plan.kernel)
    return torch.cat([filters, -filters]).view(shape).to(images.device, torch.float32)
