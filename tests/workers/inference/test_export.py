"""Files of a network that is more than a plain one."""

import pytest
import torch

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
