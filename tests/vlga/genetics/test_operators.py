"""What every operator that makes genomes promises: in the space, by the rule, from its own dice.

Where any draw must do, Hypothesis plays the dice (`st.randoms`); where the distribution matters, a
seeded `Random` does.
"""

import random
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, genomes, presets, spaces
from tests.support.synthetic import Coins
from vlga.errors import GenomeError
from vlga.genetics.crossover import uniform_crossover
from vlga.genetics.mutation import mutate_one_gene
from vlga.genetics.sampling import grow, order_widths, sample, shrink
from vlga.networks.phenotype import decode

XIAO = PRESETS["xiao2020"]
DEFAULT = PRESETS["default"]


@st.composite
def genomes_of_a_space(draw, n=1):
    """A space, whole or a part, and `n` of its genomes of one length."""
    space = draw(presets() | spaces())
    n_blocks = draw(st.integers(1, 4))
    return (space, *(draw(genomes(space, n_blocks, n_blocks)) for _ in range(n)))


def differences(one, other):
    """Give the addresses of the genes in which two genomes of one length differ."""
    theirs = other.genes()
    return {address for address, allele in one.genes().items() if allele != theirs[address]}


def vary(name, space, one, other, rng):
    """Apply the operator of this name to as much of the case as it takes."""
    match name:
        case "sample":
            return sample(space, rng, len(one.blocks))
        case "order_widths":
            return order_widths(one, space)
        case "grow":
            return grow(one, space, rng)
        case "uniform_crossover":
            return uniform_crossover(one, other, rng)
        case "mutate_one_gene":
            return mutate_one_gene(one, space, rng)
        case "shrink":
            return shrink(one, space, rng) or one


VARIATIONS = ["sample", "order_widths", "grow", "uniform_crossover", "mutate_one_gene", "shrink"]


@pytest.mark.parametrize("name", VARIATIONS)
class TestEveryVariation:
    @given(case=genomes_of_a_space(2), rng=st.randoms())
    def test_gives_a_genome_of_the_space_and_of_the_right_length(self, name, case, rng):
        """By construction: one block more for `grow`, as many as before for the others."""
        space, one, other = case
        result = vary(name, space, one, other, rng)

        assert space.contains(result)
        assert len(result.blocks) == len(one.blocks) + (name == "grow")

    @given(case=genomes_of_a_space(2), seed=st.integers())
    def test_depends_on_its_own_randomness_alone(self, name, case, seed):
        """Same arguments and seed, same result; the global `random` is neither read nor moved."""
        space, one, other = case
        before = (one.to_json(), other.to_json())
        random.seed(1)
        first = vary(name, space, one, other, Random(seed))
        random.seed(2)
        state = random.getstate()
        second = vary(name, space, one, other, Random(seed))

        assert first == second
        assert random.getstate() == state
        assert (one.to_json(), other.to_json()) == before


class TestSample:
    def test_draws_every_allele_of_every_gene_equally_often(self):
        """Uniform over alleles, silent genes included."""
        rng, n = Random(0), 7000
        counts = Counter(gene for _ in range(n) for gene in sample(XIAO, rng, 2).genes().items())

        for address, alleles in {**XIAO.searched_genes(0), **XIAO.searched_genes(1)}.items():
            for allele in alleles:
                share = counts[address, allele] / n
                assert share == pytest.approx(1 / len(alleles), abs=0.03), (address, allele)

    def test_gives_one_block_unless_told_otherwise(self):
        """The first phase's length."""
        assert len(sample(XIAO, Random(0)).blocks) == 1


class TestGrow:
    @given(case=genomes_of_a_space(), rng=st.randoms())
    def test_keeps_the_prefix_and_appends_one_block(self, case, rng):
        """The winner's blocks come first, unchanged."""
        space, genome = case
        grown = grow(genome, space, rng)

        assert grown.blocks[:-1] == genome.blocks
        assert len(grown.blocks) == len(genome.blocks) + 1

    @given(case=genomes_of_a_space(), rng=st.randoms())
    def test_keeps_network_wide_genes_that_no_later_phase_searches(self, case, rng):
        """The activation above all: inherited weights are trained for it."""
        space, genome = case
        grown = grow(genome, space, rng)
        searched = space.searched_genes(len(genome.blocks))

        assert grown.network.activation == genome.network.activation
        assert {address for address in grown.changes_from(genome) if "." not in address} <= set(
            searched
        )

    @given(genomes(XIAO), st.randoms())
    def test_keeps_the_whole_inherited_chromosome_in_the_paper_s_space(self, genome, rng):
        """There only the new block is searched."""
        assert grow(genome, XIAO, rng).network == genome.network

    def test_redraws_half_of_the_other_network_wide_genes(self):
        """Each is kept or drawn anew with equal chance: of four alleles, 3/8 change."""
        rng, n = Random(0), 3000
        genome = sample(DEFAULT, rng)
        changes = Counter(
            address for _ in range(n) for address in grow(genome, DEFAULT, rng).changes_from(genome)
        )

        assert changes["learning_rate"] / n == pytest.approx(1 / 2 * 3 / 4, abs=0.03)
        assert changes["head_pool"] / n == pytest.approx(1 / 2 * 1 / 2, abs=0.03)
        assert changes["activation"] == 0

    def test_draws_the_new_block_as_sample_does(self):
        """Uniform over its alleles."""
        rng, n = Random(0), 4000
        genome = sample(XIAO, rng)
        counts = Counter(grow(genome, XIAO, rng).blocks[-1].channels_a for _ in range(n))

        assert set(counts) == {8, 16, 32, 64, 128, 256, 512}
        assert max(counts.values()) / n == pytest.approx(1 / 7, abs=0.03)


class TestUniformCrossover:
    @given(genomes_of_a_space(2), st.randoms())
    def test_takes_each_gene_from_one_parent_at_the_same_place(self, case, rng):
        """Nothing is invented and nothing moves."""
        _, one, other = case
        child = uniform_crossover(one, other, rng).genes()

        for address, allele in child.items():
            assert allele in (one.genes()[address], other.genes()[address])

    @given(genomes_of_a_space(), st.randoms())
    def test_of_equal_parents_gives_their_equal(self, case, rng):
        """A child of one genome is that genome."""
        _, genome = case

        assert uniform_crossover(genome, genome, rng) == genome

    @given(genomes(XIAO, 1, 2), genomes(XIAO, 3, 4), st.randoms())
    def test_refuses_parents_of_different_lengths(self, one, other, rng):
        """Inside a phase all are equally long; the message has both lengths."""
        lengths = f"got {len(one.blocks)} and {len(other.blocks)} blocks"
        with pytest.raises(GenomeError, match=f"needs parents of one phase, but {lengths}"):
            uniform_crossover(one, other, rng)

    def test_a_coin_below_one_half_takes_the_other_parent_s_gene(self):
        """Worked by hand: three genes differ, so three coins are tossed."""
        one = sample(XIAO, Random(0))
        theirs = {
            "activation": "relu" if one.network.activation != "relu" else "elu",
            "blocks.0.kernel_a": 3 if one.blocks[0].kernel_a != 3 else 5,
            "blocks.0.skip": not one.blocks[0].skip,
        }
        coins = Coins(0.49, 0.5, 0.0)
        child = uniform_crossover(one, one.with_genes(theirs), coins)

        assert differences(child, one) == {"activation", "blocks.0.skip"}
        assert coins.draws == []

    def test_takes_half_of_the_differing_genes_from_each_parent(self):
        """Every gene by itself, with equal chance."""
        rng, n = Random(0), 2000
        one, other = sample(DEFAULT, rng, 2), sample(DEFAULT, rng, 2)
        counts = Counter(
            address
            for _ in range(n)
            for address in differences(uniform_crossover(one, other, rng), one)
        )

        assert set(counts) == differences(one, other)
        for address, count in counts.items():
            assert count / n == pytest.approx(0.5, abs=0.05), address


class TestMutateOneGene:
    @given(genomes_of_a_space(), st.randoms())
    def test_changes_exactly_one_searched_gene(self, case, rng):
        """In the last block or network-wide, never in the prefix; the new allele differs."""
        space, genome = case
        searched = space.searched_genes(len(genome.blocks) - 1)
        changed = differences(mutate_one_gene(genome, space, rng), genome)

        assert len(changed) == (1 if searched else 0)
        assert changed <= set(searched)

    @given(genomes(min_blocks=2), st.randoms())
    def test_leaves_the_prefix_as_it_is(self, genome, rng):
        """And the activation that its weights were trained for."""
        space = XIAO if XIAO.contains(genome) else DEFAULT
        mutant = mutate_one_gene(genome, space, rng)

        assert mutant.blocks[:-1] == genome.blocks[:-1]
        assert mutant.network.activation == genome.network.activation

    def test_without_a_searched_gene_gives_the_genome_back(self):
        """A space of single alleles has nothing to change."""
        network = {name: alleles[0] for name, alleles in XIAO.network_alleles().items()}
        block = {name: alleles[0] for name, alleles in XIAO.block_alleles(1).items()}
        space = type(XIAO).from_settings(network, block)
        genome = sample(space, Random(0))

        assert mutate_one_gene(genome, space, Random(0)) is genome

    def test_changes_every_gene_and_takes_every_other_allele_equally_often(self):
        """Uniform over genes, then over the gene's other alleles."""
        rng, n = Random(0), 6000
        genome = sample(XIAO, rng)
        counts = Counter(
            (address, ours)
            for _ in range(n)
            for address, (_, ours) in mutate_one_gene(genome, XIAO, rng)
            .changes_from(genome)
            .items()
        )

        for address, alleles in XIAO.searched_genes(0).items():
            for allele in alleles:
                share = counts[address, allele] / n
                is_own = allele == genome.genes()[address]
                expected = 0 if is_own else 1 / 10 / (len(alleles) - 1)
                assert share == pytest.approx(expected, abs=0.02), (address, allele)


class TestOrderWidths:
    @given(genomes_of_a_space())
    def test_no_layer_is_narrower_than_the_same_one_of_the_block_before(self, case):
        """Where the space allows it; the widths are those that there were, and all else is."""
        space, genome = case
        ordered = order_widths(genome, space)
        rising = {
            f"blocks.{index}.channels_{layer}": channels
            for layer in "ab"
            for index, channels in enumerate(
                sorted(getattr(block, f"channels_{layer}") for block in genome.blocks)
            )
        }
        expected = genome.with_genes(rising)

        assert ordered == (expected if space.contains(expected) else genome)
        assert order_widths(ordered, space) == ordered

    @given(genomes(DEFAULT, 1, 5))
    def test_the_preset_allows_every_order(self, genome):
        """Each of its blocks may have any of its widths."""
        ordered = order_widths(genome, DEFAULT)
        widths = [block.channels_a for block in ordered.blocks]

        assert widths == sorted(widths)


class TestShrink:
    @given(genomes_of_a_space(), st.randoms())
    def test_is_one_step_in_one_block_that_may_change(self, case, rng):
        """The next lower size with no other between, convolution b left out, or a pool put in."""
        space, genome = case
        first_block = rng.randrange(len(genome.blocks))
        smaller = shrink(genome, space, rng, first_block)
        if smaller is None:
            return
        [(address, (old, new))] = smaller.changes_from(genome).items()
        _, index, name = address.split(".")

        assert first_block <= int(index) < len(genome.blocks)
        assert space.contains(smaller)
        if name in {"channels_a", "kernel_a", "channels_b", "kernel_b"}:
            assert new < old
            assert not [a for a in space.block_alleles(int(index))[name] if new < a < old]
        else:
            assert (name, new) in {("include_b", False), ("include_pool", True)}

    @given(genomes_of_a_space(), st.randoms(), st.sampled_from(["n_macs", "activation_bytes"]))
    def test_takes_only_steps_that_help_as_long_as_there_are_any(self, case, rng, cost):
        """In the end no step at all lowers the cost."""
        space, genome = case

        def cost_of(one):
            return getattr(decode(one, (3, 16, 16), 10), cost)

        def lower(genome):
            before = cost_of(genome)
            return shrink(genome, space, rng, helps=lambda one: cost_of(one) < before)

        while (smaller := lower(genome)) is not None:
            assert cost_of(smaller) < cost_of(genome)
            genome = smaller

        for index, block in enumerate(genome.blocks):
            alleles = space.block_alleles(index)
            assert block.channels_a == min(alleles["channels_a"])
            if block.include_b and False in alleles["include_b"]:  # b may have fewer channels
                without_b = genome.with_genes({f"blocks.{index}.include_b": False})
                assert cost_of(without_b) >= cost_of(genome)

    def test_draws_every_step_as_often(self):
        """From a block with two lower sizes, a convolution b to leave out and no pool."""
        small = {"channels_b": 8, "kernel_b": 1, "include_b": True, "include_pool": False}
        large = {"channels_a": 512, "kernel_a": 9}
        genome = sample(XIAO, Random(0), 2).with_genes(
            {f"blocks.1.{name}": allele for name, allele in {**small, **large}.items()}
        )
        counts = Counter(
            address
            for seed in range(2000)
            for address in shrink(genome, XIAO, Random(seed), 1).changes_from(genome)
        )

        assert {address.split(".")[2] for address in counts} == {
            "channels_a", "kernel_a", "include_b", "include_pool",
        }  # fmt: skip
        assert min(counts.values()) > 400

    def test_does_not_touch_a_silent_convolution(self):
        """What costs nothing cannot be made cheaper."""
        genome = sample(XIAO, Random(0), 2).with_genes(
            {
                "blocks.1.include_b": False,
                "blocks.1.include_pool": True,
                "blocks.1.channels_a": 8,
                "blocks.1.kernel_a": 1,
                "blocks.1.channels_b": 512,
            }
        )

        assert shrink(genome, XIAO, Random(0), first_block=1) is None
