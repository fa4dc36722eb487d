"""The longer trainings of a search's best networks, each scored once on the test images."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vlga.errors import SearchStopped
from vlga.execution.final_task import (
    Share,
    epochs_of_final,
    fewest_epochs,
    final_task,
    kept_seconds,
    n_together,
    seconds_of,
    share_of,
)
from vlga.execution.hold import RENEW_SECONDS
from vlga.execution.run import Run
from vlga.ports.candidate import Individual
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask, Trained
from vlga.ports.lease import Stop
from vlga.ports.ledger import SearchChanges
from vlga.ports.observer import FinalEnded, FinalStarted

__all__ = ["train_longer", "wait_for_final"]

#: Learning rates tried, as shares of the winner's own. Its own was good for a few epochs of rising
#: and falling; at the peak of a longer schedule a network without normalization may blow up.
_RATES = (1.0, 0.5, 0.25)
#: A share of the time for it that a longer training has used: the next epoch would not have fitted.
_FULL = 0.9


@dataclass(slots=True)
class _Training:
    """A longer training that is out, and what came of its attempts before.

    Attributes:
        individual: that is trained.
        task: as it was submitted at first.
        tried: outcomes of the attempts that have ended.
    """

    individual: Individual
    task: EvaluationTask
    tried: list[Trained] = field(default_factory=list)


def train_longer(run: Run, best: Sequence[Individual]) -> dict[int, Evaluation]:
    """Train a search's best networks on all training and validation images, and score each.

    An outcome, the search's test accuracy and its completion are recorded in one transaction: a
    process that dies before it leaves a search to resume, one that dies after it a complete one.
    A network whose outcome is in the ledger already is not trained again.

    Xiao et al. 2020 train their winner longer without saying how. Here it goes on from its trained
    layers, where the search kept them, with a schedule of its own: a network grown phase by phase
    need not be trainable from scratch. It has as many epochs as fit the share of the budget's time
    that the search left: expected by the winner's own (`epochs_of_final`), decided by those that it
    has had, since a machine may be busier than it was, or idler. In many epochs a square of each
    image is hidden, as `final.cutout` says (DeVries and Taylor 2017), and images are smaller in the
    first half, as `final.early_size` says (Tan and Le 2021).

    A training that ends no better than chance on its own training images, or diverges, is done
    again at half the learning rate, twice at most, in the time that is left, a winner alone no
    shorter than the search's longest trainings. If all three do, the one with the lowest training
    loss counts. The test images have no say in it.

    The members of a committee are trained likewise, the winner first, as many at a time as the
    machines have room for (`n_together`), in equal parts of that time. If the winner fails, those
    that have not begun are not trained. The search is then complete only when their mean is scored
    (ending.py).

    Args:
        run: of the search, which is over: its evaluator has nothing to do.
        best: the winner, and the other members of its committee, if there is to be one.

    Returns:
        The outcomes by candidate, in the ledger already. Their fitness is that on the test images,
        which nothing else has seen; they may have failed. Their time is that of all attempts.

    Raises:
        StoreError: one could not be recorded.
        SearchStopped: somebody asked for it before a training, or at once during one.
    """
    outcomes = _recorded(run, best)
    numbers = {one.id: number for number, one in enumerate(best, start=1)}
    waiting = deque(one for one in best if one.id not in outcomes)
    running = dict[int, _Training]()
    while waiting or running:
        may_begin = run.asked_to_stop() is None
        while may_begin and waiting and len(running) < n_together(run, len(best)):
            n_left = len(waiting)
            one = waiting.popleft()
            running[one.id] = _begin(run, one, numbers[one.id], len(best), n_left)
        if not running:
            raise SearchStopped("somebody asked the search to stop")
        for trained in wait_for_final(run):
            one = running[trained.evaluation.candidate_id].individual
            evaluation = _settle(run, running[one.id], trained, best)
            if evaluation is None:
                continue
            del running[one.id]
            outcomes[one.id] = evaluation
            if one.id == best[0].id and not evaluation.completed:
                waiting.clear()  # a committee is compared with its winner
    return outcomes


def _recorded(run: Run, best: Sequence[Individual]) -> dict[int, Evaluation]:
    """Give the outcomes that are in the ledger, and let it say what they come to."""
    outcomes: dict[int, Evaluation] = {}
    for one in best:
        recorded = _find_final(run, one, len(best))
        if recorded is None:
            continue
        outcomes[one.id] = recorded
        if changes := _changes(recorded, one, best):
            run.store.update_search(run.name, **changes)
    return outcomes


def _begin(run: Run, individual: Individual, number: int, n_members: int, n_left: int) -> _Training:
    """Submit a longer training, in its part of the time that is left.

    Args:
        run: of the search.
        individual: to train.
        number: of the member, from 1, which is the winner.
        n_members: of the committee; 1 without one.
        n_left: members that have not begun, this one included.
    """
    share = share_of(run, n_members, n_left)
    n_epochs = epochs_of_final(run, individual, share)
    task = final_task(run, individual, n_epochs, share)
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
    run.evaluator.submit(task)
    return _Training(individual, task)


def _settle(
    run: Run, training: _Training, trained: Trained, best: Sequence[Individual]
) -> Evaluation | None:
    """Record the outcome of a longer training; None if it is tried again, at a lower rate."""
    tried = training.tried
    tried.append(trained)
    if _blew_up(trained.evaluation, len(run.data.classes)):
        if len(tried) < len(_RATES):
            run.evaluator.submit(_again(training.task, _RATES[len(tried)], _seconds(tried)))
            return None
        tried.sort(key=_last_loss, reverse=True)
    weights = tried[-1].weights
    # A search that is resumed takes the time of longer trainings off its own.
    evaluation = replace(tried[-1].evaluation, train_seconds=_seconds(tried))
    files = [run.artifacts.save(weights, "final_weights")] if weights else []
    changes = _changes(evaluation, training.individual, best)
    changes["seconds"] = run.elapsed_seconds
    run.store.add_evaluations(run.name, [evaluation], files, is_final=True, **changes)
    run.observer(FinalEnded(training.individual, evaluation))
    return evaluation


def _changes(
    evaluation: Evaluation, individual: Individual, best: Sequence[Individual]
) -> SearchChanges:
    """Say what a longer training changes of its search."""
    changes: SearchChanges = {}
    if individual.id == best[0].id:
        changes["test_accuracy"] = evaluation.accuracy_on_test
    if len(best) == 1:
        changes["status"] = "completed"
    return changes


def wait_for_final(run: Run) -> Sequence[Trained]:
    """Wait until a task that is out has an outcome; there is at least one.

    Raises:
        SearchStopped: somebody asked for it, at once.
    """
    while not (ended := run.evaluator.wait(RENEW_SECONDS)):
        if run.asked_to_stop() is Stop.NOW:
            raise SearchStopped("somebody asked the search to stop at once")
    return ended


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
    share = Share(seconds, fewest=fewest_epochs(run, n_members))
    least = epochs_of_final(run, winner, share)
    most = run.config.final.epochs
    for one in run.store.final_trainings(run.name):
        is_long = one.epochs >= least or 0 < _FULL * seconds <= one.train_seconds
        if one.completed and one.candidate_id == winner.id and is_long and one.epochs <= most:
            return one
    return None
