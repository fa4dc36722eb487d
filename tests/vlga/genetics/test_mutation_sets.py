"""The mutations of strategies without phases: which there are, what each does."""

import random
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, input_shapes
from tests.vlga.genetics.test_operators import differences, genomes_of_a_space
from vlga.genetics.genes import GENES
from vlga.genetics.mutation_sets import (
    large_scale_mutations,
    mutate_anywhere,
    mutate_growing,
    mutate_large_scale,
)
from vlga.genetics.sampling import sample
from vlga.genetics.space import SearchSpace
from vlga.networks.phenotype import decode

XIAO = PRESETS["xiao2020"]
DEFAULT = PRESETS["default"]
MAX_BLOCKS = 3
ALL = {
    "anywhere": mutate_anywhere,
    "growing": mutate_growing,
    "large_scale": lambda *args: mutate_large_scale(*args, silent=(), inherits=True),
}


def single(space):
    """Give the space of the first allele of every gene."""
    network, block, _ = (
        tuple(alleles[:1] for alleles in part)
        for part in (space.network, space.block, space.first_block)
    )
    return SearchSpace(network, block, block)


def depth(genome):
    """Count convolutions."""
    return sum(1 + block.include_b for block in genome.blocks)


@pytest.mark.parametrize("name", ALL)
class TestAll:
    @given(case=genomes_of_a_space(), rng=st.randoms())
    def test_give_a_genome_of_the_space_within_the_length_allowed(self, name, case, rng):
        """At most a block more or less; the limit does not cut what is longer already."""
        space, genome = case
        mutant, _ = ALL[name](genome, space, rng, MAX_BLOCKS)
        n_before, n_after = len(genome.blocks), len(mutant.blocks)

        space.check(mutant)
        assert abs(n_after - n_before) <= 1
        assert 1 <= n_after <= max(MAX_BLOCKS, n_before)
        assert decode(mutant, (1, 3, 3), 2).depth == depth(mutant)

    @given(case=genomes_of_a_space(), seed=st.integers())
    def test_depend_on_their_own_randomness_alone(self, name, case, seed):
        """Same arguments and seed, same result; neither `random` nor the argument is touched."""
        space, genome = case
        before = genome.to_json()
        random.seed(1)
        first = ALL[name](genome, space, Random(seed), MAX_BLOCKS)
        random.seed(2)
        state = random.getstate()

        assert ALL[name](genome, space, Random(seed), MAX_BLOCKS) == first
        assert random.getstate() == state
        assert genome.to_json() == before


class TestMutateAnywhere:
    def test_does_what_it_says_with_equal_chance(self):
        """A gene, a block more, a block less: a third each."""
        rng, n = Random(0), 3000
        genome = sample(XIAO, rng, 2)
        counts = Counter()
        for _ in range(n):
            mutant, operator = mutate_anywhere(genome, XIAO, rng, 3)
            counts[operator] += 1
            n_more = {"mutate_any_gene": 0, "insert_block": 1, "remove_block": -1}[operator]
            assert len(mutant.blocks) == 2 + n_more

        for count in counts.values():
            assert count / n == pytest.approx(1 / 3, abs=0.03)

    @pytest.mark.parametrize(
        ("n_blocks", "never"), [(1, "remove_block"), (MAX_BLOCKS, "insert_block")]
    )
    def test_leaves_out_what_cannot_be_done(self, n_blocks, never):
        """The only block stays, and the longest genome is not lengthened."""
        genome = sample(XIAO, Random(0), n_blocks)
        operators = {
            mutate_anywhere(genome, XIAO, Random(seed), MAX_BLOCKS)[1] for seed in range(50)
        }

        assert operators == {"mutate_any_gene", "insert_block", "remove_block"} - {never}

    def test_gives_back_what_nothing_can_be_done_with(self):
        """In a space of one network."""
        space = single(XIAO)
        genome = sample(space, Random(0))

        assert mutate_anywhere(genome, space, Random(0), 1) == (genome, "identity")


class TestMutateGrowing:
    def test_lengthens_twice_as_often_as_it_shortens(self):
        """A gene, an insertion, a copy, a removal: a quarter each."""
        rng, n = Random(0), 4000
        genome = sample(XIAO, rng, 2)
        counts = Counter()
        for _ in range(n):
            mutant, operator = mutate_growing(genome, XIAO, rng, 3)
            counts[operator] += 1
            assert len(mutant.blocks) == 2 + {
                "mutate_any_gene": 0, "insert_block": 1, "duplicate_block": 1, "remove_block": -1
            }[operator]  # fmt: skip

        assert len(counts) == 4
        for count in counts.values():
            assert count / n == pytest.approx(1 / 4, abs=0.03)

    def test_never_lengthens_the_longest(self):
        """Nor takes the only block, nor does anything in a space of one network."""
        long, short = sample(XIAO, Random(0), MAX_BLOCKS), sample(XIAO, Random(0), 1)
        of_long = {mutate_growing(long, XIAO, Random(seed), MAX_BLOCKS)[1] for seed in range(50)}
        of_short = {mutate_growing(short, XIAO, Random(seed), MAX_BLOCKS)[1] for seed in range(50)}
        only = sample(single(XIAO), Random(0))

        assert of_long == {"mutate_any_gene", "remove_block"}
        assert of_short == {"mutate_any_gene", "insert_block", "duplicate_block"}
        assert mutate_growing(only, single(XIAO), Random(0), 1) == (only, "identity")


class TestLargeScale:
    @given(case=genomes_of_a_space(), inherits=st.booleans(), rng=st.randoms())
    def test_every_mutation_does_what_its_name_says(self, case, inherits, rng):
        """In the space; and the network is another, unless that is the point."""
        space, genome = case
        silent = genome.silent_genes((8, 8))
        for name, mutation in large_scale_mutations(
            genome, space, MAX_BLOCKS, silent=silent, inherits=inherits
        ).items():
            mutant = mutation(rng)
            space.check(mutant)
            n_more = len(mutant.blocks) - len(genome.blocks)
            if name in {"identity", "reset_weights"}:
                assert inherits
                assert mutant == genome
                continue
            assert mutant != genome
            if name == "insert_convolution":
                assert n_more in {0, 1}
                assert n_more or depth(mutant) == depth(genome) + 1
                continue
            if name == "remove_convolution":
                assert n_more in {0, -1}
                continue
            [address] = differences(mutant, genome)
            gene = address.rpartition(".")[2]
            assert name == GENES[gene].altered_by or (gene, name[-5:]) == ("skip", "_skip")
            if gene == "skip":
                assert mutant.genes()[address] == (name == "add_skip")

    @given(case=genomes_of_a_space(), shape=input_shapes(), rng=st.randoms())
    def test_no_silent_gene_is_altered(self, case, shape, rng):
        """What changes no network would be trained for nothing: every alteration shows."""
        space, genome = case
        plan = decode(genome, shape, 2)
        for name, mutation in large_scale_mutations(
            genome, space, MAX_BLOCKS, silent=genome.silent_genes(shape[1:]), inherits=False
        ).items():
            assert decode(mutation(rng), shape, 2) != plan, name

    def test_in_the_default_space_there_are_all_of_them(self):
        """Eleven, with equal chance, on a genome that can be changed in every way."""
        genome = sample(DEFAULT, Random(0), 2).with_genes(
            {"blocks.0.skip": True, "blocks.1.skip": False, "blocks.1.include_b": True}
        )
        rng, n = Random(0), 5500
        counts = Counter(
            mutate_large_scale(genome, DEFAULT, rng, 3, silent=(), inherits=True)[1]
            for _ in range(n)
        )

        assert set(counts) == {
            "identity", "reset_weights", "insert_convolution", "remove_convolution", "add_skip",
            "remove_skip", "alter_training", "alter_channels", "alter_kernel", "alter_pool",
            "alter_other",
        }  # fmt: skip
        for count in counts.values():
            assert count / n == pytest.approx(1 / 11, abs=0.02)

    def test_convolutions_come_and_go_at_every_place(self):
        """A block's b, or a block of one convolution before, between or behind the others."""
        genome = sample(XIAO, Random(0), 2).with_genes({"blocks.1.include_b": False})
        found = Counter()
        for seed in range(300):
            for name in ("insert_convolution", "remove_convolution"):
                mutations = large_scale_mutations(genome, XIAO, 3, silent=(), inherits=False)
                found[name, tuple(b.include_b for b in mutations[name](Random(seed)).blocks)] += 1

        assert set(found) == {
            ("insert_convolution", (True, True)),
            ("insert_convolution", (True, True, False)),
            ("insert_convolution", (True, False, False)),
            ("remove_convolution", (True,)),
        }

    def test_without_inheritance_training_on_is_none(self):
        """Nor is forgetting: both would give a network that is known."""
        genome = sample(DEFAULT, Random(0))

        assert not {"identity", "reset_weights"} & set(
            large_scale_mutations(genome, DEFAULT, 3, silent=(), inherits=False)
        )

    def test_gives_back_what_nothing_can_be_done_with(self):
        """In a space of one network, without weights."""
        space = single(XIAO)
        genome = sample(space, Random(0))

        assert mutate_large_scale(genome, space, Random(0), 1, silent=(), inherits=False) == (
            genome,
            "identity",
        )
