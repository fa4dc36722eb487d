"""Hypothesis strategies for the project's own values, built from small to large.

Whoever adds a gene or a value adds it here, so that every property test meets it.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

from hypothesis import strategies as st

from tests.support.synthetic import individual
from vlga.config.load import load_config
from vlga.config.preset import preset_names
from vlga.genetics.genes import (
    BLOCK_GENES,
    NETWORK_GENES,
    BlockGenes,
    NetworkGenes,
)
from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele
from vlga.genetics.space import SearchSpace
from vlga.networks.layers import Shape
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan
from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import EpochRecord, Evaluation, FailureReason, Source
from vlga.ports.ledger import Artifact

PRESETS: dict[str, SearchSpace] = {
    name: load_config(preset=name).space.build() for name in preset_names()
}


def presets() -> st.SearchStrategy[SearchSpace]:
    """The space of a preset, whole."""
    return st.sampled_from([*PRESETS.values()])


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """A part of a preset's space: of every gene some alleles, at least one."""
    space = draw(presets())
    first_block = draw(_some_alleles(BLOCK_GENES, space.block))
    return SearchSpace.from_settings(
        draw(_some_alleles(NETWORK_GENES, space.network)),
        draw(_some_alleles(BLOCK_GENES, space.block)),
        {name: first_block[name] for name in draw(st.sets(st.sampled_from(BLOCK_GENES)))},
    )


@functools.lru_cache(maxsize=64)
def genomes(
    space: SearchSpace | None = None, min_blocks: int = 1, max_blocks: int = 6
) -> st.SearchStrategy[Genome]:
    """A genome of a space (or of a preset's) with so many blocks, every gene drawn freely."""
    if space is None:
        return presets().flatmap(lambda preset: genomes(preset, min_blocks, max_blocks))
    more = st.lists(
        _genes(BlockGenes, space.block), min_size=min_blocks - 1, max_size=max_blocks - 1
    )
    first = _genes(BlockGenes, space.first_block)
    return st.builds(
        lambda network, first, more: Genome(network, (first, *more)),
        _genes(NetworkGenes, space.network),
        first,
        more,
    )


def input_shapes() -> st.SearchStrategy[Shape]:
    """The (channels, height, width) of an image, from 1x1x1 to 4x64x64."""
    return st.tuples(st.integers(1, 4), st.integers(1, 64), st.integers(1, 64))


def plans() -> st.SearchStrategy[NetworkPlan]:
    """What a preset's genome decodes to for images of any shape."""
    return st.builds(decode, genomes(), input_shapes(), st.integers(2, 10))


def candidates(
    genome: st.SearchStrategy[Genome] | None = None, candidate_id: int | None = None
) -> st.SearchStrategy[Candidate]:
    """A candidate with a genome and an id, drawn unless given, as for images of 3x8x8."""
    return st.builds(
        lambda genome, **rest: Candidate(
            genome=genome,
            fingerprint=decode(genome, (3, 8, 8), 10).fingerprint,
            phase=len(genome.blocks) - 1,
            **rest,
        ),
        genomes() if genome is None else genome,
        id=st.integers(0, 10**6) if candidate_id is None else st.just(candidate_id),
        generation=st.integers(0, 4),
        parents=st.tuples() | st.tuples(st.integers(0, 10**6)),
        operator=st.sampled_from(["sample", "grow", "uniform_crossover+mutate_one_gene"]),
        weights_from=st.none() | st.integers(0, 10**6),
        rung=st.integers(0, 8),
    )


def fitnesses() -> st.SearchStrategy[float]:
    """An accuracy in [0, 1], of few different ones, so that equals meet."""
    return st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(0, 1)


def populations() -> st.SearchStrategy[list[Individual]]:
    """Up to twelve evaluated candidates with different ids, in any order.

    One genome for all is as good as many, and faster: selection does not look at genes.
    """
    return st.builds(
        lambda genome, scores: [
            individual(Candidate(number, genome, "plan", 0, 0, (), "sample"), accuracy)
            for number, accuracy in scores.items()
        ],
        genomes(PRESETS["default"], max_blocks=1),
        st.dictionaries(st.integers(0, 99), fitnesses(), min_size=1, max_size=12),
    )


def epoch_records() -> st.SearchStrategy[EpochRecord]:
    """A point of a learning curve, measured on validation images or not."""
    numbers = st.floats(0, 100)
    return st.builds(
        EpochRecord,
        epoch=st.integers(0, 300),
        train_loss=numbers,
        train_accuracy=fitnesses(),
        validation_loss=st.none() | numbers,
        validation_accuracy=st.none() | fitnesses(),
        learning_rate=numbers,
        seconds=numbers,
        amplified_layers=st.sampled_from([(), ("blocks.0.a",), ("blocks.0.a", "blocks.1.b")]),
        layer_measures=st.sampled_from([(), (("blocks.0.a", 0.25), ("blocks.1.b", 1.0))]),
    )


@st.composite
def evaluations(draw: st.DrawFn, candidate_id: int | None = None) -> Evaluation:
    """An outcome of one of few candidates (or of this one): completed, or failed for any reason."""
    reason = draw(st.none() | st.sampled_from(FailureReason))
    return Evaluation(
        candidate_id=draw(st.integers(0, 5)) if candidate_id is None else candidate_id,
        epochs=draw(st.integers(1, 300)),
        seed=draw(st.integers(0, 2**63 - 1)),
        fitness=draw(fitnesses()) if reason is None else None,
        reason=reason,
        message="" if reason is None else draw(_texts()),
        validation_loss=draw(st.none() | st.floats(0, 100)),
        n_parameters=draw(st.integers(0, 10**12)),
        n_macs=draw(st.integers(0, 10**15)),
        curve=tuple(draw(st.lists(epoch_records(), max_size=3, unique_by=lambda one: one.epoch))),
        train_seconds=draw(st.floats(0, 10**6)),
        worker=draw(_texts()),
        device=draw(st.sampled_from(["cpu", "NVIDIA H200"])),
        peak_memory_bytes=draw(st.none() | st.integers(0, 2**40)),
        test_accuracy=draw(st.none() | fitnesses()),
        latency_seconds=draw(st.none() | st.floats(0, 100)),
        training_key=draw(st.none() | st.text("0123456789abcdef", min_size=32, max_size=32)),
        source=draw(st.sampled_from(Source)),
    )


def artifacts(candidate_id: int) -> st.SearchStrategy[Artifact]:
    """A file of a candidate's."""
    return st.builds(
        Artifact,
        candidate_id=st.just(candidate_id),
        kind=st.sampled_from(["weights", "final_weights"]),
        path=_texts(),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        n_bytes=st.integers(0, 2**40),
    )


def _texts() -> st.SearchStrategy[str]:
    """Any text that every database stores: no NUL and no lone surrogate."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


def _genes(kind: type, alleles: tuple[tuple[Allele, ...], ...]) -> st.SearchStrategy[Any]:
    """Genes of one kind, with any allele of each."""
    return _one_of_each(alleles).map(lambda chosen: kind(*chosen))


@functools.cache
def _some_alleles(
    names: tuple[str, ...], alleles: tuple[tuple[Allele, ...], ...]
) -> st.SearchStrategy[dict[str, tuple[Allele, ...]]]:
    """A part of the alleles of each gene, at least one."""
    parts = tuple(
        tuple(part for n in range(len(known)) for part in itertools.combinations(known, n + 1))
        for known in alleles
    )
    return _one_of_each(parts).map(lambda chosen: dict(zip(names, chosen, strict=True)))


def _one_of_each(choices: tuple[tuple[Any, ...], ...]) -> st.SearchStrategy[list[Any]]:
    """One of each tuple, all drawn as a single number: ten times as fast as one by one."""

    def pick(number: int) -> list[Any]:
        picked = []
        for known in choices:
            number, index = divmod(number, len(known))
            picked.append(known[index])
        return picked

    return st.integers(0, math.prod(map(len, choices)) - 1).map(pick)
