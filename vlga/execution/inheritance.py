"""Trained weights on their way from one candidate to another: whose are kept, who inherits what.

Which of a child's layers inherit from which of its parent's is a pure function of the two networks;
the weights themselves are files that the ledger names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from vlga.errors import StoreError
from vlga.execution.run import Run
from vlga.genetics.genome import Genome
from vlga.networks.plan import NetworkPlan
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import Layers, Trained, Weights
from vlga.ports.ledger import Artifact, KnownOutcome
from vlga.strategies.base import Inherits

__all__ = ["Inheritance", "shared_layers"]

#: Files deleted at a time, in one transaction: not every evaluation shall write twice.
_N_PRUNED = 16


def shared_layers(child: NetworkPlan, parent: NetworkPlan) -> Layers:
    """Say which of a child's layers are which of its parent's: stem, blocks, and the classifier.

    Blocks that both begin with are the same; what follows is counted from the end. A block inserted
    or removed anywhere thus leaves every other block with its own weights, and of networks of one
    length each block inherits from the block at its place. Where a layer's shape has changed, its
    weights are not copied (workers/networks/weights.py).
    """
    lengths = len(child.blocks), len(parent.blocks)
    n_same = 0
    while n_same < min(lengths) and child.blocks[n_same] == parent.blocks[n_same]:
        n_same += 1
    n_last = min(lengths) - n_same
    pairs = [(index, index) for index in range(n_same)]
    pairs += [(lengths[0] - n, lengths[1] - n) for n in range(n_last, 0, -1)]
    return (
        *((("stem", "stem"),) if child.stem and parent.stem else ()),
        *((f"blocks.{own}", f"blocks.{theirs}") for own, theirs in pairs),
        ("classifier", "classifier"),
    )


class Inheritance:
    """Keeps the weights of one search's candidates that others may inherit, and gives them.

    The driver calls `save` with what has ended before it is recorded, `note` with what an earlier
    run recorded, and `remember` with every individual.
    """

    def __init__(self, run: Run, inherits: Inherits) -> None:
        self.inherits: Inherits = inherits if run.config.training.inherit_weights else "nothing"
        self._n_kept = run.config.limits.weight_files
        self._search = run.name
        self._store = run.store
        self._artifacts = run.artifacts
        self._best_ranks: dict[int, tuple[float, int]] = {}
        self._files: dict[int, Artifact] = {}
        if self.inherits != "nothing":
            recorded = run.store.artifacts(run.name)
            self._files |= {one.candidate_id: one for one in recorded if one.kind == "weights"}
        self._fitnesses: dict[int, float] = {}
        self._genomes: dict[int, Genome] = {}
        self._last: Weights | None = None

    def save(self, ended: Sequence[tuple[Candidate, Trained]]) -> list[Artifact]:
        """Write the weights that may be inherited: all, or those of each phase's best so far."""
        files = []
        for candidate, trained in ended:
            if self.note(candidate, trained.evaluation) and trained.weights is not None:
                files.append(self._artifacts.save(trained.weights, "weights"))
        self._files |= {file.candidate_id: file for file in files}
        return files

    def note(self, candidate: Candidate, evaluation: Evaluation) -> bool:
        """Tell whether others may inherit an outcome's weights.

        Of a phase's best so far, of equals the one made first: a later phase inherits those.
        """
        may = self._may_be_inherited(candidate, evaluation)
        if may and evaluation.fitness is not None and self.inherits == "phase_best":
            self._best_ranks[candidate.phase] = evaluation.fitness, -candidate.id
        return may

    def least_fitness(self, phase: int) -> float:
        """Give the fitness below which nobody of a phase will hand weights on, whatever ends."""
        return self._best_ranks.get(phase, (0.0, 0))[0]

    def adopt(self, candidate: Candidate, known: KnownOutcome) -> list[Artifact] | None:
        """Keep the weights of another search's equal training as the candidate's own.

        Returns:
            The file; nothing if no network may inherit them; None if they no longer exist.
        """
        if not self._may_be_inherited(candidate, known.evaluation):
            return []
        if known.weights is None:
            return None
        try:
            weights = self._artifacts.load(known.weights)
        except StoreError:  # the other search's files may be gone, and it deleted
            return None
        self.note(candidate, known.evaluation)
        file = self._artifacts.save(replace(weights, candidate_id=candidate.id), "weights")
        self._files[candidate.id] = file
        return [file]

    def may_share(self, outcome: Evaluation) -> bool:
        """Tell whether an equal candidate may take an outcome over, with weights to inherit."""
        return (
            self.inherits != "parent"
            or not outcome.completed
            or outcome.candidate_id in self._files
        )

    def share(self, outcome: Evaluation, twins: Sequence[Candidate]) -> list[Artifact]:
        """Give candidates that took over an outcome its weights too: any may become a parent."""
        if self.inherits != "parent" or not outcome.completed:
            return []
        files = [replace(self._file(outcome.candidate_id), candidate_id=one.id) for one in twins]
        self._files |= {file.candidate_id: file for file in files}
        return files

    def remember(self, individual: Candidate, fitness: float) -> None:
        """Keep what an individual looks like, for its children, and how much its file is worth."""
        if individual.id in self._files:
            self._fitnesses[individual.id] = fitness
        if self.inherits == "parent" and isinstance(individual.genome, Genome):
            self._genomes[individual.id] = individual.genome

    def parent_of(self, candidate: Candidate) -> Genome | None:
        """Give the genome whose layers must be found in the candidate's, if it is not a prefix."""
        if candidate.weights_from is None or self.inherits != "parent":
            return None
        return self._genomes.get(candidate.weights_from)

    def weights_of(self, candidate_id: int | None) -> Weights | None:
        """Give a candidate's trained weights, read once for all that inherit them in a row.

        Raises:
            StoreError: the ledger does not name them, or their file is gone or changed.
        """
        if candidate_id is None:
            return None
        if self._last is None or self._last.candidate_id != candidate_id:
            self._last = self._artifacts.load(self._file(candidate_id))
        return self._last

    def prune(self, parents: Callable[[], Iterable[int | None]]) -> None:
        """Delete files of weights that are not among the fittest and that nobody will inherit.

        Several at a time, rows first: the ledger never names a missing file.

        Args:
            parents: gives the candidates whose weights are inherited yet, beside each phase's best;
                asked only where there is something to delete.
        """
        if len(self._fitnesses) < self._n_kept + _N_PRUNED:
            return
        needed = {*parents(), *(-number for _, number in self._best_ranks.values())}
        ranked = sorted(self._fitnesses, key=lambda one: (self._fitnesses[one], -one), reverse=True)
        dropped = [number for number in ranked[self._n_kept :] if number not in needed]
        if len(dropped) < _N_PRUNED:
            return
        self._store.remove_artifacts(self._search, dropped, "weights")
        paths = {self._files.pop(number).path for number in dropped}
        for number in dropped:
            del self._fitnesses[number]
            self._genomes.pop(number, None)
        for path in paths - {file.path for file in self._files.values()}:
            self._artifacts.remove(path)

    def checksum(self, candidate_id: int) -> str:
        """Tell a candidate's trained weights from others, by contents while they are kept."""
        file = self._files.get(candidate_id)
        return f"of {candidate_id}" if file is None else file.sha256

    def _may_be_inherited(self, candidate: Candidate, evaluation: Evaluation) -> bool:
        if evaluation.fitness is None or self.inherits != "phase_best":
            return evaluation.completed and self.inherits == "parent"
        best = self._best_ranks.get(candidate.phase)
        return best is None or (evaluation.fitness, -candidate.id) > best

    def _file(self, candidate_id: int) -> Artifact:
        if candidate_id not in self._files:
            raise StoreError(
                f"the weights of candidate {candidate_id} must be in the ledger for others to "
                "inherit them, but are not; start the search anew under another name"
            )
        return self._files[candidate_id]
