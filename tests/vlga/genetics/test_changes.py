"""What a child has that its parent had not."""

from dataclasses import replace

import pytest
from hypothesis import given

from tests.support.generators import genomes
from tests.support.records import genome
from vlga.genetics.changes import allele_text, changed_genes, changes_text
from vlga.genetics.genome import Genome

ONE, TWO = genome(1), genome(2)
(BLOCK,) = ONE.blocks
WIDE, TINY = replace(BLOCK, channels_a=64), replace(BLOCK, kernel_a=1, skip=False)


def of(*blocks):
    """Give a genome of these blocks."""
    return Genome(ONE.network, blocks)


@pytest.mark.parametrize(
    ("parent", "child", "words"),
    [
        (ONE, ONE, ""),
        (ONE, genome(1, 0.05), "learning_rate 0.1 → 0.05"),
        (of(BLOCK, BLOCK), of(BLOCK, WIDE), "blocks.1.channels_a 16 → 64"),
        (of(BLOCK), of(TINY), "blocks.0.kernel_a 3 → 1, blocks.0.skip yes → no"),
        (of(BLOCK), of(BLOCK, BLOCK), "block 1 added"),
        (of(BLOCK), of(WIDE, BLOCK), "block 0 added"),
        (of(BLOCK, WIDE), of(BLOCK, TINY, WIDE), "block 1 added"),
        (of(BLOCK, TINY, WIDE), of(BLOCK, WIDE), "block 1 removed"),
        (of(BLOCK), of(BLOCK, WIDE, TINY), "block 1 added, block 2 added"),
        (of(BLOCK, WIDE), of(BLOCK, TINY, BLOCK), "blocks 1 to 1 replaced by 1 to 2"),
        (ONE, genome(2, 0.05), "learning_rate 0.1 → 0.05, block 1 added"),
    ],
)
def test_changes_in_words(parent, child, words):
    """A block put in or taken out is one change, wherever it stood."""
    assert changes_text(child, parent) == words


def test_genes_of_a_block_that_went_are_changes_to_none():
    """And those of one that came are changes from it."""
    assert changed_genes(ONE, TWO)["blocks.1.kernel_a"] == (3, None)
    assert changed_genes(TWO, ONE)["blocks.1.kernel_a"] == (None, 3)
    assert changed_genes(TWO, TWO) == {}


@given(genomes(max_blocks=3), genomes(max_blocks=3))
def test_there_are_words_exactly_where_there_are_changes(parent, child):
    """Whatever the two genomes."""
    assert bool(changes_text(child, parent)) == bool(changed_genes(child, parent))
    assert bool(changed_genes(child, parent)) == (child != parent)


@pytest.mark.parametrize(
    ("allele", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (0.0005, "0.0005"),
        (2.0, "2"),
        (64, "64"),
        ("relu", "relu"),
        ((0.25, 0.85), "0.25-0.85"),
    ],
)
def test_alleles_as_a_person_writes_them(allele, text):
    """Without a zero too many."""
    assert allele_text(allele) == text
