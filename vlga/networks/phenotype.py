"""The phenotype: decoding a genome into the network that it describes.

Follows Xiao et al. 2020 (https://arxiv.org/abs/2006.12703), section 3.2: convolution a, a 2x2 pool
if asked for, batch normalization, activation; convolution b, batch normalization, activation; a 1x1
convolution of the block's input added to the block's output; global pooling and a linear
classifier. Where the paper is silent the choice is ours: 'same' padding, the place of the
activation, and a pool that would bring a map below 1x1 is silent, so that every genome builds.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from vlga.genetics.genes import BlockGenes, NetworkGenes, amplifies, gene_names, pools, stem_stride
from vlga.genetics.genome import Genome
from vlga.networks.layers import BlockPlan, ConvPlan, Shape, StemPlan
from vlga.networks.named import ModelPlan
from vlga.networks.plan import NetworkPlan
from vlga.networks.training import AmplificationPlan, OptimizerPlan
from vlga.networks.trial import Trial

__all__ = ["Plan", "decode", "heritage_from_dict", "plan_of"]


def decode(genome: Genome, input_shape: Shape, n_classes: int) -> NetworkPlan:
    """Give the network that a genome describes for images of this shape.

    Silent genes leave no trace: two genomes that differ only in them decode to equal plans. Every
    genome decodes, to maps of at least 1x1.

    Args:
        genome: of any space.
        input_shape: (channels, height, width) of one image, each at least 1.
        n_classes: at least 2.
    """
    return _decode(genome, input_shape, n_classes)


# A candidate is decoded four to six times on its way: for its limits, its fingerprint, its costs,
# its task. The strategy of a steady state takes 15 % less time by it.
@functools.lru_cache(maxsize=1024)
def _decode(genome: Genome, input_shape: Shape, n_classes: int) -> NetworkPlan:
    network = genome.network
    blocks: list[BlockPlan] = []
    stem = _decode_stem(network, input_shape)
    shape = input_shape if stem is None else stem.output_shape
    for index, genes in enumerate(genome.blocks):
        block = _decode_block(f"blocks.{index}", genes, shape)
        blocks.append(block)
        shape = block.output_shape
    taken = _taken_over(NetworkPlan, network)
    del taken["stem"]
    if shape[1:] == (1, 1):
        taken["head_pool"] = "average"  # both pools give the same: the gene is silent
    return NetworkPlan(
        input_shape=input_shape,
        n_classes=n_classes,
        blocks=tuple(blocks),
        stem=stem,
        optimizer=OptimizerPlan(**_taken_over(OptimizerPlan, network)),
        amplification=_decode_amplification(network, genome.blocks),
        **taken,
    )


def _decode_stem(genes: NetworkGenes, shape: Shape) -> StemPlan | None:
    """Decode the stem; it needs images of at least 2x2, or it is silent."""
    stride = stem_stride(genes, shape[1:])
    return None if stride is None else StemPlan(shape, stride)


def _decode_block(name: str, genes: BlockGenes, shape: Shape) -> BlockPlan:
    """Decode one block; a pool needs maps of at least 2x2, or it is silent."""
    pool = genes.pool_type if pools(genes, shape[1:]) else None
    taken = _taken_over(ConvPlan, genes, after="_a")
    convs = [ConvPlan(name=f"{name}.a", input_shape=shape, pool=pool, **taken)]
    if genes.include_b:
        shape, taken = convs[0].output_shape, _taken_over(ConvPlan, genes, after="_b")
        convs.append(ConvPlan(name=f"{name}.b", input_shape=shape, pool=None, **taken))
    return BlockPlan(convs=tuple(convs), **_taken_over(BlockPlan, genes))


def _decode_amplification(
    genes: NetworkGenes, blocks: Sequence[BlockGenes]
) -> AmplificationPlan | None:
    """Decode the amplification genes; a mode leaves out those of the other."""
    if not amplifies(genes, blocks):
        return None
    taken = _taken_over(AmplificationPlan, genes, before="amplify_")
    others = ("measure", "threshold") if genes.amplify == "random" else ("ratio",)
    return AmplificationPlan(**{**taken, **dict.fromkeys(others), "mode": genes.amplify})


def _taken_over(
    plan: Any, genes: NetworkGenes | BlockGenes, before: str = "", after: str = ""
) -> dict[str, Any]:
    """Give those fields of a plan that are genes, under the same name but for what is around it."""
    kind: Any = type(genes)
    return {name: getattr(genes, gene) for name, gene in _in_both(plan, kind, before, after)}


@functools.cache
def _in_both(plan: Any, genes: Any, before: str, after: str) -> tuple[tuple[str, str], ...]:
    """Give the fields of a plan that genes have too, each with the gene's name."""
    names = ((field.name, f"{before}{field.name}{after}") for field in fields(plan))
    return tuple((name, gene) for name, gene in names if gene in gene_names(genes))


Plan = NetworkPlan | ModelPlan


def heritage_from_dict(data: Mapping[str, Any]) -> Genome | Trial:
    """Read what a candidate is, a genome or a study's trial, from the ledger."""
    return Trial.from_dict(data) if "trial_version" in data else Genome.from_dict(data)


def plan_of(heritage: Genome | Trial, input_shape: Shape, n_classes: int) -> Plan:
    """Give the network and the training that a genome or a trial describes.

    Raises:
        ConfigError: a trial's model is unknown, or too deep for images of this shape.
    """
    if isinstance(heritage, Genome):
        return decode(heritage, input_shape, n_classes)
    if heritage.genome is not None:
        return replace(
            decode(heritage.genome, input_shape, n_classes),
            optimizer=heritage.optimizer,
            amplification=heritage.amplification,
        )
    return ModelPlan(
        input_shape, n_classes, heritage.optimizer, heritage.amplification, model=heritage.network
    )


def trial_fingerprint(trial: Trial, input_shape: Shape, n_classes: int) -> str:
    """Name a trial: 16 hexadecimal digits, equal exactly if plan and seed are."""
    plan = plan_of(trial, input_shape, n_classes).fingerprint
    return hashlib.sha256(f"{plan}/{trial.seed}".encode()).hexdigest()[:16]
