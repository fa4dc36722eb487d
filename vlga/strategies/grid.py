"""The grid: every training of a study, once. Learns nothing; a study is run as a search is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vlga.config.settings import SearchConfig
from vlga.networks.phenotype import trial_fingerprint
from vlga.networks.trial import Trial
from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.base import Shape, Strategy
from vlga.study import trials

__all__ = ["Grid"]


class Grid(Strategy):
    """Gives the trials of ``[study]`` in their order, and nothing more.

    Raises:
        ConfigError: the study has no network, or as `vlga.study.trials`.
    """

    has_generations = False
    scores_test = True

    def __init__(self, config: SearchConfig, input_shape: Shape, n_classes: int) -> None:
        super().__init__(config, input_shape, n_classes)
        self.trials: tuple[Trial, ...] = tuple(trials(config.study, input_shape, n_classes))

    def training_seed(self, candidate: Candidate) -> int:
        """Give all arms of one repetition the same seed, so that they differ in nothing else."""
        assert isinstance(candidate.genome, Trial)
        text = f"{self.config.seed}/study/{candidate.genome.seed}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def _propose(self, told: Sequence[Individual]) -> list[Candidate]:  # noqa: ARG002  # it learns nothing
        if self._n_made:
            return []
        made = [
            Candidate(
                id=number,
                genome=trial,
                fingerprint=trial_fingerprint(trial, self._input_shape, self._n_classes),
                phase=0,
                generation=0,
                parents=(),
                operator="grid",
            )
            for number, trial in enumerate(self.trials)
        ]
        self._n_made = len(made)
        return made
