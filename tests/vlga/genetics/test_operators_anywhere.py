"""Operators that change a genome anywhere: any gene, or the number of blocks."""

import random
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS
from tests.vlga.genetics.test_operators import differences, genomes_of_a_space
from vlga.errors import GenomeError
from vlga.genetics.mutation import duplicate_block, insert_block, mutate_any_gene, remove_block
from vlga.genetics.sampling import sample
from vlga.networks.phenotype import decode

XIAO = PRESETS["xiao2020"]
DEFAULT = PRESETS["default"]


def remove_if_it_can(genome, space, rng):
    """Remove a block of a genome that has two."""
    return remove_block(genome, space, rng) if len(genome.blocks) > 1 else genome


OPERATORS = {
    "mutate": mutate_any_gene,
    "insert": insert_block,
    "duplicate": duplicate_block,
    "remove": remove_if_it_can,
}


@pytest.mark.parametrize("name", OPERATORS)
class TestEveryOne:
    @given(case=genomes_of_a_space(), rng=st.randoms())
    def test_gives_a_genome_of_the_space_and_of_the_right_length(self, name, case, rng):
        """By construction, also where the first block has other alleles; and it decodes."""
        space, genome = case
        result = OPERATORS[name](genome, space, rng)
        n_less = 1 if len(genome.blocks) > 1 else 0
        n_more = {"mutate": 0, "insert": 1, "duplicate": 1, "remove": -n_less}[name]

        space.check(result)
        assert len(result.blocks) == len(genome.blocks) + n_more
        assert min(decode(result, (1, 3, 3), 2).blocks[-1].output_shape) >= 1

    @given(case=genomes_of_a_space(), seed=st.integers())
    def test_depends_on_its_own_randomness_alone(self, name, case, seed):
        """Same arguments and seed, same result; neither `random` nor the argument is touched."""
        space, genome = case
        before = genome.to_json()
        random.seed(1)
        first = OPERATORS[name](genome, space, Random(seed))
        random.seed(2)
        state = random.getstate()

        assert OPERATORS[name](genome, space, Random(seed)) == first
        assert random.getstate() == state
        assert genome.to_json() == before


class TestMutateAnyGene:
    @given(genomes_of_a_space(), st.randoms())
    def test_changes_exactly_one_gene_that_has_a_choice(self, case, rng):
        """Network-wide or of any block; a space without choices gives the genome back."""
        space, genome = case
        varied = space.varied_genes(len(genome.blocks))
        changed = differences(mutate_any_gene(genome, space, rng), genome)

        assert len(changed) == (1 if varied else 0)
        assert changed <= set(varied)

    def test_changes_every_gene_equally_often(self):
        """Those of the first block as often as those of the last."""
        rng, n = Random(0), 8000
        genome = sample(XIAO, rng, 2)
        counts = Counter(
            address
            for _ in range(n)
            for address in differences(mutate_any_gene(genome, XIAO, rng), genome)
        )

        assert set(counts) == set(XIAO.varied_genes(2))
        for address, count in counts.items():
            assert count / n == pytest.approx(1 / len(counts), abs=0.015), address


class TestInsertBlock:
    @given(genomes_of_a_space(), st.randoms(), st.data())
    def test_leaves_the_other_blocks_as_they_are(self, case, rng, data):
        """But for genes of the first block that its new place does not allow."""
        space, genome = case
        place = data.draw(st.integers(0, len(genome.blocks)))
        longer = insert_block(genome, space, rng, place)
        others = (*longer.blocks[:place], *longer.blocks[place + 1 :])

        assert longer.network == genome.network
        assert others[1:] == genome.blocks[1:]
        if place > 0:
            assert others[0] == genome.blocks[0]
        for name, alleles in space.block_alleles(1).items():
            if getattr(genome.blocks[0], name) in alleles:
                assert getattr(others[0], name) == getattr(genome.blocks[0], name)

    def test_puts_it_everywhere_equally_often_and_draws_it_as_sample_does(self):
        """Before the first, between any two and after the last."""
        rng, n = Random(0), 4000
        genome = sample(XIAO, rng, 3).with_genes({"blocks.0.include_b": True})
        places, channels = Counter(), Counter()
        for _ in range(n):
            longer = insert_block(genome, XIAO, rng)
            rest = [list(longer.blocks) for _ in range(4)]
            for place in range(4):
                new = rest[place].pop(place)
                if tuple(rest[place]) == genome.blocks:
                    places[place] += 1
                    channels[new.channels_a] += 1
                    break

        assert {place: count / n for place, count in places.items()} == pytest.approx(
            dict.fromkeys(range(4), 1 / 4), abs=0.03
        )
        assert max(channels.values()) / n == pytest.approx(1 / 7, abs=0.03)

    def test_draws_anew_what_a_former_first_block_may_not_keep(self):
        """A first block pools for certain in the default space, and has kernels of 3 and 5 only."""
        genome = sample(DEFAULT, Random(0), 2)
        longer = insert_block(genome, DEFAULT, Random(0), place=0)

        assert longer.blocks[0].include_pool
        assert longer.blocks[1:] == genome.blocks


class TestDuplicateBlock:
    @given(genomes_of_a_space(), st.randoms(), st.data())
    def test_puts_an_equal_block_behind_and_leaves_the_others(self, case, rng, data):
        """But for genes that the second block may not have from the first."""
        space, genome = case
        place = data.draw(st.integers(0, len(genome.blocks) - 1))
        longer = duplicate_block(genome, space, rng, place)

        assert longer.network == genome.network
        assert longer.blocks[: place + 1] == genome.blocks[: place + 1]
        assert longer.blocks[place + 2 :] == genome.blocks[place + 1 :]
        for name, alleles in space.block_alleles(1).items():
            allele = getattr(genome.blocks[place], name)
            assert getattr(longer.blocks[place + 1], name) == allele or allele not in alleles

    def test_copies_every_block_equally_often(self):
        """Uniform over places."""
        rng, n = Random(0), 3000
        channels = {f"blocks.{index}.channels_a": 8 * 2**index for index in range(3)}
        genome = sample(XIAO, rng, 3).with_genes(channels)
        found = Counter(
            tuple(block.channels_a for block in duplicate_block(genome, XIAO, rng).blocks)
            for _ in range(n)
        )

        assert {channels: count / n for channels, count in found.items()} == pytest.approx(
            {(8, 8, 16, 32): 1 / 3, (8, 16, 16, 32): 1 / 3, (8, 16, 32, 32): 1 / 3}, abs=0.03
        )


class TestRemoveBlock:
    @given(genomes_of_a_space(), st.randoms(), st.data())
    def test_leaves_the_other_blocks_as_they_are(self, case, rng, data):
        """But for genes of a second block that becomes the first and may not keep them."""
        space, genome = case
        if len(genome.blocks) == 1:
            return
        place = data.draw(st.integers(0, len(genome.blocks) - 1))
        shorter = remove_block(genome, space, rng, place)
        others = (*genome.blocks[:place], *genome.blocks[place + 1 :])

        assert shorter.network == genome.network
        assert shorter.blocks[1:] == others[1:]
        for name, alleles in space.block_alleles(0).items():
            if getattr(others[0], name) in alleles:
                assert getattr(shorter.blocks[0], name) == getattr(others[0], name)

    def test_draws_anew_what_a_new_first_block_may_not_keep(self):
        """A block without convolution b can be the second in the paper's space, not the first."""
        genome = sample(XIAO, Random(0), 3).with_genes(
            {"blocks.1.include_b": False, "blocks.1.channels_a": 128}
        )
        for seed in range(50):
            first = remove_block(genome, XIAO, Random(seed), place=0).blocks[0]

            assert (first.include_b, first.channels_a) == (True, 128)

    def test_removes_every_block_equally_often(self):
        """Uniform over places."""
        rng, n = Random(0), 3000
        genome = sample(XIAO, rng, 3).with_genes(
            {f"blocks.{index}.channels_a": 8 * 2**index for index in range(3)}
            | {"blocks.1.include_b": True}
        )
        left = Counter(
            tuple(block.channels_a for block in remove_block(genome, XIAO, rng).blocks)
            for _ in range(n)
        )

        assert {channels: count / n for channels, count in left.items()} == pytest.approx(
            {(16, 32): 1 / 3, (8, 32): 1 / 3, (8, 16): 1 / 3}, abs=0.03
        )

    def test_refuses_to_take_the_only_block(self):
        """A network has at least one."""
        with pytest.raises(GenomeError, match="genome of at least 2, but got 1 block"):
            remove_block(sample(XIAO, Random(0)), XIAO, Random(0))
