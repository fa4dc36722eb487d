from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, genomes, input_shapes, plans
from vlga.genetics.genes import BlockGenes, NetworkGenes
from vlga.genetics.genome import Genome
from vlga.genetics.mutation import mutate_one_gene
from vlga.networks.phenotype import decode
from vlga.networks.training import AmplificationPlan, OptimizerPlan

#: Every switch is on, so that only what a test switches off is silent.
NETWORK = NetworkGenes(
    activation="elu",
    head_pool="max",
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=5e-4,
    amplify="random",
    amplify_kind="batch_norm",
    amplify_ratio=0.5,
    amplify_factor=2.0,
    amplify_measure="G1",
    amplify_threshold="mean",
    stem="none",
    amplify_window=(0.25, 0.85),
)
BLOCK = BlockGenes(
    channels_a=8,
    kernel_a=3,
    include_pool=True,
    pool_type="max",
    batch_norm_a=True,
    include_b=True,
    channels_b=16,
    kernel_b=1,
    batch_norm_b=False,
    skip=True,
)
GENOME = Genome(NETWORK, (BLOCK,))


def plan_of(genome, input_shape=(1, 8, 8)):
    """Decode for ten classes."""
    return decode(genome, input_shape, 10)


class TestTheArithmetic:
    """A network worked out by hand: images of 1x8x8, ten classes, two blocks.

    Block 0: convolution a 3x3 to 8 channels, max pool, batch normalization; b 1x1 to 16; skip.
    Block 1: convolution a 5x5 to 8 channels, batch normalization; neither b nor skip.
    """

    PLAN = plan_of(
        Genome(
            NETWORK,
            (
                BLOCK,
                replace(BLOCK, kernel_a=5, include_pool=False, include_b=False, skip=False),
            ),
        )
    )

    def test_shapes(self):
        """Only the pool changes a map's size."""
        first, second = self.PLAN.blocks

        assert [(conv.input_shape, conv.output_shape) for conv in self.PLAN.convs] == [
            ((1, 8, 8), (8, 4, 4)),
            ((8, 4, 4), (16, 4, 4)),
            ((16, 4, 4), (8, 4, 4)),
        ]
        assert first.convs[0].conv_shape == (8, 8, 8)
        assert (first.input_shape, first.output_shape) == ((1, 8, 8), (16, 4, 4))
        assert (second.input_shape, second.output_shape) == ((16, 4, 4), (8, 4, 4))
        assert (first.pools, second.pools) == (True, False)
        assert (second.n_skip_parameters, second.n_skip_macs) == (0, 0)
        assert self.PLAN.depth == 3

    def test_parameters(self):
        """Weights, and two per channel with batch normalization or one bias without."""
        rows = {row.name: row.n_parameters for row in self.PLAN.layer_table()}

        assert rows == {
            "blocks.0.a": 1 * 8 * 9 + 2 * 8,
            "blocks.0.b": 8 * 16 * 1 + 16,
            "blocks.0.skip": 1 * 16 + 16,
            "blocks.1.a": 16 * 8 * 25 + 2 * 8,
            "classifier": 8 * 10 + 10,
        }
        assert self.PLAN.n_parameters == 88 + 144 + 32 + 3216 + 90 == 3570

    def test_multiply_accumulates(self):
        """Weights times pixels, before the pool; the skip after its stride."""
        rows = {row.name: row.n_macs for row in self.PLAN.layer_table()}

        assert rows == {
            "blocks.0.a": 72 * 64,
            "blocks.0.b": 128 * 16,
            "blocks.0.skip": 16 * 16,
            "blocks.1.a": 3200 * 16,
            "classifier": 80,
        }
        assert self.PLAN.n_macs == 4608 + 2048 + 256 + 51200 + 80 == 58192

    def test_activation_bytes(self):
        """Four bytes for each value kept for the backward pass."""
        image = 64
        conv_a = 8 * 64 + 3 * (8 * 16)  # output; then pool, batch normalization, activation
        conv_b = 16 * 16 + 16 * 16  # output; activation
        skip = 2 * (16 * 16)  # its output and the sum
        second = 8 * 16 + 2 * (8 * 16)  # output; batch normalization, activation

        assert self.PLAN.activation_bytes == 4 * (image + conv_a + conv_b + skip + second) == 9472

    def test_layer_table(self):
        """The table says in words what is built."""
        assert [(row.kind, row.output_shape) for row in self.PLAN.layer_table()] == [
            ("conv 3x3, max pool 2x2, batch norm, elu", (8, 4, 4)),
            ("conv 1x1, elu", (16, 4, 4)),
            ("+ conv 1x1 of the block's input, stride 2", (16, 4, 4)),
            ("conv 5x5, batch norm, elu", (8, 4, 4)),
            ("global max pool, linear", (10, 1, 1)),
        ]

    def test_a_skip_without_a_pool_has_no_stride(self):
        """The sum needs maps of one size, and they are."""
        plan = plan_of(GENOME.with_genes({"blocks.0.include_pool": False}))

        assert plan.layer_table()[2].kind == "+ conv 1x1 of the block's input"
        assert plan.layer_table()[2].n_macs == 1 * 16 * 64

    def test_a_pool_drops_the_odd_row(self):
        """Seven by five pixels become three by two."""
        assert plan_of(GENOME, (1, 7, 5)).blocks[0].output_shape == (16, 3, 2)


class TestWhatAPlanTakesFromTheGenome:
    def test_the_training_genes(self):
        """Optimizer and head are the genome's."""
        plan = plan_of(GENOME)

        assert plan.optimizer == OptimizerPlan(0.1, 0.9, 5e-4)
        assert (plan.activation, plan.head_pool) == ("elu", "max")
        assert (plan.input_shape, plan.n_classes) == ((1, 8, 8), 10)

    def test_random_amplification(self):
        """Ratio, factor, kind and window, and nothing to measure."""
        assert plan_of(GENOME).amplification == AmplificationPlan(
            mode="random",
            kind="batch_norm",
            ratio=0.5,
            factor=2.0,
            measure=None,
            threshold=None,
            window=(0.25, 0.85),
        )

    def test_intelligent_amplification(self):
        """Measure and threshold, and no ratio."""
        plan = plan_of(GENOME.with_genes({"amplify": "intelligent", "amplify_kind": "conv"}))

        assert plan.amplification == AmplificationPlan(
            mode="intelligent",
            kind="conv",
            ratio=None,
            factor=2.0,
            measure="G1",
            threshold="mean",
            window=(0.25, 0.85),
        )


@pytest.mark.parametrize(
    ("shape", "stride", "output_shape"),
    [
        ((1, 1, 9), None, (1, 1, 9)),  # too thin for a patch
        ((1, 8, 8), 1, (8, 7, 7)),
        ((3, 32, 32), 1, (24, 31, 31)),
        ((3, 64, 65), 2, (24, 32, 32)),
        ((1, 64, 64), 2, (8, 32, 32)),
        ((3, 224, 200), 4, (24, 56, 50)),
    ],
)
def test_a_stem_brings_large_images_down(shape, stride, output_shape):
    """Two channels for each direction of a patch, of which twelve at most are taken."""
    plan = plan_of(GENOME.with_genes({"stem": "whiten"}), shape)

    assert (plan.stem.stride if plan.stem else None) == stride
    assert plan.blocks[0].input_shape == output_shape


@given(genomes(), input_shapes(), st.integers(2, 100))
def test_every_genome_decodes_to_maps_of_at_least_one_pixel(genome, input_shape, n_classes):
    """Any length, any image from 1x1x1 to 4x64x64: each layer fits the one before."""
    plan = decode(genome, input_shape, n_classes)

    assert len(plan.blocks) == len(genome.blocks)
    assert plan.convs[0].input_shape == (plan.stem.output_shape if plan.stem else input_shape)
    for before, after in pairwise(plan.convs):
        assert after.input_shape == before.output_shape
    for conv in plan.convs:
        assert min(conv.output_shape) >= 1
        assert conv.output_shape[0] == conv.channels
    names = [row.name for row in plan.layer_table()]
    n_others = sum(block.skip for block in plan.blocks) + bool(plan.stem) + 1
    assert len(set(names)) == len(names) == plan.depth + n_others


@given(plans())
def test_a_plan_s_totals_are_its_layers(plan):
    """Parameters and MACs add up, and every network has some of each."""
    convs = [*plan.convs, *([plan.stem] if plan.stem else [])]
    skips = [block for block in plan.blocks if block.skip]
    head = plan.blocks[-1].output_shape[0]

    assert plan.n_parameters == (
        sum(conv.n_parameters for conv in convs)
        + sum(block.n_skip_parameters for block in skips)
        + (head + 1) * plan.n_classes
    )
    assert plan.n_macs == (
        sum(conv.n_macs for conv in convs)
        + sum(block.n_skip_macs for block in skips)
        + head * plan.n_classes
    )
    assert min(row.n_parameters for row in plan.layer_table()) > 0
    assert plan.activation_bytes > 4 * sum(c.channels for c in convs)


@given(genomes(max_blocks=3), input_shapes(), st.randoms())
def test_fingerprints_are_equal_exactly_for_equal_plans(genome, input_shape, rng):
    """Tried on pairs that differ in one gene, silent or not, the hardest to tell apart."""
    space = next(space for space in PRESETS.values() if space.contains(genome))
    one = plan_of(genome, input_shape)
    other = plan_of(mutate_one_gene(genome, space, rng), input_shape)

    assert (one.fingerprint == other.fingerprint) == (one == other)
    assert one.fingerprint == plan_of(genome, input_shape).fingerprint


def test_a_fingerprint_is_the_same_on_every_machine_and_day():
    """It is stored: a change of this value makes old searches' networks look new."""
    assert plan_of(GENOME).fingerprint == "88de4ac3d8eb2efe"


@pytest.mark.parametrize(("input_shape", "n_classes"), [((3, 8, 8), 10), ((1, 8, 8), 11)])
def test_the_task_is_part_of_the_fingerprint(input_shape, n_classes):
    """The same genome is another network for other images or classes."""
    assert decode(GENOME, input_shape, n_classes).fingerprint != plan_of(GENOME).fingerprint


class TestScaled:
    PLAN = OptimizerPlan(learning_rate=1.6, momentum=0.9, weight_decay=2e-3)

    def test_without_a_base_the_plan_is_torch_s(self):
        """As the papers' presets mean it."""
        assert self.PLAN.scaled(64, None) is self.PLAN

    @given(st.integers(1, 4096), st.floats(0.01, 10), st.floats(0, 0.1))
    def test_with_a_base_rate_and_decay_do_not_depend_on_each_other(self, n, rate, decay):
        """The rate grows with the batch; the decay of so many images at the peak stays."""
        plan = OptimizerPlan(rate, 0.9, decay).scaled(n, 1024)

        assert plan.learning_rate * 1024 / n == pytest.approx(rate)
        assert plan.learning_rate * plan.weight_decay * 1024 / n == pytest.approx(decay)
        assert plan.momentum == 0.9
