"""Reading the images that a configuration asks for, and making what trains on them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from vlga.config.settings import SearchConfig, WorkersConfig
from vlga.errors import DataError, EvaluatorError
from vlga.ports.data import DataSummary
from vlga.ports.evaluator import Evaluator
from vlga.ports.rivals import Rivals

if TYPE_CHECKING:
    from workers.data.dataset import Dataset
    from workers.rivals import BackgroundRivals

__all__ = ["finding_rivals", "load_data", "make_evaluator", "say_if_uneven", "with_image_size"]

logger = logging.getLogger(__name__)

#: Classes are uneven if the largest has more than so many times the images of the smallest.
_UNEVEN = 3


def load_data(config: SearchConfig) -> Dataset:
    """Read the data set that the settings ask for, and say how one's own images are trained on.

    Raises:
        DataError: it cannot be read.
    """
    from workers.data import is_known, load_dataset

    dataset = load_dataset(config.data)
    if config.training.augment == "auto" and not is_known(config.data.name):
        does, change = ("mirrors", "crop") if dataset.may_mirror else ("never mirrors", "crop_flip")
        logger.info(
            "%s: training shifts images a little and %s them; change with "
            "--set training.augment=%s",
            *(dataset.name, does, change),
        )
    augment = config.training.augment
    mirrors = augment == "crop_flip" or (augment == "auto" and dataset.may_mirror)
    if mirrors and config.averages_mirrored and config.final.epochs:
        logger.info(
            "%s: the winner answers with the mean for an image and for its mirror image; change "
            "with --set final.average_mirrored=false",
            dataset.name,
        )
    return dataset


def say_if_uneven(config: SearchConfig, name: str, counts: Sequence[int]) -> None:
    """Name the settings that mind classes of very different size, if none of them is used.

    Args:
        config: of the search.
        name: of the data set.
        counts: training images of each class, at least one.
    """
    times = max(counts) / min(counts)
    if times > _UNEVEN and (config.fitness, config.training.class_weights) == ("accuracy", "none"):
        logger.info(
            "%s: the largest class has %.0f times the images of the smallest, of which accuracy "
            "says little; --set fitness=balanced_accuracy counts all classes alike, and "
            "--set training.class_weights=balanced trains them alike",
            *(name, times),
        )


def with_image_size(config: SearchConfig, data: DataSummary) -> SearchConfig:
    """Give the configuration with the size that a folder's images were brought to.

    Stored so, it stays the size of the search on a machine that would choose another.
    """
    from workers.data import is_image_folder

    if config.data.image_size != "auto" or not is_image_folder(config.data.name):
        return config
    size = {"image_size": [*data.input_shape[1:]]}
    return config.model_copy(update={"data": config.data.model_copy(update=size)})


@contextmanager
def finding_rivals(
    config: SearchConfig, dataset: Dataset, known: Rivals | None = None
) -> Iterator[BackgroundRivals | None]:
    """Compute what simple methods reach during the block, unless no winner will be tested.

    Args:
        config: of the search.
        dataset: its images; only few are kept.
        known: what an earlier run of the search has computed; nothing is then.
    """
    if known is not None or not config.final.epochs:
        del dataset  # this frame lives as long as the block
        yield None
        return
    from workers.rivals import BackgroundRivals

    needs_probabilities = config.fitness == "log_loss"  # which simple methods do not give
    rivals = BackgroundRivals(dataset, "accuracy" if needs_probabilities else config.fitness)
    del dataset
    with closing(rivals):
        yield rivals


def make_evaluator(
    config: SearchConfig, dataset: Dataset, again: Callable[[], Dataset] | None = None
) -> Evaluator:
    """Give the evaluator that the settings ask for; it repeats what failed by no network's fault.

    An evaluator on Ray has its own copy of the images, which the workers of a machine share. A
    caller that drops the data set afterwards has the images in memory once instead of twice.

    Args:
        config: of the search.
        dataset: its images.
        again: gives them once more, for a cluster that was restarted; if None, they are read.
    """
    from workers.evaluators.patient import PatientEvaluator

    return PatientEvaluator(
        _training_evaluator(config.workers, dataset),
        partial(_evaluator_again, config, dataset.summary(), again or partial(load_data, config)),
    )


def _evaluator_again(
    config: SearchConfig, data: DataSummary, again: Callable[[], Dataset]
) -> Evaluator:
    """Give another evaluator on the same images. Raises `DataError` if they have changed."""
    dataset = again()
    if dataset.summary() != data:
        raise DataError(
            f"the images of {data.name!r} must be those that the search began with, but they have "
            "changed since; bring them back and resume the search"
        )
    return _training_evaluator(config.workers, dataset)


def _training_evaluator(workers: WorkersConfig, dataset: Dataset) -> Evaluator:
    """Give what trains; torch and Ray are loaded only now.

    Raises:
        EvaluatorError: a training is to have more CPUs than there are, or as the evaluators.
    """
    if workers.inline:
        from workers.evaluators.inline import InlineEvaluator, has_gpu

        n_cpus = os.cpu_count() or 1
        if workers.cpus_per_evaluation > n_cpus:
            raise EvaluatorError(
                f"--cpus-per-evaluation must be at most {n_cpus}, as this machine has, with "
                f"--inline, but got {workers.cpus_per_evaluation:g}"
            )
        gpus = workers.gpus_per_evaluation
        return InlineEvaluator(
            dataset,
            use_gpu=has_gpu() if gpus == "auto" else gpus > 0,
            n_threads=max(1, int(workers.cpus_per_evaluation)),
        )
    from workers.evaluators.on_ray import RayEvaluator

    return RayEvaluator(
        dataset,
        address=workers.address,
        n_workers=workers.workers,
        cpus_per_evaluation=workers.cpus_per_evaluation,
        gpus_per_evaluation=workers.gpus_per_evaluation,
    )
