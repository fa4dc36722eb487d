"""Files of a network that is more than a plain one."""

import pytest
import torch
from torch import nn

from tests.support.trainings import network, plan
from workers.inference.export import Exporter
from workers.networks.committee import trained_network
from workers.networks.weights import Normalization, pack_weights


@pytest.mark.parametrize("kind", ["source", "onnx", "program"])
def test_one_that_looks_at_mirror_images_is_written_so(tmp_path, kind):
    """`write` compares the logits of what it has written with the network's, which say so."""
    normalization = Normalization(torch.full((1,), 0.3), torch.full((1,), 0.2), mirrored=True)
    trained, read = trained_network(plan(), pack_weights(network(), normalization))
    exporter = Exporter([(plan(), trained, read)], ("dark", "bright"), "A network.")
    exporter.write(kind, tmp_path)

    images = torch.rand(3, 1, 8, 8)
    with torch.inference_mode():
        assert torch.allclose(exporter.network(images), exporter.network(images.flip(3)), atol=1e-5)
    assert exporter.is_mirrored
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["source", "onnx", "program"])
def test_several_are_written_as_the_mean_of_their_probabilities(tmp_path, kind):
    """Each with the weights that are its own; one of them looks at mirror images."""
    members = []
    for number, mirrored in enumerate((False, True)):
        normalization = Normalization(
            torch.full((1,), 0.3), torch.full((1,), 0.2), mirrored=mirrored
        )
        made = network(plan(2), seed=number)
        nn.init.normal_(made.classifier.weight)  # which is zero before a training
        weights = pack_weights(made, normalization)
        members.append((plan(2), *trained_network(plan(2), weights)))
    exporter = Exporter(members, ("dark", "bright"), "A committee.")
    exporter.write(kind, tmp_path)

    images = torch.rand(3, 1, 8, 8)
    with torch.inference_mode():
        alone = [Exporter([one], ("dark", "bright"), "x").network(images) for one in members]
        together = exporter.network(images)
    mean = torch.stack([one.softmax(1) for one in alone]).mean(0)
    assert torch.allclose(together.softmax(1), mean, atol=1e-6)
    assert not torch.allclose(alone[0], alone[1], atol=1e-3)
