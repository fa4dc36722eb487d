"""Images a second of our training loop beside a bare one, and trainings a minute, packed.

    python -m tests.benchmarks.gpu.throughput --data-dir DIR [--compiled]

Minutes of a card: about 6; with ``--compiled`` some more for each network, which torch compiles.

The same networks in batches of 512, on 45,000 images of CIFAR-10, round by round in turn, a round
being an epoch; ``of bare`` is the median over rounds of the bare loop's seconds over the row's.
``operations`` are those of torch in an epoch, as its dispatcher counts them without views: what the
CPU has to launch. The rows:

- ``bare``: `tests.benchmarks.gpu.bare`;
- ``ours``: `workers.training.loop.train`, and the same with amplified gradients;
- ``ours, cuDNN chooses``: with `torch.backends.cudnn.benchmark`, as longer trainings have it;
- ``ours, as a CUDA graph`` and, with ``--compiled``, ``ours, compiled``: not in the product; to see
  what they would be worth. What fails there is said and costs the others nothing.

Then random networks of the preset `default`, an epoch each, packed with shares of ``auto``, as
`tests.benchmarks.gpu.packing` has them: how many end in a minute, small ones and those of a search.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from tests.benchmarks.gpu import packing
from tests.benchmarks.gpu.bare import BareLoop, wait_for_device
from tests.benchmarks.gpu.occasion import Occasion, arguments
from tests.support.dispatched import Dispatched
from vlga.config.load import load_config
from vlga.config.training import TrainingConfig, WindowConfig
from vlga.networks.anchors import anchors
from vlga.networks.named import ModelPlan
from vlga.networks.phenotype import Plan, decode
from vlga.networks.training import AmplificationPlan, OptimizerPlan
from workers.data import Dataset
from workers.networks.build import build
from workers.training.augmentation import image_statistics
from workers.training.loop import train
from workers.training.scoring import Split

#: Limits of the packed networks: as they were when 209 ended in a minute, and as they are chosen.
_PACKED: dict[str, tuple[str, ...]] = {
    "at most 6 M MACs": ("limits.max_macs=6_000_000", "limits.max_activation_bytes=400_000"),
    "of a search of nine minutes": (),
}
#: For which they run, and what their start takes at most.
_PACKED_SECONDS, _AROUND = 60.0, 40.0
_BATCH_SIZE, _SMALL_BATCH_SIZE = 512, 16
#: MACs of the networks: a small one, Jordan's of 94 %, and beside them ResNet-18.
_MAX_MACS, _SMALL_MACS = (2**24, 2**27), (2**20,)
#: With which no network diverges, however long it is trained.
_OPTIMIZER = OptimizerPlan(0.02, momentum=0.9, weight_decay=5e-4)
_AMPLIFIED = {
    "random": AmplificationPlan("random", kind="batch_norm", factor=1.25, ratio=0.5),
    "intelligent": AmplificationPlan(
        "intelligent", kind="batch_norm", factor=1.25, ratio=None, measure="G1", threshold="mean"
    ),
}
#: The first of them is measured, the second measured and amplified, the last amplified.
_AMPLIFIED_EPOCHS = 3

#: Trains for some epochs; what comes before, such as building the network, has been done.
Run = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Row:
    """A contestant.

    Attributes:
        make: makes it ready to run.
        n_epochs: of one run.
    """

    make: Callable[[], Run]
    n_epochs: int = 1


def main(words: Sequence[str] | None = None) -> None:
    """Measure all rows, network by network, then the packed trainings."""
    parser = arguments(__doc__, minutes=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compiled", action="store_true")
    options = parser.parse_args(words)
    now = Occasion.begin("throughput", options, words, "0")
    if now.is_small:
        torch.set_num_threads(1)
    device = torch.device("cpu" if now.is_small or not torch.cuda.is_available() else "cuda")
    dataset = now.images("cifar10")
    split = Split(
        torch.from_numpy(dataset.train_images.copy()).to(device),
        torch.from_numpy(dataset.train_labels.copy()).to(device),
    )
    for name, plan in _networks(now, dataset).items():
        rounds = 1 if now.is_small else options.rounds
        rows = _measured(
            _contestants(plan, split, now, is_compiled=options.compiled), split, rounds
        )
        now.say(f"{name}, {plan.n_macs / 1e6:.1f} M MACs, {plan.n_parameters / 1e6:.2f} M weights")
        now.show(rows)
    del split
    rows = []
    for name, limits in _PACKED.items():
        if now.seconds_left < _PACKED_SECONDS + _AROUND and not now.is_small:
            now.say(f"no time is left for packed trainings, {name}")
            continue
        tasks = packing.tasks_of(now, dataset, 4 if now.is_small else 64, limits)
        rate = packing.packed_rate(now, dataset, tasks, 8, "auto", seconds=_PACKED_SECONDS)
        rows.append({"packed": name, **rate})
    now.show(rows)


def _networks(now: Occasion, dataset: Dataset) -> dict[str, Plan]:
    """Give the networks by what they are called here."""
    shape, n_classes = dataset.input_shape, dataset.n_classes
    space = load_config().space.build()
    plans: dict[str, Plan] = {}
    for most in _SMALL_MACS if now.is_small else _MAX_MACS:
        genome = anchors(space, shape, n_classes, most)[0]
        channels = genome.blocks[0].channels_a
        plans[f"{channels} and {4 * channels} channels"] = decode(genome, shape, n_classes)
    model = "small_resnet_16" if now.is_small else "resnet18"
    return {**plans, model: ModelPlan(shape, n_classes, _OPTIMIZER, None, model)}


def _contestants(plan: Plan, split: Split, now: Occasion, *, is_compiled: bool) -> dict[str, _Row]:
    """Give what runs, by its name."""
    batch_size = _SMALL_BATCH_SIZE if now.is_small else _BATCH_SIZE
    statistics_ = image_statistics(split.images)
    once = TrainingConfig(epochs=1, batch_size=batch_size, augment="crop_flip")
    always = [WindowConfig(until=1, amplify=True)]
    amplified = once.model_copy(update={"epochs": _AMPLIFIED_EPOCHS, "windows": always})
    device = split.images.device
    scored = Split(split.images[:1], split.labels[:1])

    def built() -> nn.Module:
        return build(plan, 0).to(device).to(memory_format=torch.channels_last)

    def bare() -> Run:
        return BareLoop(
            built(),
            split,
            n_epochs=1000,
            batch_size=batch_size,
            rate=_OPTIMIZER.learning_rate,
            seed=0,
            shift=2,
            may_mirror=True,
        ).epoch

    def ours(
        amplification: AmplificationPlan | None = None,
        change: Callable[[nn.Module], nn.Module] = lambda network: network,
    ) -> Run:
        network = change(built())

        def epoch() -> None:
            train(
                network,
                split,
                scored,
                statistics=statistics_,
                optimizer_plan=_OPTIMIZER,
                amplification=amplification,
                config=once if amplification is None else amplified,
                seed=0,
                may_mirror=True,
            )

        return epoch

    def choosing() -> Run:
        epoch = ours()

        def run() -> None:
            with _cudnn_chooses():
                epoch()

        return run

    def graphed(network: nn.Module) -> nn.Module:
        sample = torch.randn(batch_size, *plan.input_shape, device=device)
        sample = sample.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
            made: nn.Module = torch.cuda.make_graphed_callables(network.train(), (sample,))
        return made

    rows = {"bare": _Row(bare), "ours": _Row(ours)}
    for name, amplification in _AMPLIFIED.items():
        rows[f"ours, {name}"] = _Row(partial(ours, amplification), _AMPLIFIED_EPOCHS)
    if device.type == "cuda":
        rows["ours, cuDNN chooses"] = _Row(choosing)
        rows["ours, as a CUDA graph"] = _Row(partial(ours, change=graphed))
    if is_compiled:
        rows["ours, compiled"] = _Row(partial(ours, change=torch.compile))
    return rows


def _measured(rows: dict[str, _Row], split: Split, n_rounds: int) -> list[dict[str, Any]]:
    """Run them in turn, after a first run that is not counted; say which cannot run."""
    device, n_images = split.images.device, len(split.labels)
    ready: dict[str, Run] = {}
    failed: list[dict[str, Any]] = []
    for name, row in rows.items():
        try:
            run = row.make()
            run()
            wait_for_device(device)
        except Exception as error:  # noqa: BLE001  # the card's minutes are for the others
            failed.append({"loop": name, "images_a_second": " ".join(str(error).split())[:200]})
        else:
            ready[name] = run
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(n_rounds):
        for name, run in ready.items():
            wait_for_device(device)
            began = time.perf_counter()
            run()
            wait_for_device(device)
            seconds[name].append((time.perf_counter() - began) / rows[name].n_epochs)
    found = [
        {
            "loop": name,
            "images_a_second": f"{n_images / statistics.median(own):,.0f}",
            "slowest": f"{n_images / max(own):,.0f}",
            "of_bare": _ratio(seconds["bare"], own),
            "operations": _operations(name, ready[name], rows[name].n_epochs),
        }
        for name, own in seconds.items()
    ]
    return found + [{**dict.fromkeys(found[0]), **one} for one in failed] if found else failed


def _operations(name: str, run: Run, n_epochs: int) -> str | None:
    """Give the operations of an epoch; None where they are not torch's, one by one."""
    if name.endswith(("graph", "compiled")):
        return None
    with Dispatched() as counted:
        run()
    return f"{counted.counts.total() / n_epochs:,.0f}"


def _ratio(bare: Sequence[float], own: Sequence[float]) -> str | None:
    """Give the median over rounds of the bare loop's seconds over another's, if it could run."""
    ratios = [one / other for one, other in zip(bare, own, strict=False)]
    return f"{statistics.median(ratios):.3f}" if ratios else None


@contextmanager
def _cudnn_chooses() -> Iterator[None]:
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


if __name__ == "__main__":
    main()
