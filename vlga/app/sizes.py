"""Sizes that fit the images, the machine and the time, chosen once when a search begins.

A preset cannot know them: limits made for small images leave nothing to search among on larger
ones, and batches of a laptop keep a GPU waiting. What is chosen is rounded, printed, and stored in
the search's configuration; a number in the configuration stands as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlga.config.rungs import rung_lengths
from vlga.config.settings import SearchConfig
from vlga.config.strategies import GENERATIONAL, STUDIES
from vlga.errors import ConfigError
from vlga.genetics.sampling import smallest
from vlga.networks.anchors import anchors
from vlga.networks.phenotype import decode
from vlga.ports.data import DataSummary
from vlga.ports.evaluator import Evaluator
from vlga.report.formats import count_text, number_of

__all__ = [
    "Machine",
    "choose_sizes",
    "machine_of",
    "require_room",
    "sizes_text",
    "with_sizes_of",
]

#: Multiply-accumulates a second that are counted on for a CPU core, for a GPU, and for one without
#: bfloat16, in a training of a small network: a training's step takes three times those of a
#: forward pass. Nominal, so that the same search on a busy machine is the same search; a core of an
#: EPYC of 2024 has 25 billion, and two in one training 40. An H100 has five times its number in
#: trainings of ResNet-18 and VGG-19 side by side (tests/benchmarks/results/cifar10_gpu.txt), and
#: less than it in networks so small that it waits for their launches: limits as for those would
#: make nothing faster.
_RATE_OF_CORE, _RATE_OF_GPU, _RATE_OF_OLD_GPU = 2**34, 2**43, 2**41
#: Passes over the training images that the largest network allowed can have in its last training:
#: on a CPU so many images are seen in all, within these bounds. Thirty passes of a small network
#: over a few thousand images teach it as much as ten, in the same time, teach one that is sixteen
#: times as large: on 3,000 of Fashion-MNIST, 60 s each, 89.3 % and 89.2 %, between them 89.5 %. But
#: more such networks can be tried. On 2,000 photographs ninety passes of 12 million
#: multiply-accumulates and thirty of 28 million came to the same in the same time (one split). With
#: 64 passes instead of 45 the networks for 3,000 of Fashion-MNIST were too small in 200 s: 88.3 %
#: instead of 89.4 % (one seed).
_SEEN_ON_CPU, _PASSES_ON_CPU, _PASSES_ON_GPU = 200_000, (8, 45), 60
#: A search's longest trainings have so large a share of these passes, and at most so many: slow
#: learners, which win in the end, look bad after few epochs.
_SEARCHED_SHARE, _MOST_SEARCHED = 0.6, 27
#: The longer training has at most as many epochs as make so many images, on a CPU and on a GPU,
#: within these bounds. Not measured: enough that the time, where it is limited, ends it on a CPU.
_SEEN_IN_FINAL, _SEEN_IN_FINAL_ON_GPU, _FINAL_EPOCHS = 400_000, 6_000_000, (100, 200)
#: The epochs that it has where no time is limited.
_UNTIMED_FINAL_EPOCHS = 60
#: Networks of a committee: see tests/benchmarks/results/committee.txt.
_MEMBERS = 4
#: Multiply-accumulates for each pixel of an image, at most: wide networks on tiny images, for which
#: there would be time, learn them no better. ResNet-18 has as many.
_MACS_PER_PIXEL = 2**19
#: The time, in seconds, that is counted on where none is given.
_SECONDS = 600.0
#: Fewest steps in an epoch, as far as batches are then large enough for batch normalization.
_STEPS, _LEAST_BATCH = 16, 8
#: Channels of maps as large as the image that a training step may keep, in all layers together.
_CHANNELS_ON_CPU, _CHANNELS_ON_GPU = 256, 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """What the winner's longer training runs on: one GPU, or the cores of one machine.

    Attributes:
        n_cores: at least 1.
        has_gpu: whether trainings use GPUs.
        has_bfloat16: whether these compute in it.
    """

    n_cores: float
    has_gpu: bool
    has_bfloat16: bool = True

    @property
    def rate(self) -> float:
        """Multiply-accumulates a second, nominal."""
        if not self.has_gpu:
            return self.n_cores * _RATE_OF_CORE
        return _RATE_OF_GPU if self.has_bfloat16 else _RATE_OF_OLD_GPU


def machine_of(evaluator: Evaluator, config: SearchConfig) -> Machine:
    """Give what an evaluator trains on."""
    machines = evaluator.machines
    n_cores = evaluator.n_slots * config.workers.cpus_per_evaluation / machines.n_nodes
    return Machine(max(1.0, n_cores), machines.n_gpus > 0, machines.has_bfloat16)


def choose_sizes(config: SearchConfig, data: DataSummary, machine: Machine) -> SearchConfig:
    """Give the configuration with a number for every setting that is ``auto``.

    Args:
        config: as it was asked for.
        data: the images.
        machine: what trains on them.

    Raises:
        ConfigError: a limit is too small for any network of the space.
    """
    sizes: dict[str, Any] = {
        "limits.max_activation_bytes": _max_activation_bytes(data, machine),
        "limits.max_macs": _max_macs(config, data, machine),
        "training.batch_size": _batch_size(data, machine),
        "training.epochs": _epochs(config, data, machine),
        "final.epochs": _final_epochs(config, data, machine),
        "final.committee": _committee(config),
    }
    given = config.population.founders
    chosen = _with(config, {**sizes, "population.founders": given})
    if chosen.strategy in STUDIES:
        return chosen
    require_room(chosen, data)
    if "population.founders" not in config.auto:
        return chosen
    most = config.population.max_blocks or math.inf
    founders = [
        one.to_dict()
        for one in anchors(
            config.space.build(),
            data.input_shape,
            len(data.classes),
            chosen.limits.max_macs,
            n_images=data.n_train + data.n_validation,
        )
        if len(one.blocks) <= most
    ]
    more = [one for one in founders if one not in given]
    population = chosen.population.model_copy(update={"founders": [*given, *more]})
    return chosen.model_copy(update={"population": population})


def require_room(config: SearchConfig, data: DataSummary) -> None:
    """Refuse limits that not even the smallest network is within.

    Raises:
        ConfigError: so they are.
    """
    plan = decode(smallest(config.space.build()), data.input_shape, len(data.classes))
    limits = config.limits
    for name, cost, limit in (
        ("max_macs", plan.n_macs, limits.max_macs),
        ("max_activation_bytes", plan.activation_bytes, limits.max_activation_bytes),
    ):
        if limit is not None and cost > limit:
            raise ConfigError(
                f"[limits] {name} must admit a network of the space, but the smallest has {cost} "
                f"on images of {'x'.join(map(str, data.input_shape))}, and got {name}={limit}; "
                "set it to auto"
            )


def with_sizes_of(config: SearchConfig, other: SearchConfig) -> SearchConfig:
    """Give the configuration with those of another for every setting that is ``auto``."""
    tables = {key: key.split(".") for key in config.auto}
    return _with(
        config, {key: getattr(getattr(other, table), name) for key, (table, name) in tables.items()}
    )


def _with(config: SearchConfig, sizes: Mapping[str, Any]) -> SearchConfig:
    changed: dict[str, Any] = {"auto": []}
    for key in config.auto:
        table, name = key.split(".")
        settings = changed.get(table, getattr(config, table))
        changed[table] = settings.model_copy(update={name: sizes[key]})
    return config.model_copy(update=changed)


def sizes_text(config: SearchConfig) -> str:
    """Say in words what a configuration's sizes are."""
    limits, lengths = config.limits, ", ".join(map(str, rung_lengths(config)))
    epochs = number_of(config.training.epochs, "epoch")
    parts = [
        f"{lengths} epochs" if "," in lengths else epochs,
        f"batches of {config.training.batch_size}",
    ]
    if limits.max_macs is not None:
        parts.append(f"networks of at most {count_text(limits.max_macs)} MACs an image")
    if limits.max_activation_bytes is not None:
        megabytes = limits.max_activation_bytes / 1e6
        parts.append(f"feature maps of at most {megabytes:.3g} MB")
    if limits.latency_ms is not None:
        parts.append(f"at most {limits.latency_ms:g} ms an image")
    n_founders = len(config.population.founders)
    if n_founders and config.strategy not in GENERATIONAL:
        parts.append(f"{number_of(n_founders, 'known network')} first")
    if config.final.epochs and config.final.committee > 1:
        parts.append(f"up to {config.final.committee} networks answer together")
    return ", ".join(parts)


def _batch_size(data: DataSummary, machine: Machine) -> int:
    """Give a power of two: small where steps are few, large where a GPU would wait.

    On a CPU steps of 64 images take hardly longer than those of 32, where networks are small, and
    two threads are worth it.
    """
    n = data.n_train
    wanted = (256 if n < 20_000 else 512 if n < 200_000 else 1024) if machine.has_gpu else 64
    return min(wanted, max(_LEAST_BATCH, _power_of_two(n / _STEPS)))


def _max_macs(config: SearchConfig, data: DataSummary, machine: Machine) -> int:
    """Give the MACs of a network that has enough passes in its share of the time."""
    seconds = config.final.time_fraction * (config.budget.seconds or _SECONDS)
    n_trained, passes = data.n_train + data.n_validation, _passes(data, machine)
    macs = _two_digits(machine.rate * seconds / (3 * passes * n_trained))
    _, height, width = data.input_shape
    useful = _two_digits(_MACS_PER_PIXEL * height * width)
    return max(min(macs, useful), _two_digits(_least_macs(data.input_shape)))


def _passes(data: DataSummary, machine: Machine) -> float:
    """Give the passes that the largest network allowed can have in its last training."""
    if machine.has_gpu:
        return _PASSES_ON_GPU
    fewest, most = _PASSES_ON_CPU
    return max(fewest, min(most, _SEEN_ON_CPU / (data.n_train + data.n_validation)))


def _epochs(config: SearchConfig, data: DataSummary, machine: Machine) -> int:
    """Give the epochs of the longest trainings in the search, within the budget of epochs."""
    epochs = min(_MOST_SEARCHED, round(_SEARCHED_SHARE * _passes(data, machine)))
    return min(epochs, config.budget.epochs or epochs)


def _final_epochs(config: SearchConfig, data: DataSummary, machine: Machine) -> int:
    """Give the most epochs of the winner's longer training; where time is limited, it decides."""
    if config.budget.seconds is None:
        return _UNTIMED_FINAL_EPOCHS
    fewest, most = _FINAL_EPOCHS
    seen = _SEEN_IN_FINAL_ON_GPU if machine.has_gpu else _SEEN_IN_FINAL
    return max(fewest, min(most, round(seen / (data.n_train + data.n_validation))))


def _committee(config: SearchConfig) -> int:
    """Give the networks that answer together, as far as there is time to train them longer.

    One where no time is limited, since each would take as long as the winner, and where somebody
    cares what a network costs.
    """
    is_timed = config.budget.seconds is not None and config.final.time_fraction > 0
    has_limit = config.limits.max_macs is not None and "limits.max_macs" not in config.auto
    costs_matter = has_limit or config.measures_latency or len(config.objectives) > 1
    return _MEMBERS if is_timed and not costs_matter else 1


def _least_macs(shape: tuple[int, int, int]) -> float:
    """Give the MACs of a small but sound network: 8 and 16 channels, pooled twice."""
    channels, height, width = shape
    pixels = height * width
    return 9 * pixels * (channels * 8 + 8 * 8 / 4 + 8 * 16 / 4 + 16 * 16 / 16)


def _max_activation_bytes(data: DataSummary, machine: Machine) -> int:
    _, height, width = data.input_shape
    channels = _CHANNELS_ON_GPU if machine.has_gpu else _CHANNELS_ON_CPU
    return max(2**21, _power_of_two(4 * channels * height * width))


def _two_digits(number: float) -> int:
    """Give the largest number of two digits and zeros that is no more than this one, at least 1."""
    unit = int(10 ** max(0, math.floor(math.log10(max(1.0, number))) - 1))
    return max(1, int(number // unit) * unit)


def _power_of_two(number: float) -> int:
    """Give the largest power of two that is no more than a number of at least 1, else 1."""
    return 1 << max(0, math.floor(math.log2(max(1.0, number))))
