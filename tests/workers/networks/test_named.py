"""The model that is built is the model that the plan counts."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.vlga.networks.test_named import plan
from vlga.networks.named import MODELS
from workers.amplification import eligible_layers
from workers.networks.named import build_model


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 37, 33)])
@pytest.mark.parametrize("model", MODELS)
def test_the_plan_counts_what_is_built(model, shape):
    """Parameters, multiply-accumulates and the shape of the logits are those of the plan."""
    planned = plan(model, shape, n_classes=7)
    with torch.device("meta"):
        network = build_model(planned, seed=0).eval()
        images = torch.empty(1, *shape)
    with FlopCounterMode(display=False) as counter:
        logits = network(images)

    assert sum(each.numel() for each in network.parameters()) == planned.n_parameters
    assert counter.get_total_flops() == 2 * planned.n_macs
    assert logits.shape == (1, 7)


@pytest.mark.parametrize("model", MODELS)
def test_the_layer_table_names_what_is_built(model):
    """Every row is a layer of that name, with maps of that shape."""
    planned, shapes = plan(model, (1, 37, 33)), {}
    with torch.device("meta"):
        network = build_model(planned, seed=0).eval()
        for name, layer in network.named_modules():
            layer.register_forward_hook(
                lambda _layer, _inputs, maps, name=name: shapes.update({name: (*maps.shape, 1, 1)})
            )
        network(torch.empty(1, 1, 37, 33))

    for row in planned.layer_table():
        assert shapes[row.name][1:4] == row.output_shape


def test_the_seed_decides_the_weights():
    """Equal seeds give equal weights, others others, and torch's own generator is left alone."""
    before = torch.get_rng_state()
    first, again, other = (build_model(plan("simple_cnn"), seed) for seed in (1, 1, 2))

    for mine, same in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(mine, same)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_may_be_amplified_is_there_as_modules():
    """VGG-19 has 16 batch norm layers, ResNet-18 twenty, its skip connections' included."""
    assert len(eligible_layers(build_model(plan("vgg19"), 0), "batch_norm")) == 16
    assert len(eligible_layers(build_model(plan("resnet18"), 0), "batch_norm")) == 20
    assert not eligible_layers(build_model(plan("deep_cnn_plain"), 0), "batch_norm")


@pytest.mark.parametrize("model", MODELS)
def test_smaller_images_do_where_the_plan_says_so(model):
    """Three quarters of 64x64; of 32x32 VGG-19's five pools leave a pixel, of 24x24 none."""
    planned = plan(model, (3, 64, 64), n_classes=7)
    with torch.device("meta"):
        logits = build_model(planned, seed=0).eval()(torch.empty(1, 3, 48, 48))

    assert planned.works_at(0.75)
    assert logits.shape == (1, 7)
    assert plan(model, (3, 32, 32), n_classes=7).works_at(0.75) is not model.startswith("vgg")
