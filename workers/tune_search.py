"""Ray Tune's search algorithm: evolution over a variable-length space, for any trainable.

    VLGASearch(
        block={"width": [16, 32, 64], "activation": ["relu", "tanh"]},  # genes of each block
        network={"learning_rate": [0.01, 0.1]},                         # genes that are there once
        metric="accuracy",
        mode="max",
    )

A trial's configuration then has ``"network"``, a dictionary of genes, and ``"blocks"``, a list of
dictionaries, one to `max_blocks` of them. What they mean is the trainable's business.

Networks of this project are one such space: with ``space = load_config().space`` it is
``VLGASearch(space.block, space.network)``, and in the trainable, for images of 1x8x8 and 10
classes, the torch module is ``build_network(plan, torch.Generator())`` of
``plan = decode(Genome.from_dict({"version": 1, **config}), (1, 8, 8), 10)``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from vlga.errors import ConfigError
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.strategies.any_space import AnyGenesEvolution

__all__ = ["VLGASearch"]

STATE_VERSION = 1

#: Twice asinh of the largest float, rounded up: 0.5 + asinh(x) / _SCALE lies in [0, 1] for every x,
#: and tells numbers apart whose first twelve digits differ, however large they are.
_SCALE = 1421.0


class VLGASearch(Searcher):  # type: ignore[misc]  # Ray has no types
    """Suggests configurations as soon as they are asked for, each bred from what is known by then.

    No genome is suggested twice: what evolution makes again takes over the outcome of the trial
    that had it first. Of scores only their order counts, so that any metric will do.

    - A trial counts with the last score it reported, the one that Tune calls its result. One that
      a scheduler such as ASHA stops early counts so too: it trained for less, and most often
      scores less than those that went on.
    - A trial that raised, or whose last score is not finite, has failed: it is never a parent.
      When Tune runs it again with success, that counts.
    - `save` writes JSON, and `restore` reads it: candidates and outcomes in their order, from which
      the population follows. `Tuner.restore` calls it, and the search goes on as if it had never
      stopped.

    Args:
        block: alleles of the genes that each block has: strings, numbers, true or false, or lists
            of these.
        network: alleles of the genes that a configuration has once.
        metric: what a trial reports, such as ``accuracy``; nested as ``validation/accuracy``. Tune
            hands over that of its `TuneConfig` only where `param_space` is not empty.
        mode: ``max | min``.
        max_blocks: blocks of the longest configuration, at least 1.
        population_size: trials that may become parents, at least 2; as many are drawn at random
            before any is bred.
        seed: the same seed, scores and order of reporting give the same suggestions.
        points_to_evaluate: configurations to try first, of the form that trials get.

    Raises:
        ConfigError: an argument is out of its range.
        GenomeError: a point is not of the space.
    """

    _metric: str | None
    _mode: str | None

    def __init__(
        self,
        block: Mapping[str, Sequence[Any]],
        network: Mapping[str, Sequence[Any]] | None = None,
        *,
        metric: str | None = None,
        mode: str | None = None,
        max_blocks: int = 5,
        population_size: int = 20,
        seed: int = 0,
        points_to_evaluate: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        _check_mode(mode)
        super().__init__(metric=metric, mode=mode)
        self._space = SearchSpace.from_alleles(network or {}, block)
        self._settings: dict[str, Any] = {
            "seed": seed,
            "population_size": population_size,
            "max_blocks": max_blocks,
            "first": [self._genome(point) for point in points_to_evaluate],
        }
        #: All that evolution made, in that order.
        self._candidates: list[Candidate] = []
        #: The trial that has a genome, by its fingerprint.
        self._owners: dict[str, str] = {}
        #: The candidates with a trial's genome, the one it was suggested for first.
        self._ids: dict[str, list[int]] = {}
        #: The last scores of trials that run; None where it is no finite number.
        self._scores: dict[str, float | None] = {}
        #: The scores of trials that are over; None for a failure.
        self._outcomes: dict[str, float | None] = {}
        #: The candidates whose outcome is known, in the order in which it was.
        self._told: list[int] = []
        self._strategy = AnyGenesEvolution(self._space, **self._settings)

    def set_search_properties(
        self,
        metric: str | None,
        mode: str | None,
        config: Mapping[str, Any],  # noqa: ARG002  # of its own space it has all
        **_spec: Any,
    ) -> bool:
        """Take over `TuneConfig`'s metric and mode.

        Returns:
            False: a `param_space` may hold constants for the trainable but nothing to search.
        """
        _check_mode(mode)
        self._metric = metric or self._metric
        self._mode = mode or self._mode
        return False

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """Give a trial its configuration, at once.

        Returns:
            ``{"network": {...}, "blocks": [{...}, ...]}``, or `Searcher.FINISHED` when the space is
            searched through.

        Raises:
            ConfigError: the metric or the mode is not known.
        """
        if not self._metric or not self._mode:
            raise ConfigError(
                "VLGASearch must know what to search for, but got "
                f"metric={self._metric!r} mode={self._mode!r}; say VLGASearch(..., metric=, mode=)"
            )
        while asked := self._strategy.ask(1):
            (candidate,) = asked
            owner = self._own(candidate, trial_id)
            if owner == trial_id:
                genome = candidate.genome.to_dict()
                return {"network": genome["network"], "blocks": genome["blocks"]}
            if owner in self._outcomes:
                self._tell(candidate.id)
        return str(self.FINISHED)

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Remember a trial's score, if the result has one."""
        if self._metric and self._metric in result:
            self._scores[trial_id] = _finite(result[self._metric])

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Take a trial's outcome, or a success after a failure; others change nothing.

        Without a score, in `result` or before it, the trial has failed.
        """
        self.on_trial_result(trial_id, result or {})
        score = self._scores.pop(trial_id, None)
        score = None if error else score
        ids = self._ids.get(trial_id, [])
        if trial_id in self._outcomes:
            if score is None or self._outcomes[trial_id] is not None:
                return
            self._told = [told for told in self._told if told not in ids]
            self._replay()
        if ids:
            self._outcomes[trial_id] = score
        for candidate_id in ids:
            self._tell(candidate_id)

    def save(self, checkpoint_path: str) -> None:
        """Write all that was suggested and reported, as JSON."""
        state = {
            "version": STATE_VERSION,
            "metric": self._metric,
            "mode": self._mode,
            "candidates": [
                {
                    **asdict(candidate),
                    "genome": candidate.genome.to_dict(),
                    "trial": self._owners[candidate.fingerprint],
                }
                for candidate in self._candidates
            ],
            "scores": self._scores,
            "outcomes": self._outcomes,
            "told": self._told,
        }
        Path(checkpoint_path).write_text(json.dumps(state), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Take up what `save` wrote; whatever was suggested here before is forgotten.

        Raises:
            ConfigError: the file is of another version or metric, or `save` did not write it.
            GenomeError: its genomes are not of this space.
        """
        try:
            state = json.loads(Path(checkpoint_path).read_text(encoding="utf-8"))
            version, metric, mode = state["version"], state["metric"], state["mode"]
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"VLGASearch.restore must be given what it saved, but got {checkpoint_path}: "
                f"{error!r}"
            ) from error
        for name, theirs, own in (
            ("version", version, STATE_VERSION),
            ("metric", metric, self._metric or metric),
            ("mode", mode, self._mode or mode),
        ):
            if theirs != own:
                raise ConfigError(
                    f"VLGASearch.restore needs {name}={own!r}, but {checkpoint_path} was saved "
                    f"with {name}={theirs!r}"
                )
        made = [(self._candidate(row), row["trial"]) for row in state["candidates"]]
        self._metric, self._mode = metric, mode
        self._candidates, self._owners, self._ids = [], {}, {}
        for candidate, trial_id in made:
            self._own(candidate, trial_id)
        self._scores, self._outcomes = state["scores"], state["outcomes"]
        self._told = state["told"]
        self._replay()

    def _own(self, candidate: Candidate, trial_id: str) -> str:
        """Note a candidate and give the trial that has its genome: this one, or one before."""
        owner = self._owners.setdefault(candidate.fingerprint, trial_id)
        self._candidates.append(candidate)
        self._ids.setdefault(owner, []).append(candidate.id)
        return owner

    def _tell(self, candidate_id: int) -> None:
        self._told.append(candidate_id)
        self._strategy.tell(self._evaluation(candidate_id))

    def _replay(self) -> None:
        """Bring a new strategy to where all that is known leaves it."""
        self._strategy = AnyGenesEvolution(self._space, **self._settings)
        self._strategy.recall(self._candidates)
        for candidate_id in self._told:
            self._strategy.tell(self._evaluation(candidate_id))

    def _evaluation(self, candidate_id: int) -> Evaluation:
        """Give a candidate's outcome, with a fitness in [0, 1] that has the order of the scores."""
        score = self._outcomes[self._owners[self._candidates[candidate_id].fingerprint]]
        if score is None:
            return Evaluation(candidate_id, 0, 0, fitness=None, reason=FailureReason.ERROR)
        fitness = 0.5 + math.asinh(score if self._mode == "max" else -score) / _SCALE
        return Evaluation(candidate_id, 0, 0, fitness=fitness)

    def _candidate(self, row: Mapping[str, Any]) -> Candidate:
        fields = {key: value for key, value in row.items() if key != "trial"}
        genome = self._genome(row["genome"])
        return Candidate(**{**fields, "genome": genome, "parents": tuple(row["parents"])})

    def _genome(self, config: Mapping[str, Any]) -> Genome:
        return self._space.genome(config.get("network", {}), config.get("blocks", ()))


def _check_mode(mode: str | None) -> None:
    if mode not in (None, "min", "max"):
        raise ConfigError(f"VLGASearch needs mode='min' or mode='max', but got mode={mode!r}")


def _finite(value: Any) -> float | None:
    """Give a score as a number, or None where it is no finite one."""
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if math.isfinite(score) else None
