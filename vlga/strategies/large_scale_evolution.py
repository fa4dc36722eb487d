"""Large-scale evolution: mutation only, inherited weights, the worse of two dies.

Real, Moore, Selle, Saxena, Suematsu, Tan, Le, Kurakin: "Large-Scale Evolution of Image Classifiers"
(2017, https://arxiv.org/abs/1703.01041), the third baseline of Xiao et al. 2020. A population of
minimal networks; then for ever: draw two, the less fit dies, the fitter is copied, mutated and
trained with its parent's weights wherever layers match.

We differ:
- The paper's populations are of 1,000, raced through by 250 workers; ours is `population.size`, one
  training at a time or more. The less fit of the two dies when the child arrives, and is drawn from
  those alive then: with one training at a time these are the parent and its rival. A child that
  fails costs no life.
- The paper's first networks have no convolution; ours must have one, of random genes.
- Genes take the alleles of a finite space, where the paper draws numbers; a stride is a pool, and
  what the space searches beside (batch normalization, the activation, momentum, amplification) is
  mutated too. mutation_sets.py has the mutations; each is as likely as another.
- The paper inherits layer by layer, here each tensor of a layer whose shape is the same.
- The paper trains for 25,600 steps; here `training.epochs`, with a schedule that begins anew.
"""

from __future__ import annotations

from random import Random

from vlga.ports.candidate import Candidate, Individual
from vlga.strategies.steady_base import SteadyState

__all__ = ["LargeScaleEvolution"]


class LargeScaleEvolution(SteadyState):
    """Tournaments of two on genomes that begin with one convolution and grow by mutation.

    Networks have up to five blocks, or as many as `max_blocks` allows. Without
    `training.inherit_weights` all train from scratch. Ends with its budget.
    """

    inherits = "parent"

    def _found(self, rng: Random) -> Candidate:
        genome = self.toolbox.individual(rng=rng)
        if False in self.space.block_alleles(0)["include_b"]:
            genome = genome.with_genes({"blocks.0.include_b": False})
        return self._candidate(self._fit(genome, rng), "sample")

    def _breed(self, rng: Random) -> Candidate:
        parent, _ = self._drawn(self._n_made)
        inherits = self.settings.inherits_weights
        genome, operator = self.toolbox.mutate_large_scale(
            parent.genome,
            rng=rng,
            max_blocks=self._max_blocks,
            silent=self._phenotypes.silent_genes(parent.genome),
            inherits=inherits,
        )
        weights_from = parent.id if inherits and operator != "reset_weights" else None
        return self._candidate(self._fit(genome, rng), operator, (parent.id,), weights_from)

    def _join(self, individual: Individual) -> None:
        if individual.candidate.parents:
            _, rival = self._drawn(individual.id)
            self.alive.remove(rival)
        self.alive.append(individual)

    def _drawn(self, candidate_id: int) -> tuple[Individual, Individual]:
        """Draw a candidate's two of those alive: the fitter, of equals the first made, first.

        The dice are the candidate's own, the same whenever they are thrown: who dies need not be
        remembered, and a search is recalled from what is recorded.
        """
        two = Random(f"{self.seed}/two/{candidate_id}").sample(self.alive, 2)
        first, second = sorted(two, key=lambda one: (-one.accuracy, one.id))
        return first, second
