"""A search beside a small ResNet trained by hand for as long, start included.

``python -m tests.benchmarks.by_hand --seconds 200 --seeds 3 --set data.name=fashion-mnist ...``

In turn, seed by seed: `vlga search` with this `budget.seconds`, and a bare training in a process of
its own (`--plain`): torch alone, the same images and the same split, all cores, SGD with Nesterov
momentum, one cycle of learning rates up to 0.1, shifted images, mirrored where they mean the same,
as many epochs as fit the time by the pace of those before, as a search has it. Both see the test
images once, at the end. The accuracy of a search is that of its committee.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.benchmarks.timing import print_table
from vlga.report.committee import tested_of

#: Seconds that a plain training leaves for its end.
_RESERVE = 2.0


def main() -> None:
    """Run the arms in turn and print a row for each run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--width", type=int, default=16, help="channels of the ResNet's first maps")
    parser.add_argument("--stride", type=int, default=1, help="of the ResNet's first convolution")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--plain", action="store_true", help="only the training by hand, as JSON")
    options = parser.parse_args()
    if options.plain:
        seed, width = options.first_seed, options.width
        found = train_plainly(options.settings, options.seconds, seed, width, options.stride)
        print(json.dumps(found))
        return
    rows = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for run in (_search, _by_hand):
            started = time.monotonic()
            row = run(options, seed)
            took = f"{time.monotonic() - started:.0f}"
            rows.append({"seed": seed, **row, "seconds": took})
            print(rows[-1], file=sys.stderr, flush=True)
    print_table(rows)


def _search(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Search as a user does, in an empty folder."""
    words = [sys.executable, "-m", "vlga", "search", "--name", "x", "--seed", str(seed)]
    words += ["--format", "json", "--set", f"budget.seconds={options.seconds}"]
    for setting in options.settings:
        words += ["--set", setting]
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            words, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    shown = json.loads(told.stdout)
    answer, best = tested_of(shown), shown["best"]
    members = len(answer.get("members", "1"))
    return {
        "arm": "vlga search",
        "test": f"{100 * answer['test_accuracy']:.2f}",
        "winner_alone": f"{100 * best['test_accuracy']:.2f}",
        "parameters": answer["parameters"],
        "trained": f"{shown['evaluations']['completed']} networks, {members} answer",
    }


def _by_hand(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    words = [sys.executable, "-m", "tests.benchmarks.by_hand", "--plain"]
    words += ["--seconds", str(options.seconds), "--first-seed", str(seed)]
    words += ["--width", str(options.width), "--stride", str(options.stride)]
    for setting in options.settings:
        words += ["--set", setting]
    told = subprocess.run(words, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def train_plainly(
    settings: list[str], seconds: float, seed: int, width: int, stride: int
) -> dict[str, Any]:
    """Train a small ResNet for so many seconds, counted from now, and test it once."""
    began = time.monotonic()
    import numpy as np
    import torch
    import torch.nn.functional as F  # noqa: N812  # torch's own name for it

    from vlga.config.load import load_config
    from vlga.ports.evaluator import TimedEpochs
    from workers.data import load_dataset
    from workers.training.augmentation import augment, image_statistics, to_float
    from workers.training.pace import epochs_that_fit
    from workers.training.schedule import learning_rate_at

    dataset = load_dataset(load_config(settings=settings).data)
    images = torch.from_numpy(np.concatenate([dataset.train_images, dataset.validation_images]))
    labels = torch.from_numpy(np.concatenate([dataset.train_labels, dataset.validation_labels]))
    tests = torch.from_numpy(np.array(dataset.test_images))
    test_labels = torch.from_numpy(np.array(dataset.test_labels))
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = _resnet(images.shape[1], dataset.n_classes, width, stride)
    network.to(memory_format=torch.channels_last)
    statistics = image_statistics(images)
    kind = "crop_flip" if dataset.may_mirror else "crop"
    batch = 64 if len(images) > 1000 else 32
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )

    def step(chosen: torch.Tensor) -> None:
        batch_images = augment(to_float(images[chosen], *statistics), kind, generator)
        batch_images = batch_images.contiguous(memory_format=torch.channels_last)
        F.cross_entropy(network(batch_images), labels[chosen]).backward()

    for index in range(30):
        if index == 10:
            started = time.monotonic()
        step(torch.arange(batch))
        optimizer.zero_grad()
    n_steps = len(images) // batch
    per_epoch = (time.monotonic() - started) / 20 * n_steps
    left = seconds - (time.monotonic() - began) - _RESERVE
    n_scored = len(tests) / len(images) / 3
    n_epochs = max(1, int(left / per_epoch - n_scored))
    took: list[float] = []
    while (epoch := len(took)) < n_epochs:
        started = time.monotonic()
        n_epochs = epochs_that_fit(TimedEpochs(left, 1, 10_000), took, n_epochs, n_scored)
        network.train()
        order = torch.randperm(len(images), generator=generator)
        for index, chosen in enumerate(order[: n_steps * batch].split(batch)):
            step(chosen)
            done = epoch * n_steps + index
            optimizer.param_groups[0]["lr"] = learning_rate_at(done, n_epochs * n_steps, 0.1, 0.2)
            optimizer.step()
            optimizer.zero_grad()
        took.append(time.monotonic() - started)
    network.eval()
    with torch.no_grad():
        guesses = [
            network(to_float(some, *statistics).contiguous(memory_format=torch.channels_last))
            for some in tests.split(500)
        ]
    right = (torch.cat(guesses).argmax(1) == test_labels).float().mean().item()
    return {
        "arm": "by hand" if stride == 1 else f"by hand, stride {stride}",
        "test": f"{100 * right:.2f}",
        "winner_alone": "",
        "parameters": sum(one.numel() for one in network.parameters()),
        "trained": f"{n_epochs} epochs",
    }


def _resnet(channels: int, n_classes: int, width: int, stride: int) -> Any:
    """Give three stages of one basic block each, as wide, twice and four times as wide."""
    from torch import nn
    from torchvision.models.resnet import BasicBlock

    def stage(before: int, after: int, stride: int) -> nn.Module:
        change = None
        if stride > 1 or before != after:
            change = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )
        return BasicBlock(before, after, stride, change)

    return nn.Sequential(
        nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        stage(width, width, 1),
        stage(width, 2 * width, 2),
        stage(2 * width, 4 * width, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, n_classes),
    )


if __name__ == "__main__":
    main()
