"""Seconds for an epoch of training: our loop beside the usual one with a DataLoader.

``python -m tests.benchmarks.epoch [--images N] [--threads T] [--repeats R]``

Both train the same network from the same weights on the same images, with the same batch size,
optimizer, loss and kind of augmentation (random crop, and flip for colour), on as many threads. The
usual loop has a data set of PIL images, torchvision's transforms, a DataLoader without worker
processes or with two (the better one counts) and reads the loss every step. The less arithmetic a
network needs, the more its data counts, and the larger is the difference.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from tests.benchmarks.timing import alternate, median_ratio, print_table, report
from tests.support.records import genome
from vlga.config.training import TrainingConfig
from vlga.genetics.genome import Genome
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan
from workers.networks.build import Network, build_network
from workers.training.augmentation import image_statistics
from workers.training.loop import train
from workers.training.memory import training_memory
from workers.training.scoring import Split

_BATCH_SIZE = 128
_SHAPES = ((3, 32, 32), (1, 28, 28))


def main() -> None:
    """Time both loops on colour and on grey images, with two networks each, and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows, figures = [], {}
    for shape, n_blocks in itertools.product(_SHAPES, (1, 2)):
        plan = decode(_genome(n_blocks), shape, 10)
        split = _random_images(options.images, plan)
        seconds = alternate(
            {
                "ours": _our_epoch(plan, split),
                "DataLoader": _usual_epoch(plan, split, n_workers=0),
                "DataLoader, 2 workers": _usual_epoch(plan, split, n_workers=2),
            },
            options.repeats,
        )
        name = f"{'x'.join(map(str, shape))}, {plan.n_macs / 1e6:.1f}M MACs"
        rows += [
            {
                "images, network": name,
                "loop": loop,
                "s/epoch (median)": f"{statistics.median(taken):.3f}",
                "min": f"{min(taken):.3f}",
                "max": f"{max(taken):.3f}",
            }
            for loop, taken in seconds.items()
        ]
        usual = min(list(seconds)[1:], key=lambda loop: statistics.median(seconds[loop]))
        figures[name] = {
            "seconds": round(statistics.median(seconds["ours"]), 4),
            "usual": usual,
            "usual_seconds": round(statistics.median(seconds[usual]), 4),
            "times_as_fast": round(1 / median_ratio(seconds, "ours", usual), 2),
        }
    print_table(rows)
    report(
        benchmark="epoch",
        images=options.images,
        batch_size=_BATCH_SIZE,
        threads=options.threads,
        repeats=options.repeats,
        torch=torch.__version__,
        **figures,
    )


def _genome(n_blocks: int) -> Genome:
    """Two convolutions of 16 channels, and two more of 32, as a search on a CPU trains them."""
    base = genome(2)
    first, second = (replace(block, skip=False) for block in base.blocks)
    second = replace(second, channels_a=32, channels_b=32)
    return Genome(base.network, (first, second)[:n_blocks])


def _random_images(n: int, plan: NetworkPlan) -> Split:
    rng = torch.Generator().manual_seed(0)
    return Split(
        torch.randint(0, 256, (n, *plan.input_shape), dtype=torch.uint8, generator=rng),
        torch.randint(0, plan.n_classes, (n,), generator=rng),
    )


def _network(plan: NetworkPlan) -> Network:
    return build_network(plan, torch.Generator().manual_seed(0))


def _our_epoch(plan: NetworkPlan, split: Split) -> Callable[[], float]:
    """Train for one epoch with `train`, which then scores; here it is given one image to score."""
    statistics_ = image_statistics(split.images)
    one_image = Split(split.images[:1], split.labels[:1])
    config = TrainingConfig(epochs=1, batch_size=_BATCH_SIZE)

    def run() -> float:
        network = _network(plan)
        started = time.perf_counter()
        with training_memory("cpu"):  # as in an evaluation; afterwards the other loop has it too
            train(
                network,
                split,
                one_image,
                statistics=statistics_,
                optimizer_plan=plan.optimizer,
                amplification=None,
                config=config,
                seed=0,
            )
        return time.perf_counter() - started

    return run


class _PilImages(TorchDataset[tuple[Tensor, int]]):
    """Images as torchvision's data sets give them: a PIL image, transformed, and its label."""

    def __init__(self, split: Split, transform: Callable[[Image.Image], Tensor]) -> None:
        pixels = split.images.permute(0, 2, 3, 1).squeeze(3).numpy()
        self._images = [*pixels]
        self._labels = split.labels.tolist()
        self._transform = transform

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._transform(Image.fromarray(self._images[index])), self._labels[index]


def _usual_epoch(plan: NetworkPlan, split: Split, *, n_workers: int) -> Callable[[], float]:
    """Train for one epoch as tutorials do; worker processes stay from epoch to epoch."""
    channels, height, _ = plan.input_shape
    mean, std = (each.tolist() for each in image_statistics(split.images))
    flip = [transforms.RandomHorizontalFlip()] if channels == 3 else []
    transform = transforms.Compose(
        [
            transforms.RandomCrop(height, padding=4),
            *flip,
            transforms.ToTensor(),
            transforms.Normalize(mean, std),
        ]
    )
    loader = DataLoader(
        _PilImages(split, transform),
        batch_size=_BATCH_SIZE,
        shuffle=True,
        drop_last=True,
        num_workers=n_workers,
        persistent_workers=n_workers > 0,
    )

    def run() -> float:
        network = _network(plan)
        network.train()
        optimizer = torch.optim.SGD(
            network.parameters(),
            lr=plan.optimizer.learning_rate,
            momentum=plan.optimizer.momentum,
            weight_decay=plan.optimizer.weight_decay,
            nesterov=True,
        )
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, plan.optimizer.learning_rate, total_steps=len(loader) + 1
        )
        total_loss, n_correct = 0.0, 0
        started = time.perf_counter()
        for images, labels in loader:
            optimizer.zero_grad()
            logits = network(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            scheduler.step()
            total_loss += loss.item()
            n_correct += int((logits.argmax(1) == labels).sum())
        return time.perf_counter() - started

    return run


if __name__ == "__main__":
    main()
