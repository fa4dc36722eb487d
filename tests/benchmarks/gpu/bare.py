"""A bare training loop, as fast as torch alone is without a compiler: what ours is measured by.

It is written like Jordan's airbench (2024, https://arxiv.org/abs/2404.00498): images on the device,
normalized once and augmented an epoch at a time, all in bfloat16 but batch normalization, channels
last, one fused optimizer, nothing read back. It keeps no learning curve and cannot fail, be stopped
or be amplified.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from torch import Tensor, nn

from workers.machine import has_bfloat16
from workers.training.augmentation import image_statistics, to_float
from workers.training.schedule import learning_rate_at
from workers.training.scoring import Split

__all__ = ["BareLoop", "wait_for_device"]

_SCORED_AT_ONCE = 2000


class BareLoop:
    """Trains a network, changed in place, with one cycle of learning rates.

    Args:
        network: on the device of the images.
        split: to train on.
        n_epochs: of the whole training.
        batch_size: images a step; an incomplete last batch is left out.
        rate: the largest learning rate.
        seed: of the order and the augmentation.
        shift: pixels that an image is moved at most.
        may_mirror: whether half of the images are mirrored.
    """

    def __init__(
        self,
        network: nn.Module,
        split: Split,
        *,
        n_epochs: int,
        batch_size: int,
        rate: float,
        seed: int,
        shift: int,
        may_mirror: bool,
    ) -> None:
        self._device = split.images.device
        self._dtype = _dtype(self._device)
        self._network = network.to(memory_format=torch.channels_last)
        for module in network.modules():
            if not isinstance(module, nn.BatchNorm2d):
                for one in module.parameters(recurse=False):
                    one.data = one.data.to(self._dtype)
        self._statistics = image_statistics(split.images)
        images = to_float(split.images, *self._statistics).to(self._dtype)
        padded = F.pad(images, (shift,) * 4, "reflect")
        self._padded = padded.contiguous(memory_format=torch.channels_last)
        self._labels = split.labels
        self._size = images.shape[-2:]
        self._shift, self._may_mirror = shift, may_mirror
        self._batch_size = min(batch_size, len(split.labels))
        self._n_steps = n_epochs * (len(split.labels) // self._batch_size)
        self._step = 0
        self._rate = rate
        self._generator = torch.Generator(self._device).manual_seed(seed)
        trained = [one for one in network.parameters() if one.requires_grad]
        groups = [
            {"params": [one for one in trained if one.ndim > 1], "weight_decay": 5e-4},
            {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True, fused=True)

    def epoch(self) -> None:
        """Train for an epoch; on a GPU this returns before the last steps are done."""
        self._network.train()
        images = self._augmented()
        order = self._randint(0, 2**62, len(images)).argsort()
        for chosen in order.split(self._batch_size):
            if len(chosen) < self._batch_size:
                break
            logits = self._network(images[chosen])
            F.cross_entropy(logits, self._labels[chosen], label_smoothing=0.1).backward()
            for group in self._optimizer.param_groups:
                group["lr"] = learning_rate_at(self._step, self._n_steps, self._rate, 0.2)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self._step += 1

    @torch.no_grad()
    def accuracy(self, split: Split) -> float:
        """Give the network's accuracy on other images, in [0, 1]."""
        self._network.eval()
        n_correct = torch.zeros((), device=self._device)
        for start in range(0, len(split.labels), _SCORED_AT_ONCE):
            images = split.images[start : start + _SCORED_AT_ONCE]
            given = to_float(images, *self._statistics).to(self._dtype)
            logits = self._network(given.contiguous(memory_format=torch.channels_last))
            n_correct += (logits.argmax(1) == split.labels[start : start + len(images)]).sum()
        return float(n_correct) / len(split.labels)

    def _augmented(self) -> Tensor:
        """Give all images, each cut from its padded one at random, half of them mirrored."""
        n, (height, width), n_shifts = len(self._labels), self._size, 2 * self._shift + 1
        tops, lefts = (self._randint(0, n_shifts, n) for _ in range(2))
        rows = self._padded[:, :, :height].clone(memory_format=torch.preserve_format)
        for top in range(1, n_shifts):
            chosen = tops == top
            rows[chosen] = self._padded[chosen, :, top : top + height]
        images = rows[..., :width].clone(memory_format=torch.channels_last)
        for left in range(1, n_shifts):
            chosen = lefts == left
            images[chosen] = rows[chosen, :, :, left : left + width]
        if not self._may_mirror:
            return images
        mirrored = self._randint(0, 2, n).bool()[:, None, None, None]
        return torch.where(mirrored, images.flip(3), images)

    def _randint(self, low: int, high: int, n: int) -> Tensor:
        return torch.randint(low, high, (n,), generator=self._generator, device=self._device)


def wait_for_device(device: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _dtype(device: torch.device) -> torch.dtype:
    has = device.type == "cuda" and has_bfloat16(torch.cuda.get_device_capability(device))
    return torch.bfloat16 if has else torch.float32
