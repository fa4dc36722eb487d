"""The search loop: ask, evaluate, record, tell, until the strategy or the budget ends it.

One trip: `Strategy.ask` -> `Evaluator.submit` -> `Evaluator.wait` -> `Ledger.add_evaluations` (one
transaction) -> `Strategy.tell`. A search is resumed by running it again: strategies depend only on
what they are told, so what is recorded is told instead of trained for, and the rest follows. (A
steady state depends on the order too, and is told what is recorded first of all.)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from vlga.config.settings import SearchConfig
from vlga.errors import SearchStopped, TooManyFailures
from vlga.ports.candidate import Candidate, Individual
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation, Source
from vlga.ports.evaluator import Evaluator
from vlga.ports.lease import Stop
from vlga.ports.ledger import Ledger
from vlga.ports.observer import (
    Evaluated,
    GenerationEnded,
    Observer,
    Recalled,
    Updated,
)
from vlga.search.artifacts import ArtifactFolder
from vlga.search.budget import Budget
from vlga.search.failures import Failures
from vlga.search.hold import RENEW_SECONDS
from vlga.search.inheritance import Inheritance
from vlga.search.memo import Memo
from vlga.search.progress import Tally
from vlga.search.task import costliest_first, make_task
from vlga.strategies import SteadyState, Strategy, make_strategy

__all__ = ["Search"]

#: Candidates asked for, and entered into the ledger in one transaction, at a time; and of one
#: generation, which is best ordered whole.
_MAX_ASKED, _MAX_OF_GENERATION = 64, 4096
#: Tasks out beyond those that run, so that no worker waits while the driver records and decides;
#: and what ends meanwhile is recorded together.
_N_SPARE = 16


class Search:
    """One search, entered in the store already: `run` it, once.

    Everything finished is in the store before the strategy hears of it, so the process may die at
    any moment. After any exception, Ctrl-C included, what has ended by then is recorded first.
    `asked_to_stop` is called every few seconds: `Tenure.check` of a search that is held.
    """

    def __init__(
        self,
        name: str,
        config: SearchConfig,
        data: DataSummary,
        *,
        evaluator: Evaluator,
        store: Ledger,
        artifacts: ArtifactFolder,
        observer: Observer,
        seconds_before: float = 0.0,
        seconds_of_finals: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        asked_to_stop: Callable[[], Stop | None] = lambda: None,
    ) -> None:
        self.strategy: Strategy = make_strategy(config, data.input_shape, len(data.classes))
        self._name = name
        self._config = config
        self._data = data
        self._evaluator = evaluator
        self._store = store
        self._observer = observer
        self._clock = clock
        self._asked_to_stop = asked_to_stop
        self._drains = False
        self._started = clock() - seconds_before
        self._budget = Budget(config, lambda: self.elapsed_seconds - seconds_of_finals)
        self._recorded: dict[int, Evaluation] = {}
        self._asked: deque[Candidate] = deque()
        self._out: dict[int, tuple[Candidate, str]] = {}
        self._twins: dict[str, list[Candidate]] = {}
        self._inheritance = Inheritance(
            name,
            self.strategy.inherits if config.training.inherit_weights else "nothing",
            store=store,
            artifacts=artifacts,
            n_kept=config.limits.weight_files,
        )
        self._memo = Memo(
            self.strategy, config.training, data, store=store, inheritance=self._inheritance
        )
        self._best_id: int | None = None
        self._n_logged = 0
        self._failures = Failures(config.limits.max_failures_in_a_row)
        self._tally = Tally(
            self.strategy, evaluator, self._budget, self._failures, lambda: self.elapsed_seconds
        )

    @property
    def elapsed_seconds(self) -> float:
        """Wall time since the search began, earlier runs of it included."""
        return self._clock() - self._started

    def run(self) -> Individual:
        """Search until the strategy or the budget ends it; give the fittest individual.

        Raises:
            TooManyFailures: nothing completed, or too many failed in a row.
            StoreError: an outcome could not be recorded.
            LeaseLost: another process has taken the search over.
            SearchStopped: somebody asked for it.
        """
        self._recorded = {one.candidate_id: one for one in self._store.evaluations(self._name)}
        try:
            if isinstance(self.strategy, SteadyState):
                self._recall(self.strategy)
            while self._supply():
                left = self._budget.seconds_left
                self._collect(RENEW_SECONDS if left is None else min(left, RENEW_SECONDS))
                self._failures.check()
            if self._drains:
                raise SearchStopped("somebody asked the search to stop")
        finally:
            try:
                # Also after Ctrl-C or a failure: what has ended by now is worth as much as before.
                self._collect(timeout_seconds=0)
            finally:
                self._evaluator.cancel()
            self._store.update_search(self._name, seconds=self.elapsed_seconds)
        self._note_best()
        if self.strategy.best is None:
            raise TooManyFailures(f"no network could be trained: {self._failures.last_reasons}")
        return self.strategy.best

    def _recall(self, strategy: SteadyState) -> None:
        """Tell a strategy what an earlier run recorded, in that order; what it left comes next."""
        candidates = self._store.candidates(self._name)
        strategy.recall(candidates)
        self._asked.extend(one for one in candidates if one.id not in self._recorded)
        for number in [*self._recorded]:  # in the order of recording
            self._start(candidates[number])
        self._memo.look_up([*self._asked])

    @property
    def _room(self) -> int:
        """How many more tasks may be out now.

        A steady state's candidates are made from what is known: none is asked for in advance.
        """
        n_spare = 0 if isinstance(self.strategy, SteadyState) else _N_SPARE
        return self._evaluator.n_slots + n_spare - len(self._out)

    def _supply(self) -> bool:
        """Keep the workers supplied; false when nothing is left to wait for."""
        while not self._must_drain() and self._room > 0:
            # What is recorded is told also when the time is over: the winner may be among it.
            if self._budget.spent and not self._recorded:
                break
            if not self._asked:
                self._ask()
            if not self._asked:
                break
            candidate = self._asked.popleft()
            if candidate.id in self._recorded or not self._budget.spent:
                self._start(candidate)
        self._observer(Updated(self._tally.progress(len(self._out))))
        return bool(self._out) and self._budget.seconds_left != 0

    def _must_drain(self) -> bool:
        """Tell whether nothing may start any more because somebody asked for a stop."""
        asked = self._asked_to_stop()
        if asked is Stop.NOW:
            raise SearchStopped("somebody asked the search to stop at once")
        if asked is Stop.DRAIN and not self._drains:
            self._drains = True
            for number in self._evaluator.drain():
                del self._twins[self._out.pop(number)[1]]
        return self._drains

    def _ask(self) -> None:
        """Ask the strategy for candidates and enter them."""
        left = self._budget.trainings_left
        waits = self.strategy.has_generations
        n = _MAX_OF_GENERATION if waits else _MAX_ASKED
        n = self._room if isinstance(self.strategy, SteadyState) else n
        asked = self.strategy.ask(n if left is None else min(n, left))
        self._asked += costliest_first(asked, self._data) if waits else asked
        for record in self.strategy.logbook[self._n_logged :]:
            self._observer(GenerationEnded(record, self._tally.progress(len(self._out))))
        self._n_logged = len(self.strategy.logbook)
        new = [one for one in self._asked if one.id not in self._recorded]
        if new:
            self._store.add_candidates(self._name, new)
            self._memo.look_up(new)

    def _start(self, candidate: Candidate) -> None:
        """Find a candidate's outcome: known of an equal one, recorded, on its way; or train it."""
        recorded = self._recorded.pop(candidate.id, None)
        if recorded is not None:
            self._observer(Recalled(candidate, recorded))
        if recorded is not None and recorded.source is Source.EQUAL_CANDIDATE:
            self._tally.n_reused += 1
            self._tell(candidate, recorded)
            return
        key = (recorded and recorded.training_key) or self._memo.key(candidate)
        if recorded is not None:
            self._budget.n_trained += 1
            self._inheritance.note(candidate, recorded)
            self._learn(candidate, key, recorded)
        elif (outcome := self._memo.own(key)) is not None:
            self._reuse([candidate], outcome)
        elif (twins := self._twins.get(key)) is not None:
            twins.append(candidate)
        else:
            self._budget.n_trained += 1
            if not self._take_over(candidate, key):
                self._twins[key] = []
                self._out[candidate.id] = candidate, key
                task = make_task(
                    candidate, self.strategy, self._config, self._data, self._inheritance
                )
                self._evaluator.submit(task)

    def _take_over(self, candidate: Candidate, key: str) -> bool:
        """Record and tell what another search knows of a candidate; tell whether one does."""
        known = self._memo.take(candidate)
        files = None if known is None else self._inheritance.adopt(candidate, known)
        if known is None or files is None:
            return False
        self._store.add_evaluations(self._name, [known.evaluation], files)
        self._tally.n_known += known.evaluation.completed
        self._learn(candidate, key, known.evaluation)
        self._observer(Evaluated(candidate, known.evaluation))
        self._failures.check()
        return True

    def _collect(self, timeout_seconds: float | None) -> None:
        """Record what has ended, then tell the strategy."""
        ended = self._evaluator.wait(timeout_seconds)
        if not ended:
            return
        evaluations = [one.evaluation for one in ended]
        out = [self._out.pop(one.candidate_id) for one in evaluations]
        candidates, keys = zip(*out, strict=True)
        self._tally.note(len(self._out), len(ended))
        keyed = zip(evaluations, keys, strict=True)
        outcomes = [replace(one, training_key=key) for one, key in keyed]
        files = self._inheritance.save([*zip(candidates, ended, strict=True)])
        # A search that is killed and resumed goes on with about the time that it had left.
        self._store.add_evaluations(self._name, outcomes, files, seconds=self.elapsed_seconds)
        for candidate, key, evaluation in zip(candidates, keys, outcomes, strict=True):
            self._learn(candidate, key, evaluation)
            self._observer(Evaluated(candidate, evaluation))
        # Only now: the order of telling is that of recording, in which a steady state is recalled.
        for key in keys:
            twins, outcome = self._twins.pop(key), self._memo.own(key)
            if outcome is None:  # it was the machine's fault: they may do better
                self._asked.extendleft(reversed(twins))
            else:
                self._reuse(twins, outcome)
        self._inheritance.prune(self._parents)
        if not self._recorded:  # until then the ledger knows a better one than was told
            self._note_best()

    def _parents(self) -> set[int | None]:
        """Give the candidates whose weights are inherited by those not recorded, or may be."""
        out = (candidate for candidate, _ in self._out.values())
        waiting = chain(self._asked, out, *self._twins.values())
        return {*self.strategy.parents, *(one.weights_from for one in waiting)}

    def _note_best(self) -> None:
        """Enter the fittest so far."""
        best = self.strategy.best
        if best is not None and best.id != self._best_id:
            self._best_id = best.id
            self._store.update_search(self._name, best_candidate_id=best.id)

    def _reuse(self, candidates: Sequence[Candidate], outcome: Evaluation) -> None:
        """Record and tell the outcome of an equal candidate as that of others."""
        taken = [replace(outcome, candidate_id=one.id) for one in candidates]
        if taken:
            files = self._inheritance.share(outcome, candidates)
            self._store.add_evaluations(self._name, taken, files)
        self._tally.n_reused += len(taken)
        for candidate, evaluation in zip(candidates, taken, strict=True):
            self._tell(candidate, evaluation)
            self._observer(Evaluated(candidate, evaluation))

    def _learn(self, candidate: Candidate, key: str, evaluation: Evaluation) -> None:
        """Remember an outcome for equal candidates, and tell it."""
        self._memo.learn(key, evaluation)
        self._failures.note(evaluation)
        self._tell(candidate, evaluation)

    def _tell(self, candidate: Candidate, evaluation: Evaluation) -> None:
        if evaluation.fitness is not None:
            self._inheritance.remember(candidate, evaluation.fitness)
        self.strategy.tell(evaluation)
