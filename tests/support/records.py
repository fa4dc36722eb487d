"""Plain values to write down: a search's record, a candidate, an evaluation."""

from __future__ import annotations

from base64 import b64decode

from vlga.config.load import load_config
from vlga.genetics.genes import BlockGenes, NetworkGenes
from vlga.genetics.genome import Genome
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import EpochRecord, Evaluation, FailureReason
from vlga.ports.ledger import SearchRecord
from vlga.ports.mistakes import Bin, Mistake, Mistakes
from vlga.ports.rivals import Rivals

DATA = DataSummary(
    name="digits",
    fingerprint="0123456789abcdef",
    input_shape=(1, 8, 8),
    classes=("zero", "eins", "二"),
    n_train=1000,
    n_validation=250,
    n_test=300,
)
RIVALS = Rivals(
    largest_class=0.4,
    nearest_neighbours=0.75,
    support_vector_machine=0.8125,
    n_fit=1250,
    n_tested=300,
    image_shape=(1, 8, 8),
)
#: A picture of one grey pixel.
PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGOIAgAAXABb2LRWWgAAAABJRU5ErkJggg=="
)
MISTAKES = Mistakes(
    DATA.classes,
    ((99, 1, 0), (20, 80, 0), (0, 0, 100)),
    (Bin(100, 0.5, 0.79), Bin(200, 0.9375, 1.0)),
    (Mistake(7, "eins", "zero", 0.75, PNG), Mistake(1, "zero", "eins", 0.5, PNG)),
)


def record(name: str, seed: int = 0) -> SearchRecord:
    """A search of the preset `default` that has just begun."""
    config = load_config(overrides={"seed": seed})
    return SearchRecord(name, config, DATA, versions={"python": "3.11", "vlga": "0.1.0"})


def genome_of_default(n_blocks: int = 1) -> Genome:
    """Give a genome of the default preset's space, with the first allele where it lacks one."""
    space, made = load_config().space.build(), genome(n_blocks)
    while (gene := space.stray_gene(made)) is not None:
        *_, index, name = ("", "", *gene.split("."))
        alleles = space.block_alleles(int(index)) if index else space.network_alleles()
        made = made.with_genes({gene: alleles[name][0]})
    return made


def genome(n_blocks: int = 1, learning_rate: float = 0.1) -> Genome:
    """A genome of blocks with two convolutions each."""
    network = NetworkGenes(
        activation="relu",
        head_pool="average",
        learning_rate=learning_rate,
        momentum=0.9,
        weight_decay=5e-4,
        amplify="off",
        amplify_kind="batch_norm",
        amplify_ratio=0.5,
        amplify_factor=2.0,
        amplify_measure="G1",
        amplify_threshold="mean",
        stem="none",
        amplify_window=(0.25, 0.85),
    )
    block = BlockGenes(
        channels_a=16,
        kernel_a=3,
        include_pool=True,
        pool_type="max",
        batch_norm_a=True,
        include_b=True,
        channels_b=16,
        kernel_b=3,
        batch_norm_b=True,
        skip=True,
    )
    return Genome(network, (block,) * n_blocks)


def candidate(number: int, parents: tuple[int, ...] = (), n_blocks: int = 1) -> Candidate:
    """A candidate; its phase is that of its number of blocks."""
    operator = "uniform_crossover" if parents else "sample"
    return Candidate(
        id=number,
        genome=genome(n_blocks),
        fingerprint=f"{number:016x}",
        phase=n_blocks - 1,
        generation=1 if parents else 0,
        parents=parents,
        operator=operator,
        weights_from=parents[0] if parents else None,
    )


def evaluation(
    number: int, fitness: float | None = 0.5, reason: FailureReason | None = None, epochs: int = 2
) -> Evaluation:
    """An evaluation with a curve; with a reason, a failed one."""
    return Evaluation(
        candidate_id=number,
        epochs=epochs,
        seed=number,
        fitness=None if reason else fitness,
        reason=reason,
        message="it did not fit" if reason else "",
        n_parameters=1000 + number,
        n_macs=10**10 + number,
        curve=tuple(
            EpochRecord(epoch, 1 / (epoch + 1), 0.5, 0.75, 0.25, 0.1, 1.5, ("blocks.0.a",))
            for epoch in range(epochs)
        ),
        train_seconds=3.25,
        worker="node-1/42",
        device="cpu",
        peak_memory_bytes=2**33,
    )
