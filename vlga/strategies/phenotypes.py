"""What a strategy must know of what genomes describe; the only place where it meets images."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol

from vlga.config.settings import LimitsConfig
from vlga.genetics.genome import Genome
from vlga.networks.features import Features, features_of
from vlga.networks.layers import Shape
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan

__all__ = ["Networks", "Phenotypes"]


class Phenotypes(Protocol):
    """What genomes describe."""

    def fingerprint(self, genome: Genome, /) -> str:
        """Give what genomes that describe the same have in common, in 16 hexadecimal digits."""

    def costs(self, genome: Genome, /) -> tuple[float, ...]:
        """Give what it costs of each limit, as a share of it: more than 1 is too much."""

    def parameters_per_mac(self, genome: Genome, /) -> float:
        """Give its parameters for each multiply-accumulate of an image; 0 where nothing tells."""

    def silent_genes(self, genome: Genome, /) -> Container[str]:
        """Give the addresses of the genes of which no other allele changes what it describes."""

    def features(self, genome: Genome, /) -> Features:
        """Give numbers that networks which are alike have alike: of training and of shape."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Genomes describe networks for images.

    Attributes:
        input_shape: (channels, height, width) of one image.
        n_classes: at least 2.
        limits: what one network may cost.
    """

    input_shape: Shape
    n_classes: int
    limits: LimitsConfig

    def fingerprint(self, genome: Genome) -> str:
        """Name the network and its training."""
        return self._decode(genome).fingerprint

    def costs(self, genome: Genome) -> tuple[float, ...]:
        """Give the network's MACs and the bytes of its maps as shares of their limits."""
        limits, plan = self.limits, self._decode(genome)
        return (
            plan.n_macs / (limits.max_macs or math.inf),
            plan.activation_bytes / (limits.max_activation_bytes or math.inf),
        )

    def parameters_per_mac(self, genome: Genome) -> float:
        """Divide the network's trainable parameters by its multiply-accumulates for one image."""
        plan = self._decode(genome)
        return plan.n_parameters / plan.n_macs

    def silent_genes(self, genome: Genome) -> frozenset[str]:
        """Give the genes of which no other allele changes the network's plan."""
        return genome.silent_genes(self.input_shape[1:])

    def features(self, genome: Genome) -> Features:
        """Describe the network and its training in numbers."""
        return features_of(self._decode(genome))

    def _decode(self, genome: Genome) -> NetworkPlan:
        return decode(genome, self.input_shape, self.n_classes)
