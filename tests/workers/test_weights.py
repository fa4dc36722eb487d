"""Trained weights: packed, unpacked, inherited."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests import generators
from tests.trainings import fit, network, plan
from vlga.genome import Genome
from vlga.phenotype import decode
from workers.weights import inherit_weights, pack_weights, unpack_weights


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

    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        unpack_weights(buffer.getvalue())
    assert not (tmp_path / "ran").exists()


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
        assert torch.equal(blocks(images), parent.eval().blocks(images))
        assert [*copied] == [name for name in parent.state_dict() if name.startswith("blocks.")]
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
