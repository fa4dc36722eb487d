import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, genomes
from vlga.errors import GenomeError
from vlga.genetics.genes import BLOCK_GENES, GENES_VERSION, NETWORK_GENES
from vlga.genetics.genome import Genome


@given(genomes())
def test_a_genome_comes_back_from_its_dictionary(genome):
    """`from_dict` undoes `to_dict`, also after a trip through JSON."""
    assert Genome.from_dict(genome.to_dict()) == genome
    assert Genome.from_dict(json.loads(json.dumps(genome.to_dict()))) == genome


@given(genomes())
def test_a_genome_comes_back_from_its_json(genome):
    """`to_json` loses nothing, types included, and the text is one line."""
    again = Genome.from_dict(json.loads(genome.to_json()))

    assert again == genome
    assert repr(again) == repr(genome)
    assert "\n" not in genome.to_json()


@given(genomes(max_blocks=2), genomes(max_blocks=2))
def test_json_is_equal_exactly_for_equal_genomes(one, other):
    """The text can stand for the genome."""
    assert (one.to_json() == other.to_json()) == (one == other)
    assert one.to_json().startswith('{"blocks":[{"batch_norm_a":')  # sorted


@given(genomes(max_blocks=3))
def test_genes_lists_every_gene_once_by_address(genome):
    """The network-wide genes, then those of each block."""
    addresses = [*genome.genes()]

    assert addresses[: len(NETWORK_GENES)] == [*NETWORK_GENES]
    assert addresses[len(NETWORK_GENES) :] == [
        f"blocks.{index}.{name}" for index in range(len(genome.blocks)) for name in BLOCK_GENES
    ]


@given(genomes(PRESETS["default"], 3, 3), genomes(PRESETS["default"], 3, 3))
def test_changes_lead_from_one_genome_to_the_other(old, new):
    """`with_genes` applied to the new alleles of `changes_from` gives the new genome."""
    changes = new.changes_from(old)

    assert old.with_genes({address: ours for address, (_, ours) in changes.items()}) == new
    assert all(theirs != ours for theirs, ours in changes.values())
    assert old.changes_from(old) == {}


@given(genomes(max_blocks=3))
def test_a_block_more_is_a_change_from_none(genome):
    """Genes that the other genome does not have yet change from None."""
    longer = Genome(genome.network, (*genome.blocks, genome.blocks[-1]))
    changes = longer.changes_from(genome)

    assert {address.split(".")[1] for address in changes} == {str(len(genome.blocks))}
    assert len(changes) == len(BLOCK_GENES)
    assert all(theirs is None for theirs, _ in changes.values())


@given(st.data(), genomes(max_blocks=3))
def test_with_genes_changes_what_it_is_told_and_nothing_else(data, genome):
    """One gene set to a marker is the only difference, and the original stays as it was."""
    before = genome.to_json()
    address = data.draw(st.sampled_from([*genome.genes()]))
    changed = genome.with_genes({address: "marker"})

    assert changed.genes() == {**genome.genes(), address: "marker"}
    assert genome.to_json() == before


def test_a_genome_cannot_be_changed_in_place():
    """Genomes are values: they hash, and their fields are fixed."""
    genome = Genome.from_dict(_data())

    with pytest.raises(FrozenInstanceError, match="blocks"):
        genome.blocks = ()
    assert {genome: 1}[Genome.from_dict(_data())] == 1


def test_a_genome_has_at_least_one_block():
    """A network without a convolution is refused."""
    with pytest.raises(GenomeError, match="must have at least one block, but got none"):
        Genome.from_dict({**_data(), "blocks": []})


@pytest.mark.parametrize("version", [0, GENES_VERSION + 1, "1", None])
def test_a_genome_of_another_version_is_refused(version):
    """The version is checked before anything else is read."""
    with pytest.raises(GenomeError, match=f"version={GENES_VERSION}, but got {version!r}"):
        Genome.from_dict({"version": version})


def _with_network(**changes):
    return {**_data(), "network": {**_data()["network"], **changes}}


def _with_block(**changes):
    return {**_data(), "blocks": [{**_data()["blocks"][0], **changes}]}


def _data():
    network = {name: alleles[0] for name, alleles in PRESETS["default"].network_alleles().items()}
    block = {name: alleles[0] for name, alleles in PRESETS["default"].block_alleles(0).items()}
    network["amplify_window"] = list(network["amplify_window"])
    return {"version": GENES_VERSION, "network": network, "blocks": [block]}


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (_with_network(lr=0.1), "lr"),
        (_with_block(dropout=0.1), "dropout"),
        ({"version": GENES_VERSION, "network": {}, "blocks": []}, "amplify_window"),
        ({"version": GENES_VERSION, "network": _data()["network"], "blocks": [{}]}, "channels_a"),
        ({"version": GENES_VERSION, "network": _data()["network"]}, "blocks"),
        ({"version": GENES_VERSION, "network": "relu", "blocks": []}, "mapping"),
    ],
)
def test_missing_and_unknown_genes_are_named(data, fault):
    """A dictionary that is not exactly a genome is refused, and the message says where."""
    with pytest.raises(GenomeError, match=f"exactly the known genes: .*{fault}"):
        Genome.from_dict(data)
