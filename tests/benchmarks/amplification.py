"""What amplification costs: a training step with it against the same step without.

    python -m tests.benchmarks.amplification [REPEATS]

The net is a typical small one: 8 convolutions of 32 to 64 channels with batch norm and ReLU on 128
images of 28x28. Each variant's step is paired with a plain step next to it, in random order; the
cost is the median of the pairs' ratios, minus 1. ``none`` pairs plain steps with plain steps, and
so shows the noise. Times are the process's own CPU time on one thread, as others may use the
machine; more repeats narrow the standard error. The layers change with every step.
"""

import json
import random
import statistics
import sys
import time
from itertools import pairwise

import torch
from torch import nn

from vlga.networks.training import AmplificationPlan
from workers.amplification import Amplifier

N_EPOCHS = 1_000_000  # a new epoch, and so other layers, for each timed step
ALWAYS = (0.0, 1.0)
PLANS = {
    "none": None,
    "random": AmplificationPlan(mode="random", ratio=0.5, factor=2.0, window=ALWAYS),
    "intelligent": AmplificationPlan(
        mode="intelligent", ratio=None, measure="G1", threshold="mean", factor=2.0, window=ALWAYS
    ),
}


def small_cnn() -> nn.Sequential:
    """Give the net; two pools bring 28x28 maps to 7x7."""
    layers: list[nn.Module] = []
    channels = [1, 32, 32, 32, 32, 64, 64, 64, 64]
    for index, (before, after) in enumerate(pairwise(channels)):
        layers += [
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
        if index in {1, 4}:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def main(repeats: int) -> None:
    """Time all variants and print them."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = small_cnn().train()
    images, labels = torch.randn(128, 1, 28, 28), torch.randint(0, 10, (128,))
    # a rate of almost 0, as each step's time should not depend on how training goes
    optimizer = torch.optim.SGD(model.parameters(), 1e-6, momentum=0.9, weight_decay=5e-4)

    def step() -> float:
        start = time.process_time()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        return time.process_time() - start

    amplifiers = {
        name: Amplifier(model, plan, n_epochs=N_EPOCHS, seed=0) for name, plan in PLANS.items()
    }

    def amplified_step(name: str, epoch: int) -> float:
        with amplifiers[name].epoch(epoch):
            return step()

    for epoch in range(2):  # warm up, and measure once, so that later epochs are amplified
        for name in amplifiers:
            amplified_step(name, epoch)
    ratios: dict[str, list[float]] = {name: [] for name in amplifiers}
    plain_seconds = []
    order = random.Random(0)
    for epoch in range(2, repeats + 2):
        for name in order.sample(list(amplifiers), len(amplifiers)):
            if order.random() < 0.5:
                plain, amplified = step(), amplified_step(name, epoch)
            else:
                amplified, plain = amplified_step(name, epoch), step()
            plain_seconds.append(plain)
            ratios[name].append(amplified / plain)

    print(f"plain step {1000 * statistics.median(plain_seconds):.1f} ms, {repeats} repeats")
    print(f"{'variant':<12} {'cost':>8} {'standard error':>15}")
    figures: dict[str, object] = {"benchmark": "amplification"}
    for name, values in ratios.items():
        cost = statistics.median(values) - 1
        error = 1.25 * statistics.stdev(values) / len(values) ** 0.5  # of a median
        print(f"{name:<12} {cost:>+8.2%} {error:>15.2%}")
        figures[f"{name}_cost"] = round(cost, 5)
        figures[f"{name}_error"] = round(error, 5)
    print(json.dumps({**figures, "repeats": repeats, "target": 0.02}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
