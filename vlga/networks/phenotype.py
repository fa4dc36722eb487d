"""The phenotype: decoding a genome into the network that it describes.

Follows Xiao et al. 2020 (https://arxiv.org/abs/2006.12703), section 3.2: convolution a, a 2x2 pool
if asked for, batch normalization, activation; convolution b, batch normalization, activation; a 1x1
convolution of the block's input added to the block's output; global pooling and a linear
classifier. Where the paper is silent the choice is ours: 'same' padding, the place of the
activation, and a pool that would bring a map below 1x1 is silent, so that every genome builds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vlga.genetics.genome import BlockGenes, Genome, NetworkGenes
from vlga.networks.named import ModelPlan
from vlga.networks.plan import (
    AmplificationPlan,
    BlockPlan,
    ConvPlan,
    NetworkPlan,
    OptimizerPlan,
    Shape,
)
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
    blocks: list[BlockPlan] = []
    shape = input_shape
    for index, genes in enumerate(genome.blocks):
        block = _decode_block(f"blocks.{index}", genes, shape)
        blocks.append(block)
        shape = block.output_shape
    network = genome.network
    # On maps of 1x1 both pools give the same: the gene is silent.
    head_pool = network.head_pool if shape[1:] != (1, 1) else "average"
    return NetworkPlan(
        input_shape=input_shape,
        n_classes=n_classes,
        activation=network.activation,
        head_pool=head_pool,
        blocks=tuple(blocks),
        optimizer=OptimizerPlan(network.learning_rate, network.momentum, network.weight_decay),
        amplification=_decode_amplification(network, tuple(blocks)),
    )


def _decode_block(name: str, genes: BlockGenes, shape: Shape) -> BlockPlan:
    """Decode one block; a pool needs maps of at least 2x2, or it is silent."""
    pool = genes.pool_type if genes.include_pool and min(shape[1:]) >= 2 else None
    convs = [
        ConvPlan(f"{name}.a", shape, genes.channels_a, genes.kernel_a, pool, genes.batch_norm_a)
    ]
    if genes.include_b:
        convs.append(
            ConvPlan(
                f"{name}.b",
                convs[0].output_shape,
                genes.channels_b,
                genes.kernel_b,
                None,
                genes.batch_norm_b,
            )
        )
    return BlockPlan(tuple(convs), genes.skip)


def _decode_amplification(
    genes: NetworkGenes, blocks: tuple[BlockPlan, ...]
) -> AmplificationPlan | None:
    """Decode the amplification genes, all silent without an eligible layer or an effect."""
    has_batch_norm = any(conv.batch_norm for block in blocks for conv in block.convs)
    if (
        genes.amplify == "off"
        or genes.amplify_factor == 1
        or (genes.amplify_kind == "batch_norm" and not has_batch_norm)
    ):
        return None
    if genes.amplify == "random":
        return AmplificationPlan(
            mode="random",
            kind=genes.amplify_kind,
            ratio=genes.amplify_ratio,
            factor=genes.amplify_factor,
            window=genes.amplify_window,
        )
    return AmplificationPlan(
        mode="intelligent",
        kind=genes.amplify_kind,
        ratio=None,
        factor=genes.amplify_factor,
        measure=genes.amplify_measure,
        threshold=genes.amplify_threshold,
        window=genes.amplify_window,
    )


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
        heritage.network, input_shape, n_classes, heritage.optimizer, heritage.amplification
    )


def trial_fingerprint(trial: Trial, input_shape: Shape, n_classes: int) -> str:
    """Name a trial: 16 hexadecimal digits, equal exactly if plan and seed are."""
    plan = plan_of(trial, input_shape, n_classes).fingerprint
    return hashlib.sha256(f"{plan}/{trial.seed}".encode()).hexdigest()[:16]
