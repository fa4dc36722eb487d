"""The search loop: ask, evaluate, record, tell, until the strategy or the budget ends it.

One trip: `Strategy.ask` -> `Evaluator.submit` -> `Evaluator.wait` -> `Ledger.add_evaluations` (one
transaction) -> `Strategy.tell`. A search is resumed by running it again: strategies depend only on
what they are told, so what is recorded is told instead of trained for, and the rest follows. (A
steady state depends on the order too, and is told what is recorded first of all.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from vlga.errors import SearchStopped, TooManyFailures
from vlga.execution.budget import Budget
from vlga.execution.failures import Failures, what_counts
from vlga.execution.final_task import n_rounds, seconds_had
from vlga.execution.hold import RENEW_SECONDS
from vlga.execution.inheritance import Inheritance
from vlga.execution.memo import Memo
from vlga.execution.progress import Tally
from vlga.execution.replay import require_same, require_same_plan
from vlga.execution.run import Run
from vlga.execution.task import by_cost, epochs_of, make_task
from vlga.execution.winner import known_network, rank_networks
from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import Evaluation, Source
from vlga.ports.lease import Stop
from vlga.ports.ledger import Artifact
from vlga.ports.observer import Evaluated, GenerationEnded, Recalled, Submitted, Updated
from vlga.strategies import Strategy, make_strategy

__all__ = ["Search"]

#: Candidates asked for, and entered into the ledger in one transaction, at a time; and of one
#: generation, which is best ordered whole.
_MAX_ASKED, _MAX_OF_GENERATION = 64, 4096
#: Tasks out beyond those that run, so that no worker waits while the driver records and decides;
#: and what ends meanwhile is recorded together.
_N_SPARE = 16


class Search:
    """One search, entered in its ledger already: `run` it, once.

    Everything finished is in the ledger before the strategy hears of it, so the process may die at
    any moment. After any exception, Ctrl-C included, what has ended by then is recorded first.

    A candidate is asked for (`_asked`), then its outcome is known of an equal one, or it waits for
    an equal one (in `Memo`), or it is trained (`_out`); then it is told, and forgotten here.
    """

    def __init__(self, run: Run) -> None:
        self.strategy: Strategy = make_strategy(
            run.config, run.data.input_shape, len(run.data.classes)
        )
        self._run = run
        had = seconds_had(run)
        self._budget = Budget(
            run.config, lambda: run.elapsed_seconds - had, n_final_rounds=n_rounds(run)
        )
        self._inheritance = Inheritance(run, self.strategy.inherits)
        self._memo = Memo(run, self.strategy, self._inheritance)
        self._failures = Failures(run.config.limits.max_failures_in_a_row)
        self._tally = Tally(run, self.strategy, self._budget, self._failures)
        self._recorded: dict[int, Evaluation] = {}  # by an earlier run, and not told yet
        self._entered: dict[int, Candidate] = {}  # by an earlier run, and not asked for yet
        self._asked: deque[Candidate] = deque()
        self._out: dict[int, tuple[Candidate, str]] = {}  # with the key of its training
        self._drains = False
        self._best_id: int | None = None
        self._n_logged = 0

    @property
    def has_failed(self) -> bool:
        """Whether failures ended the search that are no network's fault, or too many in a row.

        It can be resumed once the cause is mended.
        """
        is_starved = self.strategy.lacks_parents and self._failures.n_of_machines > 0
        return self._failures.are_too_many or is_starved

    @property
    def ended_by(self) -> str:
        """Why the search ended, in words."""
        if self._failures.are_too_many:
            return self._failures.message
        if self.has_failed:
            return f"{self.strategy.ended_by}; correct the cause, then resume the search"
        if self._budget.spent:
            return f"its budget is used: {self._budget.words}"
        return self.strategy.ended_by

    def best_networks(self, n: int) -> list[Individual]:
        """Give up to `n` different networks of a search that is over, the winner first."""
        strategy, config, data = self.strategy, self._run.config, self._run.data
        return rank_networks(
            strategy.finalists,
            strategy.contenders,
            data.n_validation,
            n,
            costs=config.objectives[1:],
            known=known_network(config, data),
        )

    def run(self) -> Individual:
        """Search until the strategy, the budget or failures end it; give the winner.

        Raises:
            TooManyFailures: nothing completed.
            StoreError: an outcome could not be recorded.
            LeaseLost: another process has taken the search over.
            SearchStopped: somebody asked for it.
            SoftwareChanged: an earlier run recorded other candidates than are made now.
        """
        run = self._run
        self._recorded = what_counts(run.store.evaluations(run.name), run.record.status)
        self._entered = {one.id: one for one in run.store.candidates(run.name)}
        try:
            if not self.strategy.asks_ahead:
                self._recall()
            while self._supply():
                left = self._budget.seconds_left
                self._collect(RENEW_SECONDS if left is None else min(left, RENEW_SECONDS))
            if self._drains:
                raise SearchStopped("somebody asked the search to stop")
        finally:
            try:
                # Also after Ctrl-C or a failure: what has ended by now is worth as much as before.
                self._collect(timeout_seconds=0)
            finally:
                run.evaluator.cancel()
            run.store.update_search(run.name, seconds=run.elapsed_seconds)
        if not self.strategy.finalists:
            raise TooManyFailures(self._failures.why_none(run.config.budget.seconds))
        (winner,) = self.best_networks(1)
        self._note_best(winner)
        return winner

    def _recall(self) -> None:
        """Tell the strategy what an earlier run recorded, in that order; the rest comes next."""
        candidates, self._entered = [*self._entered.values()], {}
        for one in candidates:
            require_same_plan(one, self._run.record)
        self.strategy.recall(candidates)
        self._asked.extend(one for one in candidates if one.id not in self._recorded)
        for number in [*self._recorded]:  # in the order of recording
            self._start(candidates[number])
        self._memo.look_up([*self._asked])

    def _supply(self) -> bool:
        """Keep the workers supplied; false when nothing is left to wait for."""
        while not (self._must_drain() or self.has_failed) and self._room > 0:
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
        self._run.observer(Updated(self._tally.progress(len(self._out))))
        return bool(self._out) and self._budget.seconds_left != 0 and not self.has_failed

    @property
    def _room(self) -> int:
        """How many more tasks may be out now."""
        n_spare = _N_SPARE if self.strategy.asks_ahead else 0
        return self._run.evaluator.n_slots + n_spare - len(self._out)

    def _must_drain(self) -> bool:
        """Tell whether nothing may start any more because somebody asked for a stop."""
        asked = self._run.asked_to_stop()
        if asked is Stop.NOW:
            raise SearchStopped("somebody asked the search to stop at once")
        if asked is Stop.DRAIN and not self._drains:
            self._drains = True
            for number in self._run.evaluator.drain():
                _, key = self._out.pop(number)
                self._memo.give_up(key)
        return self._drains

    def _ask(self) -> None:
        """Ask the strategy for candidates and enter them."""
        waits = self.strategy.has_generations
        n = _MAX_OF_GENERATION if waits else _MAX_ASKED if self.strategy.asks_ahead else self._room
        left = self._budget.trainings_left
        n = n if left is None else min(n, left)
        asked = self.strategy.ask(n, self._budget.affordable_epochs)
        for one in asked:
            if one.id in self._entered:
                require_same(one, self._entered.pop(one.id), self._run.record)
        # Before anything is trained, the costliest might take all the time that there is.
        cheapest_first = self.strategy.best is None and self._budget.seconds_left is not None
        self._asked += by_cost(asked, self._run.data, cheapest_first) if waits else asked
        for record in self.strategy.logbook[self._n_logged :]:
            self._run.observer(GenerationEnded(record, self._tally.progress(len(self._out))))
        self._n_logged = len(self.strategy.logbook)
        new = [one for one in self._asked if one.id not in self._recorded]
        if new:
            self._run.store.add_candidates(self._run.name, new)
            self._memo.look_up(new)

    def _start(self, candidate: Candidate) -> None:
        """Find a candidate's outcome: recorded, known of an equal one, on its way; or train it."""
        recorded = self._recorded.pop(candidate.id, None)
        if recorded is not None:
            self._recollect(candidate, recorded)
            return
        key = self._memo.key(candidate)
        equal = self._memo.own(key)
        if equal is not None:
            self._reuse([candidate], equal)
        elif not self._memo.waits(candidate, key):
            self._budget.start(epochs_of(candidate, self._run.config))
            if not self._take_over(candidate, key):
                self._memo.begin(key)
                self._out[candidate.id] = candidate, key
                task = make_task(candidate, self._run, self.strategy, self._inheritance)
                self._run.evaluator.submit(task)
                self._run.observer(Submitted(candidate))

    def _recollect(self, candidate: Candidate, recorded: Evaluation) -> None:
        """Take the outcome that an earlier run of the search recorded."""
        self._run.observer(Recalled(candidate, recorded))
        if recorded.source is Source.EQUAL_CANDIDATE:
            self._tally.n_reused += 1
        else:
            self._budget.start(recorded.epochs)
            self._inheritance.note(candidate, recorded)
            key = recorded.training_key or self._memo.key(candidate)
            recorded = replace(recorded, training_key=key)
        self._take(candidate, recorded)

    def _take_over(self, candidate: Candidate, key: str) -> bool:
        """Take what another search knows of a candidate; tell whether one does."""
        known = self._memo.take(candidate)
        files = None if known is None else self._inheritance.adopt(candidate, known)
        if known is None or files is None:
            return False
        self._tally.n_known += known.evaluation.completed
        self._record([candidate], [replace(known.evaluation, training_key=key)], files)
        return True

    def _reuse(self, candidates: Sequence[Candidate], outcome: Evaluation) -> None:
        """Take the outcome of an equal candidate as that of others."""
        self._tally.n_reused += len(candidates)
        taken = [replace(outcome, candidate_id=one.id) for one in candidates]
        self._record(candidates, taken, self._inheritance.share(outcome, candidates))

    def _collect(self, timeout_seconds: float | None) -> None:
        """Record what has ended, then tell the strategy."""
        ended = self._run.evaluator.wait(timeout_seconds)
        if not ended:
            return
        out = [self._out.pop(one.evaluation.candidate_id) for one in ended]
        candidates, keys = zip(*out, strict=True)
        self._tally.note(len(self._out), len(ended))
        outcomes = [
            replace(one.evaluation, training_key=key) for one, key in zip(ended, keys, strict=True)
        ]
        self._record(
            candidates, outcomes, self._inheritance.save([*zip(candidates, ended, strict=True)])
        )
        # Only now: the order of telling is that of recording, in which a steady state is recalled.
        for key in keys:
            twins, outcome = self._memo.end(key)
            if outcome is None:  # it was the machine's fault: they may do better
                self._asked.extendleft(reversed(twins))
            elif twins:
                self._reuse(twins, outcome)
        self._inheritance.prune(self._parents)
        if not self._recorded:  # until then the ledger knows a better one than was told
            self._note_best()

    def _record(
        self,
        candidates: Sequence[Candidate],
        outcomes: Sequence[Evaluation],
        files: Sequence[Artifact],
    ) -> None:
        """Enter outcomes with their files in one transaction, then tell of them."""
        # A search that is killed and resumed goes on with about the time that it had left.
        seconds = self._run.elapsed_seconds
        self._run.store.add_evaluations(self._run.name, outcomes, files, seconds=seconds)
        for candidate, outcome in zip(candidates, outcomes, strict=True):
            self._take(candidate, outcome)
            self._run.observer(Evaluated(candidate, outcome))

    def _take(self, candidate: Candidate, outcome: Evaluation) -> None:
        """Remember a recorded outcome for equal candidates and for children, and tell it."""
        if outcome.source is not Source.EQUAL_CANDIDATE:
            self._memo.learn(outcome)
            self._failures.note(outcome)
            self._budget.learn(outcome)
        if outcome.fitness is not None:
            self._inheritance.remember(candidate, outcome.fitness)
        self.strategy.tell(outcome)

    def _parents(self) -> set[int | None]:
        """Give the candidates whose weights are inherited by those not recorded, or may be."""
        out = (candidate for candidate, _ in self._out.values())
        waiting = chain(self._asked, out, self._memo.waiting)
        return {*self.strategy.parents, *(one.weights_from for one in waiting)}

    def _note_best(self, winner: Individual | None = None) -> None:
        """Enter the winner, or until there is one the fittest so far."""
        best = winner or self.strategy.best
        if best is not None and best.id != self._best_id:
            self._best_id = best.id
            self._run.store.update_search(self._run.name, best_candidate_id=best.id)
