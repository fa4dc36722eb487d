"""The models with a name: their published sizes, and what they refuse."""

from __future__ import annotations

import pytest

from vlga.errors import ConfigError
from vlga.networks.named import MODELS, ModelPlan
from vlga.networks.training import OptimizerPlan


def plan(model: str, shape: tuple[int, int, int] = (3, 32, 32), n_classes: int = 10) -> ModelPlan:
    return ModelPlan(shape, n_classes, OptimizerPlan(0.1, 0.9, 5e-4), None, model)


@pytest.mark.parametrize(
    ("model", "parameters", "depth"),
    [("vgg19", 20.0e6, 16), ("resnet18", 11.2e6, 17), ("resnet34", 21.3e6, 33)],
)
def test_published_models_have_their_published_size(model, parameters, depth):
    """In CIFAR's form, ten classes: 20.0 M, 11.2 M and 21.3 M parameters."""
    assert plan(model).n_parameters == pytest.approx(parameters, abs=0.05e6)
    assert plan(model).depth == depth


def test_a_plain_model_is_its_twin_without_batch_norm():
    """``X_plain`` has the convolutions of ``X``, and a bias where that has scale and shift."""
    for name in (name for name in MODELS if name.endswith("_plain")):
        twin = plan(name.removesuffix("_plain"))
        n_channels = sum(MODELS[name].layers)

        assert plan(name).n_macs == twin.n_macs
        assert plan(name).n_parameters == twin.n_parameters - n_channels


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        ("vgg91", (3, 32, 32), "MODEL must be a known one, but got 'vgg91'; did you mean 'vgg19'"),
        ("vgg19", (1, 28, 28), "vgg19 must have images of at least 32x32 .* but got 28x28"),
        ("small_vgg", (1, 8, 3), "small_vgg must have images of at least 4x4 .* but got 8x3"),
    ],
)
def test_what_cannot_be_built_is_refused(model, shape, message):
    """An unknown name, and images that the pooling would bring to nothing."""
    with pytest.raises(ConfigError, match=message):
        plan(model, shape)


def test_the_fingerprint_tells_trainings_apart():
    """Equal plans have equal ones; another model or optimizer has another."""
    same = plan("resnet18").fingerprint
    other = ModelPlan((3, 32, 32), 10, OptimizerPlan(0.2, 0.9, 5e-4), None, "resnet18")

    assert same == plan("resnet18").fingerprint
    assert len({same, plan("resnet34").fingerprint, other.fingerprint}) == 3
