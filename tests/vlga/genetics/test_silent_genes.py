"""Genes that leave no trace in the plan: by `decode`, and each rule worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, genomes
from tests.vlga.networks.test_phenotype import BLOCK, GENOME, NETWORK, plan_of
from vlga.genetics.genes import BLOCK_GENES, GENES, NETWORK_GENES
from vlga.genetics.genome import Genome
from vlga.genetics.space import SearchSpace

#: All that the default preset searches, and what it leaves out.
DEFAULT = PRESETS["default"]
WIDE = SearchSpace.from_settings(
    DEFAULT.network_alleles()
    | {
        "amplify_kind": ("batch_norm", "activation", "conv", "any"),
        "amplify_factor": (1.0, 1.5, 2.0),
        "amplify_ratio": (0.5, 1.0),
        "amplify_threshold": ("mean", "mean_std"),
        "amplify_window": ((0.0, 0.5), (0.25, 0.75)),
        "stem": ("none", "whiten"),
    },
    DEFAULT.block_alleles(1) | {"batch_norm_a": (True, False), "batch_norm_b": (True, False)},
)
#: The image sizes at which maps come down to one pixel after no pool, one, two, or three.
SIZES = [(1, 1), (1, 5), (2, 2), (2, 3), (4, 5), (8, 8), (50, 60), (130, 200)]


def silent_genes(genome, input_shape=(1, 8, 8)):
    """Give the genome's silent genes on images of this shape."""
    return genome.silent_genes(input_shape[1:])


class TestTheRules:
    """What genes.py says of a gene is what `decode` does with it."""

    @given(genome=genomes(WIDE, max_blocks=4), size=st.sampled_from(SIZES))
    def test_a_gene_is_silent_exactly_if_no_other_allele_changes_the_plan(self, genome, size):
        """Each gene against every other allele: all of them change the plan, or none does."""
        shape = (3, *size)
        silent, plan = genome.silent_genes(size), plan_of(genome, shape)
        for address, alleles in WIDE.varied_genes(len(genome.blocks)).items():
            others = [allele for allele in alleles if allele != genome.genes()[address]]
            changes = {plan_of(genome.with_genes({address: one}), shape) != plan for one in others}

            assert changes == {address not in silent}, address

    def test_every_gene_has_its_rules(self):
        """And none has two places: a network's and a block's have different names."""
        assert sorted(GENES) == sorted([*NETWORK_GENES, *BLOCK_GENES])

    def test_every_gene_has_a_choice_in_the_space_that_is_tested(self):
        """Or the first test would say nothing of it."""
        assert {address.rpartition(".")[2] for address in WIDE.varied_genes(1)} == {*GENES}


AMPLIFICATION_GENES = {
    "amplify_kind",
    "amplify_ratio",
    "amplify_factor",
    "amplify_measure",
    "amplify_threshold",
    "amplify_window",
}


class TestSilentGenes:
    def test_only_the_other_mode_s_genes_are_silent_when_everything_is_on(self):
        """Random amplification measures nothing; every other gene shows in the plan."""
        assert silent_genes(GENOME) == {"amplify_measure", "amplify_threshold"}

    def test_intelligent_amplification_draws_no_share(self):
        """The ratio is silent, measure and threshold are not."""
        assert silent_genes(GENOME.with_genes({"amplify": "intelligent"})) == {"amplify_ratio"}

    def test_amplification_off_silences_its_genes(self):
        """Six genes do nothing."""
        genome = GENOME.with_genes({"amplify": "off"})

        assert silent_genes(genome) == AMPLIFICATION_GENES
        assert plan_of(genome).amplification is None

    def test_a_factor_of_one_silences_the_other_amplification_genes(self):
        """To multiply by one is to do nothing: the mode is silent as well."""
        genome = GENOME.with_genes({"amplify_factor": 1.0})

        assert silent_genes(genome) == {"amplify", *AMPLIFICATION_GENES} - {"amplify_factor"}
        assert plan_of(genome) == plan_of(GENOME.with_genes({"amplify": "off"}))

    def test_without_batch_normalization_nothing_of_that_kind_can_be_amplified(self):
        """Only another kind, or a batch normalization, makes the genes speak."""
        genome = GENOME.with_genes({"blocks.0.batch_norm_a": False})

        assert silent_genes(genome) == {"amplify", *AMPLIFICATION_GENES} - {"amplify_kind"}
        assert plan_of(genome).amplification is None

    @pytest.mark.parametrize("kind", ["activation", "conv", "any"])
    def test_other_kinds_of_layer_are_always_there_to_amplify(self, kind):
        """Every network has convolutions and activations."""
        genome = GENOME.with_genes({"blocks.0.batch_norm_a": False, "amplify_kind": kind})
        amplification = plan_of(genome).amplification

        assert amplification is not None
        assert amplification.kind == kind

    def test_batch_normalization_of_convolution_b_counts_only_if_b_exists(self):
        """A silent batch normalization cannot be amplified."""
        genome = GENOME.with_genes({"blocks.0.batch_norm_a": False, "blocks.0.batch_norm_b": True})

        assert plan_of(genome).amplification is not None
        assert plan_of(genome.with_genes({"blocks.0.include_b": False})).amplification is None

    def test_without_a_pool_its_type_is_silent(self):
        """`pool_type` is a gene all the same: the paper counts it."""
        genome = GENOME.with_genes({"blocks.0.include_pool": False})

        assert "blocks.0.pool_type" in silent_genes(genome)

    def test_without_convolution_b_its_genes_are_silent(self):
        """Channels, kernel and batch normalization of b."""
        genome = GENOME.with_genes({"blocks.0.include_b": False})

        assert silent_genes(genome) - silent_genes(GENOME) == {
            "blocks.0.channels_b",
            "blocks.0.kernel_b",
            "blocks.0.batch_norm_b",
        }

    @pytest.mark.parametrize("input_shape", [(3, 1, 1), (3, 1, 8), (3, 8, 1)])
    def test_a_pool_that_would_bring_a_map_below_one_pixel_is_silent(self, input_shape):
        """One pixel in either direction cannot be halved."""
        assert {"blocks.0.include_pool", "blocks.0.pool_type"} <= silent_genes(GENOME, input_shape)
        assert plan_of(GENOME, input_shape).blocks[0].output_shape == (16, *input_shape[1:])

    def test_a_pool_of_two_by_two_pixels_is_not_silent(self):
        """It gives one pixel, the smallest map."""
        assert not {"blocks.0.include_pool", "blocks.0.pool_type"} & silent_genes(GENOME, (3, 2, 2))
        assert plan_of(GENOME, (3, 2, 2)).blocks[0].output_shape == (16, 1, 1)

    def test_a_pool_is_judged_by_its_own_block_s_maps(self):
        """Four pixels are halved twice; the third block's pool is silent."""
        genome = Genome(NETWORK, (BLOCK, BLOCK, BLOCK))
        plan = plan_of(genome, (3, 4, 5))

        assert [block.pools for block in plan.blocks] == [True, True, False]
        assert [block.output_shape for block in plan.blocks] == [(16, 2, 2), (16, 1, 1), (16, 1, 1)]
        assert plan == plan_of(genome.with_genes({"blocks.2.include_pool": False}), (3, 4, 5))

    def test_both_global_pools_are_one_on_a_single_pixel(self):
        """The largest of one value is its mean."""
        assert "head_pool" in silent_genes(GENOME, (1, 1, 1))
        assert "head_pool" not in silent_genes(GENOME, (1, 4, 4))
