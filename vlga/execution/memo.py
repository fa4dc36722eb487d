"""Outcomes known before a training: of equal candidates of this search, and from other searches.

Within a search equal candidates are one network, which is trained once and paid for once. What
another search of the database recorded is taken as a training of this one that took no time: it
counts on the budget, so that what a search finds does not depend on what else its database holds.
Where latency matters nothing is taken: it may have been measured on another machine, or not at all.
(A steady state's course depends on who ends first, and what is known ends at once.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from vlga import __version__
from vlga.execution.inheritance import Inheritance
from vlga.execution.run import Run
from vlga.execution.task import epochs_of
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import REPEATABLE_FAILURES, Evaluation, Source
from vlga.ports.ledger import KnownOutcome
from vlga.strategies import Strategy

__all__ = ["Memo"]


class Memo:
    """What is known of the candidates of one search, and which wait for an equal one's training."""

    def __init__(self, run: Run, strategy: Strategy, inheritance: Inheritance) -> None:
        training = run.config.training
        common = {
            "data": run.data.fingerprint,
            "fitness": run.config.fitness,
            "training": training.model_dump(mode="json", exclude={"epochs", "reuse"}),
            "scores_test": strategy.scores_test,
            "vlga": __version__,
        }
        self._common = hashlib.sha256(json.dumps(common, sort_keys=True).encode())
        self._config = run.config
        self._reads_others = training.reuse and not run.config.measures_latency
        self._strategy = strategy
        self._store = run.store
        self._inheritance = inheritance
        self._own: dict[str, Evaluation] = {}
        self._others: dict[int, KnownOutcome] = {}
        self._twins: dict[str, list[Candidate]] = {}

    def key(self, candidate: Candidate) -> str:
        """Give 32 hexadecimal digits, equal exactly for trainings that give the same outcome.

        They are of the network with its optimizer, the images, the settings, the epochs, the seed,
        the weights that it inherits and the version of vlga; not of the machine.
        """
        number = candidate.weights_from
        parent = self._inheritance.parent_of(candidate)
        parts = (
            candidate.fingerprint,
            epochs_of(candidate, self._config),
            self._strategy.training_seed(candidate),
            None if number is None else self._inheritance.checksum(number),
            None if parent is None else json.dumps(parent.to_dict()),
        )
        digest = self._common.copy()
        digest.update(repr(parts).encode())
        return digest.hexdigest()[:32]

    def begin(self, key: str) -> None:
        """Note that a training has begun; from now on equal candidates wait for it."""
        self._twins[key] = []

    def waits(self, candidate: Candidate, key: str) -> bool:
        """Let a candidate wait for an equal training that has begun; tell whether one has."""
        if key not in self._twins:
            return False
        self._twins[key].append(candidate)
        return True

    def end(self, key: str) -> tuple[Sequence[Candidate], Evaluation | None]:
        """Give who waited for a training that has ended, and the outcome if it is theirs too."""
        return self._twins.pop(key), self.own(key)

    def give_up(self, key: str) -> None:
        """Forget a training that will not begin, and who waited for it."""
        del self._twins[key]

    @property
    def waiting(self) -> Iterator[Candidate]:
        """Every candidate that waits for an equal one."""
        return chain.from_iterable(self._twins.values())

    def learn(self, evaluation: Evaluation) -> None:
        """Remember an outcome of this search by its key, if it holds for equal trainings too."""
        if evaluation.completed or evaluation.reason in REPEATABLE_FAILURES:
            assert evaluation.training_key is not None
            self._own[evaluation.training_key] = replace(
                evaluation, curve=(), train_seconds=0.0, source=Source.EQUAL_CANDIDATE
            )

    def own(self, key: str) -> Evaluation | None:
        """Give the outcome of an equal training of this search, as one that cost nothing.

        It has no curve, and is of the candidate that was trained. Where others may inherit its
        weights and they are kept no longer, it has to be trained for again.
        """
        outcome = self._own.get(key)
        return outcome if outcome and self._inheritance.may_share(outcome) else None

    def look_up(self, candidates: Sequence[Candidate]) -> None:
        """Read what other searches know of candidates, whose parents' outcomes are told."""
        if not self._reads_others or not candidates:
            return
        keys = {one.id: self.key(one) for one in candidates}
        known = self._store.known_outcomes([*set(keys.values())])
        self._others |= {number: known[key] for number, key in keys.items() if key in known}

    def take(self, candidate: Candidate) -> KnownOutcome | None:
        """Give what `look_up` found for a candidate, as that candidate's, once."""
        known = self._others.pop(candidate.id, None)
        if known is None:
            return None
        outcome = replace(
            known.evaluation,
            candidate_id=candidate.id,
            train_seconds=0.0,
            source=Source.OTHER_SEARCH,
        )
        return replace(known, evaluation=outcome)
