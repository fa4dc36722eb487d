"""Which layers of a child's inherit from which of its parent's."""

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.vlga.genetics.test_operators import genomes_of_a_space
from vlga.execution.inheritance import shared_layers
from vlga.genetics.mutation import insert_block, mutate_any_gene, remove_block
from vlga.networks.phenotype import decode

SHAPE = (2, 9, 9)


def layers_and_plans(child, parent):
    """Give the layers shared, as pairs of block indices, and both plans' blocks."""
    plans = decode(child, SHAPE, 3), decode(parent, SHAPE, 3)
    *blocks, classifier = shared_layers(*plans)
    assert classifier == ("classifier", "classifier")
    if plans[0].stem and plans[1].stem:
        assert blocks.pop(0) == ("stem", "stem")
    pairs = [tuple(int(name.removeprefix("blocks.")) for name in pair) for pair in blocks]
    return pairs, plans[0].blocks, plans[1].blocks


@given(genomes_of_a_space(), st.randoms(), st.data())
def test_a_block_inserted_anywhere_is_new_and_the_others_are_not(case, rng, data):
    """Those before it inherit from their place, those behind it from one place before."""
    space, parent = case
    place = data.draw(st.integers(0, len(parent.blocks)))
    child = insert_block(parent, space, rng, place)
    pairs, own, theirs = layers_and_plans(child, parent)
    assume(place == len(theirs) or own[place] != theirs[place])

    assert pairs == [
        *((index, index) for index in range(place)),
        *((index + 1, index) for index in range(place, len(theirs))),
    ]


@given(genomes_of_a_space(), st.randoms(), st.data())
def test_when_a_block_is_removed_the_others_keep_their_own(case, rng, data):
    """Those behind it inherit from one place further on."""
    space, parent = case
    assume(len(parent.blocks) > 1)
    place = data.draw(st.integers(0, len(parent.blocks) - 1))
    child = remove_block(parent, space, rng, place)
    pairs, own, theirs = layers_and_plans(child, parent)
    assume(place == len(own) or own[place] != theirs[place])

    assert pairs == [
        *((index, index) for index in range(place)),
        *((index, index + 1) for index in range(place, len(own))),
    ]


@given(genomes_of_a_space(), st.randoms())
def test_at_the_same_length_each_block_inherits_from_its_place(case, rng):
    """Whatever was changed in it."""
    space, parent = case
    pairs, own, _ = layers_and_plans(mutate_any_gene(parent, space, rng), parent)

    assert pairs == [(index, index) for index in range(len(own))]


@given(genomes_of_a_space(2), st.data())
def test_of_any_two_networks_no_block_is_shared_twice(case, data):
    """As many as the shorter has, in order."""
    _, child, parent = case
    n_blocks = data.draw(st.integers(1, len(child.blocks)))
    child = type(child)(child.network, child.blocks[:n_blocks])
    pairs, own, theirs = layers_and_plans(child, parent)

    assert len(pairs) == min(len(own), len(theirs))
    for side in zip(*pairs, strict=True):
        assert [*side] == sorted(set(side))
