"""The task of a winner's longer training: how many epochs it has, and on what images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vlga.execution.run import Run
from vlga.networks.phenotype import Plan, plan_of
from vlga.ports.candidate import Individual
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask, TimedEpochs, worthwhile_threads
from vlga.strategies.base import training_seed

__all__ = [
    "Share",
    "epochs_of_final",
    "fewest_epochs",
    "final_task",
    "kept_seconds",
    "n_rounds",
    "n_that_fit",
    "n_together",
    "seconds_had",
    "seconds_left",
    "seconds_of",
    "share_of",
]

#: Epochs from which on a square is hidden in each image, and images are smaller at first. A square,
#: on 2,000 photographs, 54 epochs, is worth 1.0 points in the mean of four (0.4 to 2.0), on 3,000
#: of Fashion-MNIST, 19 to 80 epochs, 0.16 of six (-0.1 to 0.6); in 18 on 10,000 of CIFAR-10 it cost
#: 1.5 (once). Jordan (2024, https://arxiv.org/abs/2404.00498) loses 0.4 in 20 epochs of CIFAR-10
#: and gains 0.1 in 40. On 1,900 photographs 31 epochs with both are worth 0.6 points more of four
#: networks than 24 plain ones in the same time (twice).
_MANY_EPOCHS = 30
#: Epochs that there must be time for, for each member of a committee. With 28 each, four are better
#: than two with twice as many (Fashion-MNIST), two with 28 as good as or better than four with 14
#: (CIFAR-10; tests/benchmarks/results/committee.txt).
_LEAST_EPOCHS = 20
#: Pixels of the shorter side from which on it is: of 8x8 digits two pixels are a part of a stroke,
#: 98.9 % with them hidden where it was 99.7 and 99.4 without (two searches of 90 s each). Of 28x28
#: it does no harm; what is between was not measured.
_CUTOUT_PIXELS = 16
#: Likewise from which on images are smaller at first. At 64x64, 1,600 photographs, equal CPU time
#: (54 epochs for 45), that is worth 2.2 points in the mean of three (1.0 to 3.3); on 5,000 of
#: CIFAR-10 -0.1 (-1.9 to 1.0), on 3,000 of Fashion-MNIST 0.3 (0.2 to 0.3), but for 8 and 12 % more
#: time (tests/benchmarks/results/early_size.txt).
_EARLY_PIXELS = 48


@dataclass(frozen=True, slots=True)
class Share:
    """What one longer training has of the end of a search.

    Attributes:
        seconds: that there are for it, if time is limited and some of it kept.
        together: longer trainings that share the machines, this one included.
        fewest: epochs that it has at least, however long they take.
        n_scores: times that there is to be time for scores: for its own, and for those members of a
            committee that it leaves time for, since they are scored again once all are trained.
    """

    seconds: float
    together: int = 1
    fewest: int = 1
    n_scores: float = 1.0


def share_of(run: Run, n_members: int, n_left: int) -> Share:
    """Give the share of the next longer training: as much as each that has not begun.

    Args:
        run: of the search.
        n_members: of the committee; 1 without one.
        n_left: members that have not begun.
    """
    together = n_together(run, n_members)
    rounds_left = math.ceil(n_left / together)
    kept = kept_seconds(run) * together / n_members
    # What the first took too long, since a worker had to start, the last make up for.
    least = kept if n_left > n_members - together else kept / 2
    seconds = max(least, seconds_left(run) / rounds_left)
    n_scores = 1 + n_members / rounds_left if n_members > 1 else 1.0
    return Share(seconds, together, fewest_epochs(run, n_members), n_scores)


def fewest_epochs(run: Run, n_members: int) -> int:
    """Give the epochs of a longer training at least: a member of a committee keeps to its time.

    A winner alone should not end with less than the search has taught it.
    """
    return run.config.training.epochs if n_members == 1 else 1


def epochs_of_final(run: Run, winner: Individual, share: Share) -> int:
    """Give the epochs to expect of a winner's longer training, by the time that its own took.

    `final.epochs` are the most, those of its share the least. Where no time is limited, or none of
    it is kept, there are the most. That a CPU training then has all the cores of a machine is
    counted on in part: half of its work is taken to be done by all of them at once.

    Args:
        run: of the search.
        winner: of the search, or another member of its committee.
        share: of it.
    """
    most = run.config.final.epochs
    per_epoch = _seconds_per_epoch(run, winner.evaluation, share.together)
    if not kept_seconds(run) or not per_epoch:
        return most
    n_plain, n_early = (
        min(most, max(share.fewest, math.floor(share.seconds / (per_epoch * _mean_cost(size)))))
        for size in (1.0, run.config.final.early_size)
    )
    return n_early if _early_size(run, winner, n_early) < 1 else n_plain


def seconds_of(run: Run, winner: Individual, task: EvaluationTask) -> float:
    """Give the time that a winner's longer training should take; 0 if nothing tells."""
    per_epoch = _seconds_per_epoch(run, winner.evaluation, task.n_together)
    return task.epochs * per_epoch * _mean_cost(task.early_size)


def _seconds_per_epoch(run: Run, own: Evaluation, together: int) -> float:
    """Give the time that an epoch of the longer training should take, of images of their own size.

    It is 0 if nothing tells.

    Args:
        run: of the search.
        own: the winner's training in the search.
        together: longer trainings that share the machines, this one included.
    """
    n_longer = (run.data.n_train + run.data.n_validation) / run.data.n_train
    return n_longer * own.train_seconds / own.epochs * _time_with_its_cores(run, own, together)


def _time_with_its_cores(run: Run, own: Evaluation, together: int) -> float:
    """Give the time of the longer training as a share of what it would take as the search trains.

    On a GPU it is 1.
    """
    machines, n_cpus = run.evaluator.machines, run.config.workers.cpus_per_evaluation
    if machines.n_gpus:
        return 1.0
    n_cores = run.evaluator.n_slots * n_cpus / max(1, machines.n_nodes, together)
    before, after = (
        worthwhile_threads(own.n_macs, run.config.training.batch_size, max(1, int(n)))
        for n in (n_cpus, n_cores)
    )
    return (1 + 1 / after) / (1 + 1 / before)


def kept_seconds(run: Run) -> float:
    """Give the time that is kept for a winner's longer training; 0 where none is."""
    return run.config.final.time_fraction * (run.config.budget.seconds or 0.0)


def seconds_left(run: Run) -> float:
    """Give what is left of the budget's time; a search ends when nothing more would end in time."""
    return (run.config.budget.seconds or 0.0) - run.elapsed_seconds


def n_together(run: Run, n_members: int) -> int:
    """Give how many of a committee are trained at a time, so that all have as much time.

    On a CPU two trainings side by side have more done than one on two cores (a second thread makes
    an epoch of a small network a third shorter: tests/benchmarks/results/threads.txt); a GPU has
    one at a time. It is the largest number that divides theirs, of those that there is room for.

    Args:
        run: of the search.
        n_members: of the committee; 1 without one.
    """
    n_gpus = run.evaluator.machines.n_gpus
    room = min(run.evaluator.n_slots, n_gpus or math.inf)
    return max(n for n in range(1, n_members + 1) if n_members % n == 0 and n <= max(1, room))


def n_rounds(run: Run) -> int:
    """Give how many longer trainings a search is to end with, one after another."""
    n_members = run.config.final.committee
    return n_members // n_together(run, n_members)


def seconds_had(run: Run) -> float:
    """Give the wall time of the longer trainings that are in the ledger, by an earlier end of it.

    As if they had been trained as many at a time as there is room for now.
    """
    finals = run.store.final_trainings(run.name)
    return sum(one.train_seconds for one in finals) / n_together(run, run.config.final.committee)


def n_that_fit(run: Run, best: Sequence[Individual]) -> int:
    """Give how many of a search's best networks there is time to train longer, at least 1.

    Each is to have a fair number of epochs, at the winner's speed: where passes over the images are
    few, another one is worth more than another network.

    Args:
        run: of the search.
        best: the winner and the other members of its committee, if there is to be one.
    """
    if not kept_seconds(run):
        return len(best)
    seconds = max(kept_seconds(run), seconds_left(run))
    for n in range(len(best), 1, -1):
        together = n_together(run, n)
        per_epoch = _seconds_per_epoch(run, best[0].evaluation, together)
        if seconds * together / n >= _LEAST_EPOCHS * per_epoch:
            return n
    return 1


def final_task(run: Run, winner: Individual, n_epochs: int, share: Share) -> EvaluationTask:
    """Say what is trained: the winner, from the weights that the search kept of it, if it did.

    Args:
        run: of the search.
        winner: of the search.
        n_epochs: to expect.
        share: of it.
    """
    kept = [
        one
        for one in run.store.artifacts(run.name)
        if (one.candidate_id, one.kind) == (winner.id, "weights")
    ]
    early_size = _early_size(run, winner, n_epochs)
    return EvaluationTask(
        candidate_id=winner.id,
        plan=_plan(run, winner),
        training=run.config.training.model_copy(
            update={"epochs": n_epochs, "label_smoothing": run.config.final.label_smoothing}
        ),
        seed=training_seed(run.config.seed, winner.candidate.fingerprint),
        weights=run.artifacts.load(kept[0]) if kept else None,
        is_final=True,
        n_together=share.together,
        timed=_timed(run, share, early_size),
        cutout=run.config.final.cutout if _pays(run, n_epochs, _CUTOUT_PIXELS) else 0.0,
        early_size=early_size,
        average_mirrored=run.config.averages_mirrored,
        fitness=run.config.fitness,
        keep_weights=True,
    )


def _timed(run: Run, share: Share, early_size: float) -> TimedEpochs | None:
    """Give what decides its epochs, if time does; windows are of an expected training."""
    most = run.config.final.epochs
    if not kept_seconds(run) or run.config.training.windows or share.fewest >= most:
        return None
    return TimedEpochs(share.seconds, share.fewest, most, _early_cost(early_size), share.n_scores)


def _pays(run: Run, n_epochs: int, n_pixels: int) -> bool:
    """Tell whether more than shifts and mirror images does: of many epochs, with so many pixels."""
    is_large = min(run.data.input_shape[1:]) >= n_pixels
    return is_large and n_epochs >= _MANY_EPOCHS and run.config.training.augment != "none"


def _early_size(run: Run, winner: Individual, n_epochs: int) -> float:
    """Give the side of the images in the first half, as a share; 1 where less does not pay.

    Nor where the last maps would have no pixel left: a network's pools halve what they get.
    """
    share = run.config.final.early_size
    works = _plan(run, winner).works_at(share)
    return share if works and _pays(run, n_epochs, _EARLY_PIXELS) else 1.0


def _plan(run: Run, winner: Individual) -> Plan:
    return plan_of(winner.candidate.genome, run.data.input_shape, len(run.data.classes))


def _early_cost(early_size: float) -> float:
    """Give what an epoch of smaller images takes, as a share: a convolution's work is its pixels'.

    Photographs of 64x64 take about that at 0.75 on a CPU. Where other work counts it is more, and
    a timed training has more epochs in the end than were expected in its first half.
    """
    return early_size**2


def _mean_cost(early_size: float) -> float:
    return (1 + _early_cost(early_size)) / 2
