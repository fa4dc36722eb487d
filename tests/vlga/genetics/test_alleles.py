"""Genes of which nothing is known: their space, the operators on it, and evolution in it."""

import re
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.synthetic import completed, failed
from vlga.errors import ConfigError, GenomeError
from vlga.genetics.crossover import aligned_crossover
from vlga.genetics.mutation_sets import mutate_growing
from vlga.genetics.sampling import sample
from vlga.genetics.space import SearchSpace
from vlga.strategies.any_space import AnyGenesEvolution

BLOCK = {"width": [8, 16, 32], "shape": [[3, 3], [5, 1]], "dropout": [0.0, 0.5]}
NETWORK = {"rate": [0.1, 0.01], "name": ["a"], "is_wide": [True, False]}
SPACE = SearchSpace.from_alleles(NETWORK, BLOCK)
TINY = SearchSpace.from_alleles({}, {"gene": [1, 2]})

dice = st.randoms(use_true_random=False)


def evolution(space=SPACE, **settings):
    return AnyGenesEvolution(
        space, **{"seed": 0, "population_size": 6, "max_blocks": 3, **settings}
    )


def n_wide(candidate):
    """Give a fitness that has an optimum: three blocks of width 32."""
    return sum(block.width for block in candidate.genome.blocks) / 96


class TestTheSpace:
    def test_has_the_genes_given(self):
        """In the order given, a list among the alleles as a tuple, which can be compared."""
        assert SPACE.network_alleles() == {
            "rate": (0.1, 0.01),
            "name": ("a",),
            "is_wide": (True, False),
        }
        assert SPACE.block_alleles(0) == SPACE.block_alleles(3)
        assert SPACE.block_alleles(0)["shape"] == ((3, 3), (5, 1))

    @given(dice=dice, n_blocks=st.integers(1, 5))
    def test_reads_what_a_genome_is_written_as(self, dice, n_blocks):
        """The dictionaries of a genome give it back, as they do after JSON."""
        genome = sample(SPACE, dice, n_blocks)
        written = genome.to_dict()

        assert SPACE.genome(written["network"], written["blocks"]) == genome
        assert written["blocks"][0]["shape"] in ([3, 3], [5, 1])

    def test_is_the_same_for_the_same_genes(self):
        """Genomes of two searches of one space compare as equal."""
        again = SearchSpace.from_alleles(NETWORK, BLOCK)

        assert again == SPACE
        assert sample(again, Random(0), 2) == sample(SPACE, Random(0), 2)

    @pytest.mark.parametrize(
        ("network", "block", "message"),
        [
            ({}, {}, "[space.block] must list the alleles of at least one gene"),
            ({"a b": [1]}, BLOCK, "[space.network] a gene's name must be one that Python allows"),
            ({"class": [1]}, BLOCK, "[space.network] a gene's name must be one that Python allows"),
            ({}, {"width": 8}, "[space.block] width must be a list of alleles, but got 8"),
            ({}, {"width": []}, "[space.block] width must list at least one allele and none twice"),
            ({}, {"width": [1, 1.0]}, "width must list at least one allele and none twice"),
            ({}, {"width": [float("nan")]}, "strings, finite numbers, true or false"),
            ({}, {"width": [max]}, "but got <built-in function max>; give it a name"),
            ({}, {"width": [[1, None]]}, "strings, finite numbers, true or false"),
        ],
    )
    def test_refuses_what_is_no_gene(self, network, block, message):
        """In one line: where, the rule, the value."""
        with pytest.raises(ConfigError, match=re.escape(message)):
            SearchSpace.from_alleles(network, block)

    @pytest.mark.parametrize(
        ("blocks", "message"),
        [
            ([], "must have at least one block"),
            ([{"width": 8, "dropout": 0.5}], "must have exactly the genes of its space.*'shape'"),
            ([{"width": 9, "dropout": 0.5, "shape": [3, 3]}], "must lie in its space.*9"),
            ([{"width": 8.0, "dropout": 0.5, "shape": [3, 3]}], "must lie in its space.*8.0"),
        ],
    )
    def test_refuses_genomes_of_another(self, blocks, message):
        """With a gene too few, and with an allele that is not listed or of another type."""
        with pytest.raises(GenomeError, match=message):
            SPACE.genome({"rate": 0.1, "name": "a", "is_wide": True}, blocks)


class TestOperators:
    @given(dice=dice, n_first=st.integers(1, 4), n_second=st.integers(1, 4))
    def test_stay_within_the_space(self, dice, n_first, n_second):
        """Crossed and mutated, at any lengths, whatever the genes are."""
        first, second = sample(SPACE, dice, n_first), sample(SPACE, dice, n_second)
        child = aligned_crossover(first, second, SPACE, dice)
        mutant, _ = mutate_growing(child, SPACE, dice, max_blocks=5)

        assert SPACE.contains(child)
        assert min(n_first, n_second) <= len(child.blocks) <= max(n_first, n_second)
        assert SPACE.contains(mutant)
        assert abs(len(mutant.blocks) - len(child.blocks)) <= 1


class TestEvolution:
    def test_finds_the_best_of_thousands(self):
        """After 150 of 6,960 genomes: it selects, and grows as far as it may."""
        strategy = evolution()
        for _ in range(150):
            (candidate,) = strategy.ask(1)
            strategy.tell(completed(candidate, n_wide(candidate)))

        assert strategy.best.accuracy == 1
        assert len(strategy.best.genome.blocks) == 3

    def test_gives_every_genome_of_a_small_space_then_ends(self):
        """Fingerprints tell genomes apart, and equal ones have the same."""
        strategy, found = evolution(TINY), set()
        while asked := strategy.ask(1):
            (candidate,) = asked
            found.add(candidate.fingerprint)
            strategy.tell(completed(candidate, 0.5))
        every = [
            TINY.genome({}, [{"gene": gene} for gene in genes])
            for n in (1, 2, 3)
            for genes in product((1, 2), repeat=n)
        ]

        assert strategy.finished
        assert found == {strategy._phenotypes.fingerprint(genome) for genome in every}
        assert len(found) == 14

    def test_proposes_the_genomes_given_before_any_other(self):
        """Though there are more than fit the population, which is then of them alone."""
        first = [sample(SPACE, Random(number), 2) for number in range(9)]
        strategy = evolution(first=first)
        asked = strategy.ask(9)

        assert [candidate.genome for candidate in asked] == first
        for candidate in asked:
            strategy.tell(completed(candidate, n_wide(candidate)))
        assert {one.genome for one in strategy.alive} < set(first)
        assert strategy.ask(1)[0].parents

    def test_replaces_a_founder_that_failed(self):
        """A population of failures is drawn again."""
        strategy = evolution()
        for candidate in strategy.ask(6):
            strategy.tell(failed(candidate))

        assert not any(candidate.parents for candidate in strategy.ask(6))

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            (
                {"population_size": 1},
                "population_size must be .* at least 2, but got population_size=1",
            ),
            ({"max_blocks": 0}, "max_blocks must be a whole number of at least 1"),
            ({"seed": -1}, "seed must be"),
        ],
    )
    def test_refuses_numbers_out_of_range(self, setting, message):
        """By the names of the arguments."""
        with pytest.raises(ConfigError, match=message):
            evolution(**setting)
