"""The end of a search: its winner alone, or the mean of its best networks tested beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vlga.execution.final import train_longer, wait_for_final
from vlga.execution.final_task import n_that_fit
from vlga.execution.run import Run
from vlga.networks.phenotype import plan_of
from vlga.ports.candidate import Individual
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask, Member
from vlga.ports.ledger import Artifact, SearchChanges
from vlga.ports.observer import FewerFit
from vlga.strategies.base import training_seed

__all__ = ["Committee", "Final", "finish"]

#: Artifacts of this kind say who the members are; their files are those of the longer trainings.
_KIND = "committee_weights"


@dataclass(frozen=True, slots=True)
class Committee:
    """Networks whose probabilities are averaged.

    Attributes:
        members: ids of their candidates, rising, at least two.
        test_accuracy: of the mean, in [0, 1].
        test_fitness: likewise, of the search's kind.
        parameters: of all members together.
        macs: multiply-accumulates for one image, likewise.
        train_seconds: of their longer trainings, likewise.
    """

    members: tuple[int, ...]
    test_accuracy: float
    test_fitness: float
    parameters: int
    macs: int
    train_seconds: float


@dataclass(frozen=True, slots=True)
class Final:
    """What came of a search's longer trainings.

    Attributes:
        winner: outcome of the winner's, which may have failed.
        committee: None if there is to be none, or only one network could be trained.
    """

    winner: Evaluation
    committee: Committee | None = None


def finish(run: Run, best: Sequence[Individual]) -> Final:
    """Train a search's best networks longer, the winner first; score it, and the mean of all.

    Each training is in the ledger as soon as it ends. The search's test accuracy is the winner's
    from then on, and the committee's with its score, which completes the search. What is in the
    ledger already is not done again. Where time is limited, a committee has no more members than
    have time for a fair number of epochs each (`n_that_fit`).

    Args:
        run: of the search, which is over: its evaluator has nothing to do.
        best: the winner and the other members of its committee, if there is to be one.

    Raises:
        StoreError: something could not be recorded.
        SearchStopped: somebody asked for it before a training, or at once during it.
    """
    n_fitting = n_that_fit(run, best)
    if n_fitting < len(best):
        run.observer(FewerFit(n_fitting, len(best)))
    best = best[:n_fitting]
    outcomes = train_longer(run, best)
    winner = outcomes[best[0].id]
    members = [one for one in best if one.id in outcomes and outcomes[one.id].completed]
    if not winner.completed or len(members) < 2:
        _forget_committee(run)
        return Final(winner)
    scored = _score(run, members)
    if scored.fitness is None:
        return Final(winner)
    accuracy = scored.accuracy_on_test
    assert accuracy is not None
    ids = tuple(sorted(one.id for one in members))
    seconds = sum(outcomes[number].train_seconds for number in ids)
    cost = scored.n_parameters, scored.n_macs, seconds
    return Final(winner, Committee(ids, accuracy, scored.fitness, *cost))


def _score(run: Run, members: Sequence[Individual]) -> Evaluation:
    """Score the mean of the members on the test images, once, and record it."""
    artifacts = {(one.candidate_id, one.kind): one for one in run.store.artifacts(run.name)}
    files = [replace(artifacts[one.id, "final_weights"], kind=_KIND) for one in members]
    recorded = _find_score(run, files)
    if recorded is not None:
        accuracy = recorded.accuracy_on_test
        run.store.update_search(run.name, status="completed", test_accuracy=accuracy)
        return recorded
    _forget_committee(run)
    images = run.data.input_shape, len(run.data.classes)
    parts = tuple(
        Member(plan_of(one.candidate.genome, *images), run.artifacts.load(file))
        for one, file in zip(members, files, strict=True)
    )
    winner = members[0].candidate
    task = EvaluationTask(
        candidate_id=winner.id,
        plan=max((one.plan for one in parts), key=lambda plan: plan.n_macs),
        training=run.config.training,
        seed=training_seed(run.config.seed, winner.fingerprint),
        is_final=True,
        fitness=run.config.fitness,
        members=parts,
    )
    run.evaluator.submit(task)
    evaluation = wait_for_final(run)[0].evaluation
    changes: SearchChanges = {"status": "completed", "seconds": run.elapsed_seconds}
    if evaluation.completed:
        changes["test_accuracy"] = evaluation.accuracy_on_test
    files = files if evaluation.completed else []
    run.store.add_evaluations(run.name, [evaluation], files, is_final=True, **changes)
    return evaluation


def _find_score(run: Run, files: Sequence[Artifact]) -> Evaluation | None:
    """Give the score of just these trained networks from the ledger."""
    recorded = [one for one in run.store.artifacts(run.name) if one.kind == _KIND]
    if sorted(recorded, key=_number) != sorted(files, key=_number):
        return None
    finals = run.store.final_trainings(run.name)
    return [one for one in finals if one.completed and not one.epochs][-1]


def _forget_committee(run: Run) -> None:
    """Let the ledger name nobody any more as a member of the committee of an earlier end."""
    ids = [one.candidate_id for one in run.store.artifacts(run.name) if one.kind == _KIND]
    if ids:
        run.store.remove_artifacts(run.name, ids, _KIND)


def _number(artifact: Artifact) -> int:
    return artifact.candidate_id
