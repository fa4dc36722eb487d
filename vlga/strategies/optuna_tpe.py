"""The peers of this field that are closest: Optuna's TPE, alone and with successive halving.

Both have all that the other strategies have: space, limits, trainer, budget, the networks that are
given, and founders drawn as those of `ladder` are, in place of Optuna's ten random trials. A
network that is too large is shrunk as theirs are, and Optuna is told of the smaller one.

Of a training that failed TPE learns nothing: it is what Optuna calls a failed trial. An equal
network costs nothing when it is proposed again, and counts once more.
"""

from __future__ import annotations

from random import Random
from typing import ClassVar

from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate
from vlga.strategies.base import Inherits
from vlga.strategies.phenotypes import Phenotypes
from vlga.strategies.promoting import Promoting
from vlga.strategies.space_base import StrategySettings
from vlga.strategies.steady_base import SteadyState
from vlga.strategies.tpe import Tpe

__all__ = ["OptunaTpe", "OptunaTpeAsha"]


class OptunaTpe(SteadyState):
    """Founders, then one network after the other as TPE proposes it. Ends with its budget.

    All networks that were told count as alive. They train from scratch.
    """

    inherits: ClassVar[Inherits] = "parent"  # the winner's longer training goes on from its weights

    def __init__(
        self, space: SearchSpace, settings: StrategySettings, phenotypes: Phenotypes
    ) -> None:
        super().__init__(space, settings, phenotypes)
        self._tpe = Tpe(self.space, self._max_blocks, top_rung=len(settings.rung_epochs) - 1)

    @property
    def parents(self) -> tuple[int, ...]:
        """Nobody: children inherit no weights."""
        return ()

    @property
    def _must_wait(self) -> bool:
        """Never: with more workers than founders, more founders are made instead of waiting."""
        return False

    def _found(self, rng: Random) -> Candidate:
        return self._candidate(self._draw(rng), "sample")

    def _breed(self, rng: Random) -> Candidate:
        known = {one.candidate.fingerprint for one in self.alive}
        out = [
            one.genome
            for one in self._waiting.values()
            if isinstance(one.genome, Genome) and one.fingerprint not in known
        ]
        genome = self._tpe.suggest(self.alive, out, rng.getrandbits(32))
        return self._candidate(self._fit(genome, rng), "tpe")


class OptunaTpeAsha(Promoting, OptunaTpe):
    """TPE with successive halving on the rungs of `ladder`, in its promoting form.

    What Optuna's own form stops goes on from where it is as soon as its turn comes. TPE is told of
    a network once, by the highest rung that it has reached: as of a pruned trial until that is the
    top, so that whatever has got further counts as better.
    """
