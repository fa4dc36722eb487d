"""Crossover of genomes of different length: which block stands beside which, and who gives what."""

import itertools
import random
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, genomes, presets, spaces
from tests.vlga.genetics.test_operators import genomes_of_a_space
from vlga.genetics.crossover import align, aligned_crossover, uniform_crossover
from vlga.genetics.genes import BLOCK_GENES
from vlga.genetics.genome import Genome
from vlga.genetics.sampling import sample
from vlga.genetics.space import SearchSpace
from vlga.networks.phenotype import decode

XIAO = PRESETS["xiao2020"]


@st.composite
def two_of_a_space(draw):
    """A space, whole or a part, and two of its genomes of any lengths."""
    space = draw(presets() | spaces())
    return space, draw(genomes(space, 1, 5)), draw(genomes(space, 1, 5))


def n_equal(blocks, others):
    """Count the genes that agree, block by block."""
    return sum(
        getattr(one, name) == getattr(other, name)
        for one, other in zip(blocks, others, strict=True)
        for name in BLOCK_GENES
    )


def blocks_of(*channels):
    """Give blocks that differ in every gene that has as many alleles, told apart by a number."""
    block = sample(XIAO, Random(0), 2).blocks[1]
    return tuple(
        replace(block, channels_a=number, kernel_a=number, channels_b=number, kernel_b=number)
        for number in channels
    )


class TestAlign:
    @given(two_of_a_space())
    def test_no_other_order_of_the_same_has_more_in_common(self, case):
        """Against every way to choose places; of equally good ones it is the first."""
        _, first, second = case
        longer, shorter = sorted((first.blocks, second.blocks), key=len, reverse=True)
        places = align(longer, shorter)
        scores = {
            chosen: n_equal(shorter, [longer[place] for place in chosen])
            for chosen in itertools.combinations(range(len(longer)), len(shorter))
        }

        assert scores[places] == max(scores.values())
        assert len(longer) != len(shorter) or places == tuple(range(len(longer)))

    @pytest.mark.parametrize(
        ("longer", "shorter", "places"),
        [
            ((1, 2, 3), (1, 2, 3), (0, 1, 2)),
            ((1, 2, 3), (1, 3), (0, 2)),
            ((1, 2, 3), (2, 3), (1, 2)),
            ((1, 2, 3, 4), (2,), (1,)),
            ((1, 1, 2), (1, 2), (0, 2)),
            ((1, 2, 3), (8, 9), (0, 1)),
            ((1, 2, 3), (3, 9), (0, 1)),
        ],
        ids=["equal", "middle", "first", "single", "copy", "strangers", "out of order"],
    )
    def test_finds_what_was_put_in(self, longer, shorter, places):
        """Wherever a block was inserted, the others stand beside themselves."""
        assert align(blocks_of(*longer), blocks_of(*shorter)) == places


class TestAlignedCrossover:
    @given(case=two_of_a_space(), rng=st.randoms())
    def test_gives_a_genome_of_the_space_as_long_as_a_parent_or_in_between(self, case, rng):
        """By construction; and it decodes."""
        space, first, second = case
        lengths = sorted((len(first.blocks), len(second.blocks)))
        child = aligned_crossover(first, second, space, rng)

        space.check(child)
        assert lengths[0] <= len(child.blocks) <= lengths[1]
        assert min(decode(child, (1, 3, 3), 2).blocks[-1].output_shape) >= 1

    @given(case=two_of_a_space(), seed=st.integers())
    def test_depends_on_its_own_randomness_alone(self, case, seed):
        """Same arguments and seed, same result; neither `random` nor a parent is touched."""
        space, first, second = case
        before = first.to_json(), second.to_json()
        random.seed(1)
        child = aligned_crossover(first, second, space, Random(seed))
        random.seed(2)
        state = random.getstate()

        assert aligned_crossover(first, second, space, Random(seed)) == child
        assert random.getstate() == state
        assert (first.to_json(), second.to_json()) == before

    @given(case=genomes_of_a_space(2), seed=st.integers())
    def test_of_equally_long_parents_is_the_uniform_crossover(self, case, seed):
        """Block beside block, gene by gene."""
        space, first, second = case

        assert aligned_crossover(first, second, space, Random(seed)) == uniform_crossover(
            first, second, Random(seed)
        )

    @given(two_of_a_space(), st.randoms())
    def test_every_block_is_of_blocks_side_by_side_in_their_order(self, case, rng):
        """Or is one that only the longer has, whole: some choice of these explains the child."""
        space, first, second = case
        # One alphabet of alleles for all blocks: none has to be drawn anew.
        space = SearchSpace(space.network, space.block, space.block)
        first, second = (
            Genome(one.network, (*one.blocks[1:], *sample(space, rng).blocks))
            for one in (first, second)
        )
        longer, shorter = sorted((first.blocks, second.blocks), key=len, reverse=True)
        places = align(longer, shorter)
        child = aligned_crossover(first, second, space, rng)

        beside = dict(zip(places, shorter, strict=True))

        def explains(kept):
            return all(
                getattr(block, name)
                in {getattr(longer[place], name), getattr(beside.get(place, longer[place]), name)}
                for block, place in zip(child.blocks, kept, strict=True)
                for name in BLOCK_GENES
            )

        assert any(
            explains(kept)
            for kept in itertools.combinations(range(len(longer)), len(child.blocks))
            if set(places) <= set(kept)
        )
        for name, allele in child.genes().items():
            if "." not in name:
                assert allele in {first.genes()[name], second.genes()[name]}

    def test_lengths_and_genes_are_each_parent_s_equally_often(self):
        """Two lone blocks give every length by the coin; a gene is either parent's."""
        rng, n = Random(0), 4000
        network = sample(XIAO, rng).network
        long, short = Genome(network, blocks_of(1, 2, 3)), Genome(network, blocks_of(2))
        short = short.with_genes({"blocks.0.skip": not long.blocks[1].skip})
        free = SearchSpace(XIAO.network, _any_of(XIAO), _any_of(XIAO))
        found, skips = Counter(), 0
        for _ in range(n):
            child = aligned_crossover(short, long, free, rng)
            found[tuple(block.channels_a for block in child.blocks)] += 1
            [crossed] = [block for block in child.blocks if block.channels_a == 2]
            skips += crossed.skip

        assert {channels: count / n for channels, count in found.items()} == pytest.approx(
            {(2,): 1 / 4, (1, 2): 1 / 4, (2, 3): 1 / 4, (1, 2, 3): 1 / 4}, abs=0.03
        )
        assert skips / n == pytest.approx(1 / 2, abs=0.03)


def _any_of(space):
    """Give a block's alleles with the numbers 1 to 3 among those of its sizes."""
    return tuple(
        (1, 2, 3) if name.startswith(("channels", "kernel")) else alleles
        for name, alleles in zip(BLOCK_GENES, space.block, strict=True)
    )
