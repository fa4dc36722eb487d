"""The longer training of a winner or a member of its committee, scored once on the test images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from vlga.errors import SearchStopped
from vlga.execution.final_task import (
    epochs_of_final,
    final_task,
    kept_seconds,
    seconds_left,
    seconds_of,
)
from vlga.execution.hold import RENEW_SECONDS
from vlga.execution.run import Run
from vlga.ports.candidate import Individual
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask, Trained
from vlga.ports.lease import Stop
from vlga.ports.ledger import SearchChanges
from vlga.ports.observer import FinalEnded, FinalStarted

__all__ = ["run_final_task", "train_longer"]

#: Learning rates tried, as shares of the winner's own. Its own was good for a few epochs of rising
#: and falling; at the peak of a longer schedule a network without normalization may blow up.
_RATES = (1.0, 0.5, 0.25)
#: A share of the time for it that a longer training has used: the next epoch would not have fitted.
_FULL = 0.9


def train_longer(
    run: Run, individual: Individual, *, number: int = 1, n_members: int = 1
) -> Evaluation:
    """Train a winner on all training and validation images, score it, save its weights.

    The outcome, the search's test accuracy and its completion are recorded in one transaction: a
    process that dies before it leaves a search to resume, one that dies after it a complete one.
    A winner whose outcome is in the ledger already is not trained again.

    Xiao et al. 2020 train their winner longer without saying how. Here it goes on from its trained
    layers, where the search kept them, with a schedule of its own: a network grown phase by phase
    need not be trainable from scratch. It has as many epochs as fit the share of the budget's time
    that the search left: expected by the winner's own (`epochs_of_final`), decided by those that it
    has had, since a machine may be busier than it was, or idler. In many epochs a square of each
    image is hidden, as `final.cutout` says (DeVries and Taylor 2017), and images are smaller in the
    first half, as `final.early_size` says (Tan and Le 2021).

    A training that ends no better than chance on its own training images, or diverges, is done
    again at half the learning rate, twice at most, in the time that is left but no shorter than the
    search's longest trainings. If all three do, the one with the lowest training loss counts. The
    test images have no say in it.

    The members of a committee are trained likewise, the winner first, in equal parts of that time.
    The search is then complete only when they are scored (ending.py), and its test accuracy
    remains the winner's.

    Args:
        run: of the search, which is over: its evaluator has nothing to do.
        individual: the winner, or another member of its committee.
        number: of the member, from 1, which is the winner.
        n_members: of the committee; 1 without one.

    Returns:
        The outcome, in the ledger already. Its fitness is that on the test images, which nothing
        else has seen; it may have failed. Its time is that of all attempts.

    Raises:
        StoreError: it could not be recorded.
        SearchStopped: somebody asked for it before the training, or at once during it.
    """
    recorded = _find_final(run, individual, n_members)
    if recorded is not None:
        if changes := _changes(recorded, number, n_members):
            run.store.update_search(run.name, **changes)
        return recorded
    if run.asked_to_stop() is not None:
        raise SearchStopped("somebody asked the search to stop")
    n_left = n_members - number + 1
    seconds = max(kept_seconds(run) / n_members, seconds_left(run) / n_left)
    n_epochs = epochs_of_final(run, individual, seconds)
    task = final_task(run, individual, n_epochs, seconds)
    started = FinalStarted(
        individual,
        n_epochs,
        seconds_of(run, individual, task) or None,
        number,
        n_members,
        hides_squares=task.cutout > 0,
        early_size=task.early_size,
        is_timed=task.timed is not None,
    )
    run.observer(started)
    tried: list[Trained] = []
    for rate in _RATES:
        tried.append(run_final_task(run, _again(task, rate, _seconds(tried))))
        if not _blew_up(tried[-1].evaluation, len(run.data.classes)):
            break
    else:
        tried.sort(key=_last_loss, reverse=True)
    weights = tried[-1].weights
    # A search that is resumed takes the time of longer trainings off its own.
    evaluation = replace(tried[-1].evaluation, train_seconds=_seconds(tried))
    files = [run.artifacts.save(weights, "final_weights")] if weights else []
    changes = _changes(evaluation, number, n_members)
    changes["seconds"] = run.elapsed_seconds
    run.store.add_evaluations(run.name, [evaluation], files, is_final=True, **changes)
    run.observer(FinalEnded(individual, evaluation))
    return evaluation


def _changes(evaluation: Evaluation, number: int, n_members: int) -> SearchChanges:
    """Say what a longer training changes of its search."""
    changes: SearchChanges = {}
    if number == 1:
        changes["test_accuracy"] = evaluation.accuracy_on_test
    if n_members == 1:
        changes["status"] = "completed"
    return changes


def run_final_task(run: Run, task: EvaluationTask) -> Trained:
    """Wait for the outcome of the only task that is out.

    Raises:
        SearchStopped: somebody asked for it, at once.
    """
    run.evaluator.submit(task)
    while not (ended := run.evaluator.wait(RENEW_SECONDS)):
        if run.asked_to_stop() is Stop.NOW:
            raise SearchStopped("somebody asked the search to stop at once")
    (trained,) = ended
    return trained


def _again(task: EvaluationTask, rate: float, spent_seconds: float) -> EvaluationTask:
    """Give the task at a share of its learning rate, with so much less time."""
    optimizer, timed = task.plan.optimizer, task.timed
    slower = replace(optimizer, learning_rate=rate * optimizer.learning_rate)
    if timed is not None:
        timed = replace(timed, seconds=max(0.0, timed.seconds - spent_seconds))
    return replace(task, plan=replace(task.plan, optimizer=slower), timed=timed)


def _seconds(trainings: Sequence[Trained]) -> float:
    return sum(one.evaluation.train_seconds for one in trainings)


def _blew_up(evaluation: Evaluation, n_classes: int) -> bool:
    """Tell whether a training lost what the network knew.

    Its loss ends at chance or above, and above where it began; one epoch alone may be at chance.
    """
    if evaluation.reason is FailureReason.DIVERGED:
        return True
    losses = [point.train_loss for point in evaluation.curve]
    return len(losses) > 1 and losses[-1] > max(losses[0], math.log(n_classes))


def _last_loss(trained: Trained) -> float:
    """Give the training loss that a training ended with, infinite if it did not complete."""
    evaluation = trained.evaluation
    has_loss = evaluation.completed and evaluation.curve
    return evaluation.curve[-1].train_loss if has_loss else math.inf


def _find_final(run: Run, winner: Individual, n_members: int) -> Evaluation | None:
    """Give a network's longer training from the ledger, if it completed and was long enough.

    By the epochs to expect in the time that is kept for it, or by that time.
    """
    seconds = kept_seconds(run) / n_members
    least, most = epochs_of_final(run, winner, seconds), run.config.final.epochs
    for one in run.store.final_trainings(run.name):
        is_long = one.epochs >= least or 0 < _FULL * seconds <= one.train_seconds
        if one.completed and one.candidate_id == winner.id and is_long and one.epochs <= most:
            return one
    return None
