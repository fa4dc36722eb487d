"""Trained weights: packed, unpacked, inherited."""

from __future__ import annotations

import io
import pickle
from dataclasses import asdict
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support import generators
from tests.support.records import genome as record_genome
from tests.support.trainings import SHAPE, fit, network, plan
from vlga.execution.inheritance import shared_layers
from vlga.genetics.genome import Genome
from vlga.genetics.mutation import insert_block
from vlga.genetics.space import SearchSpace
from vlga.networks.phenotype import decode
from workers.networks.weights import (
    UnreadableWeightsError,
    inherit_weights,
    pack_weights,
    unpack_trained,
    unpack_weights,
)


class _RunsCode:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_weights_come_back_to_the_bit():
    """What is packed is unpacked with the same names and values."""
    model = network()
    fit(model)
    unpacked = unpack_weights(pack_weights(model))

    assert unpacked.keys() == model.state_dict().keys()
    assert all(torch.equal(unpacked[name], each) for name, each in model.state_dict().items())


def test_code_is_never_unpickled(tmp_path: Path):
    """A file that would run code is refused before it does."""
    buffer = io.BytesIO()
    torch.save({"blocks.0": _RunsCode(tmp_path / "ran")}, buffer)

    with pytest.raises(UnreadableWeightsError, match="not tensors alone"):
        unpack_weights(buffer.getvalue())
    with pytest.raises(UnreadableWeightsError, match="not tensors alone"):
        unpack_weights(pickle.dumps(_RunsCode(tmp_path / "ran")))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros(1), "they are not tensors by their names"),
        ({"blocks.0": 1}, "they are not tensors by their names"),
        ({"blocks.0": torch.zeros(1)}, "they do not say by what images are normalized"),
    ],
)
def test_what_is_no_trained_network_is_refused(value, message):
    """It has tensors by their names, the statistics of its images among them."""
    buffer = io.BytesIO()
    torch.save(value, buffer)

    with pytest.raises(UnreadableWeightsError, match=message):
        unpack_trained(buffer.getvalue())


class TestInheritWeights:
    @given(generators.genomes(min_blocks=2, max_blocks=3), st.integers(0, 9))
    def test_the_shared_prefix_agrees(self, genome: Genome, seed: int):
        """A grown network's inherited blocks give to the bit what the trained ones give."""
        shape = (2, 5, 5)
        parent = network(decode(Genome(genome.network, genome.blocks[:-1]), shape, 3), seed)
        child = network(decode(genome, shape, 3), seed + 100)
        with torch.no_grad():
            parent(torch.randn(4, *shape))  # moves the batch statistics
            parent.classifier.weight.fill_(1)
        new = {name: value.clone() for name, value in child.state_dict().items()}

        copied = inherit_weights(child, pack_weights(parent))

        images = torch.randn(3, *shape)
        blocks = child.eval().blocks[: len(parent.blocks)]
        maps = parent.eval().stem(images)
        assert torch.equal(child.stem(images), maps)
        assert torch.equal(blocks(maps), parent.blocks(maps))
        assert [*copied] == [name for name in parent.state_dict() if "classifier" not in name]
        left = {name: value for name, value in child.state_dict().items() if name not in copied}
        assert all(torch.equal(value, new[name]) for name, value in left.items())
        assert not child.classifier.weight.any()

    def test_nothing_is_frozen(self):
        """Every inherited parameter is trained on."""
        child = network(plan(2), seed=1)
        inherit_weights(child, pack_weights(network()))
        before = {name: each.clone() for name, each in child.named_parameters()}
        fit(child, plan(2))

        assert all(not torch.equal(each, before[name]) for name, each in child.named_parameters())

    def test_other_shapes_are_left_alone(self):
        """An entry of another shape is not copied; its neighbours are."""
        parent, child = network(), network(seed=1)
        parent.blocks[0].a.conv = torch.nn.Conv2d(1, 8, 3, bias=False)
        before = child.blocks[0].a.conv.weight.clone()

        copied = inherit_weights(child, pack_weights(parent))

        assert "blocks.0.a.conv.weight" not in copied
        assert "blocks.0.a.norm.weight" in copied
        assert torch.equal(child.blocks[0].a.conv.weight, before)

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_a_block_inserted_anywhere_leaves_the_others_their_weights(self, place: int):
        """Every layer but the new block's is its parent's to the bit, the classifier too."""
        genome = record_genome(2)
        longer = insert_block(genome, _space(), Random(0), place)
        longer = longer.with_genes({f"blocks.{place}.kernel_a": 5})  # unlike the others
        plans = decode(longer, SHAPE, 2), decode(genome, SHAPE, 2)
        child, parent = network(plans[0], seed=1), network(plans[1], seed=0)
        fit(parent, plans[1])
        fresh = {name: value.clone() for name, value in child.state_dict().items()}
        trained = parent.state_dict()

        copied = inherit_weights(child, pack_weights(parent), shared_layers(*plans))

        origin = [0, 1]
        origin.insert(place, None)
        own = child.state_dict()
        for index, theirs in enumerate(origin):
            names = [name for name in own if name.startswith(f"blocks.{index}.")]
            for name in names:
                if theirs is None:
                    assert name not in copied
                    assert torch.equal(own[name], fresh[name])
                    continue
                value = trained[f"blocks.{theirs}.{name.removeprefix(f'blocks.{index}.')}"]
                # Behind the input, a convolution of one image channel is of sixteen now.
                if value.shape == own[name].shape:
                    assert torch.equal(own[name], value)
                else:
                    assert (place, index) == (0, 1)
                    assert torch.equal(own[name], fresh[name])
        assert torch.equal(child.classifier.weight, trained["classifier.weight"])
        assert {"classifier.weight", "classifier.bias"} <= {*copied}

    def test_a_classifier_of_another_width_starts_anew(self):
        """The last block has more channels now."""
        genome = record_genome()
        wider = genome.with_genes({"blocks.0.channels_b": 32})
        plans = decode(wider, SHAPE, 2), decode(genome, SHAPE, 2)
        child, parent = network(plans[0]), network(plans[1])
        fit(parent, plans[1])

        copied = inherit_weights(child, pack_weights(parent), shared_layers(*plans))

        assert "blocks.0.a.conv.weight" in copied
        assert "blocks.0.b.conv.weight" not in copied
        assert "classifier.weight" not in copied
        assert not child.classifier.weight.any()

    def test_a_name_that_begins_alike_is_another_layer(self):
        """Block 1 is not block 10."""
        genome = record_genome(11)
        parent, child = (network(decode(genome, SHAPE, 2), seed) for seed in (0, 1))

        copied = inherit_weights(child, pack_weights(parent), (("blocks.1", "blocks.1"),))

        assert all(name.startswith("blocks.1.") for name in copied)


def _space() -> SearchSpace:
    """A space of one allele each, those of the tests' genome."""
    genome = record_genome()
    return SearchSpace.from_settings(
        {**asdict(genome.network), "amplify_window": [genome.network.amplify_window]},
        asdict(genome.blocks[0]),
    )
