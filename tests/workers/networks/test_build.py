"""The network that is built is the network that the plan counts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.support import generators
from tests.support.records import genome
from tests.support.trainings import fit, plan
from vlga.genetics.genome import Genome
from vlga.networks.phenotype import decode
from vlga.networks.plan import NetworkPlan
from workers.networks.build import Network, build_network
from workers.training.scoring import Split


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_plans() -> st.SearchStrategy[NetworkPlan]:
    """Networks of up to three blocks for tiny images, odd sizes included."""
    shapes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
    return st.builds(decode, generators.genomes(max_blocks=3), shapes, st.integers(2, 10))


@given(generators.plans())
def test_the_plan_counts_what_is_built(plan: NetworkPlan):
    """Parameters, multiply-accumulates and the shape of the logits are those of the plan."""
    with torch.device("meta"):  # shapes without memory or arithmetic
        network = Network(plan).eval()
        images = torch.empty(1, *plan.input_shape)
    with FlopCounterMode(display=False) as counter:
        logits = network(images)

    assert sum(each.numel() for each in network.parameters()) == plan.n_parameters
    assert counter.get_total_flops() == 2 * plan.n_macs
    assert logits.shape == (1, plan.n_classes)


@given(generators.plans())
def test_every_map_has_the_shape_of_the_plan(plan: NetworkPlan):
    """Each block gives maps of its plan's output shape."""
    with torch.device("meta"):
        network = Network(plan).eval()
        maps = network.stem(torch.empty(2, *plan.input_shape))
    if plan.stem is not None:
        assert maps.shape == (2, *plan.stem.output_shape)
    for block, block_plan in zip(network.blocks, plan.blocks, strict=True):
        maps = block(maps)
        assert maps.shape == (2, *block_plan.output_shape)


@given(generators.plans(), st.floats(0.05, 1))
@example(decode(genome(3), (1, 9, 9), 3), 0.75)
def test_smaller_images_leave_a_pixel_of_each_map_where_the_plan_says_so(
    plan: NetworkPlan, share: float
):
    """Pools halve what they get; a map of no pixels has nothing to say."""
    size = [math.ceil(share * side) for side in plan.input_shape[1:]]
    assume(plan.works_at(share))
    with torch.device("meta"):
        network = Network(plan).eval()
        maps = network.stem(torch.empty(1, plan.input_shape[0], *size))
    for block in network.blocks:
        maps = block(maps)
    assert min(maps.shape) > 0
    assert plan.works_at(1)


def test_layers_are_named_as_in_the_layer_table():
    """Every row of the layer table but the last is a module of the network."""
    planned = decode(genome(3), (3, 32, 32), 10)
    names = dict(build_network(planned, generator()).named_modules())

    assert all(row.name in names for row in planned.layer_table())


@given(small_plans(), st.integers(0, 99))
@example(decode(genome(3), (1, 7, 5), 3), 0)  # pool and skip on odd sizes
def test_every_plan_trains(plan: NetworkPlan, seed: int):
    """One step on two images gives a finite loss, ln(n_classes) before it, and a score."""
    images = torch.randint(0, 256, (2, *plan.input_shape), dtype=torch.uint8)
    batch = Split(images, torch.tensor([0, 1]))
    result = fit(
        build_network(plan, generator(seed)),
        plan,
        batch,
        score_split=batch,
        epochs=1,
        warmup_fraction=0.0,
        seed=seed,
        amplification=plan.amplification,
    )

    (record,) = result.curve
    assert record.train_loss == pytest.approx(math.log(plan.n_classes), rel=1e-5)
    assert record.validation_loss is not None
    assert math.isfinite(record.validation_loss)


def test_no_convolution_is_strided():
    """Strided 1x1 convolutions of few channels corrupt memory (uxlfoundation/oneDNN#6035)."""
    convs = [each for each in Network(plan(3)).modules() if isinstance(each, nn.Conv2d)]

    assert len(convs) == 9
    assert all(conv.stride == (1, 1) for conv in convs)


@pytest.mark.parametrize("pool_type", ["max", "average"])
def test_a_skip_connection_sees_what_the_pool_keeps(pool_type):
    """Where a pool drops an odd last row and column, the skip connection does not see them."""
    (block,) = genome().blocks
    odd = Genome(genome().network, (replace(block, pool_type=pool_type, include_b=False),))
    network = build_network(decode(odd, (1, 5, 7), 2), generator()).eval()
    skip = network.blocks[0].skip
    images = torch.randn(1, 1, 5, 7, generator=generator())
    cropped = torch.nn.functional.conv2d(images[..., :4, :6], skip.weight, skip.bias, stride=2)

    difference = network.blocks[0](images) - network.blocks[0].a(images)
    torch.testing.assert_close(difference, cropped)


class TestDirac:
    def test_with_batch_normalization_a_convolution_begins_by_passing_on(self):
        """As many channels as it has of both; the others begin at random, and so do 1x1 kernels."""
        block = replace(genome().blocks[0], batch_norm_a=True, kernel_a=3, channels_a=8, kernel_b=1)
        two = Genome(genome().network, (block, replace(block, channels_a=32)))
        built = decode(two, (1, 8, 8), 3)
        he, dirac = (build_network(built, generator(), dirac=one) for one in (False, True))
        first, second = (one.a.conv.weight for one in dirac.blocks)
        n_in = second.shape[1]
        maps = torch.randn(1, n_in, 4, 4)

        passed = torch.nn.functional.conv2d(maps, second, padding=1)[:, :n_in]
        torch.testing.assert_close(passed, maps)
        assert torch.equal(second[n_in:], he.blocks[1].a.conv.weight[n_in:])
        assert torch.equal(dirac.blocks[0].b.conv.weight, he.blocks[0].b.conv.weight)
        assert first.shape[0] == 8

    def test_without_batch_normalization_it_is_he_s(self):
        """Nothing would bring the maps of a chain of such to one scale."""
        block = replace(genome().blocks[0], batch_norm_a=False, batch_norm_b=False, skip=False)
        built = decode(Genome(genome().network, (block,)), (1, 8, 8), 3)
        states = [
            build_network(built, generator(), dirac=one).state_dict() for one in (False, True)
        ]

        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])

    @pytest.mark.parametrize("batch_norm", [True, False])
    def test_a_skip_connection_begins_as_if_it_was_not_there(self, batch_norm):
        """The network answers as the same one without it, and the connection can be learnt."""
        block = replace(genome().blocks[0], batch_norm_a=batch_norm, batch_norm_b=batch_norm)
        images = torch.randn(2, 1, 8, 8, generator=generator())
        network, plain = (
            build_network(
                decode(Genome(genome().network, (replace(block, skip=skip),) * 2), (1, 8, 8), 3),
                generator(),
                dirac=True,
            )
            for skip in (True, False)
        )
        plain.load_state_dict(network.state_dict(), strict=False)  # but the skip connections'
        maps = network.blocks(images)

        torch.testing.assert_close(maps, plain.blocks(images))
        maps.sum().backward()
        assert network.blocks[0].skip.weight.grad.abs().sum() > 0


class TestBuildNetwork:
    def test_draws_only_from_its_generator(self):
        """Torch's global generator is neither used nor moved; the given one is."""
        before, own = torch.get_rng_state(), generator()
        build_network(plan(), own)

        assert torch.equal(torch.get_rng_state(), before)
        assert not torch.equal(own.get_state(), generator().get_state())

    def test_a_seed_gives_the_same_weights(self):
        """Equal seeds give equal networks, whatever the global seed; another seed another."""
        states = []
        for global_seed, seed in ((0, 7), (1, 7), (0, 8)):
            torch.manual_seed(global_seed)
            states.append(build_network(plan(), generator(seed)).state_dict())
        one, same, other = states

        assert all(torch.equal(one[name], same[name]) for name in one)
        assert not torch.equal(one["blocks.0.a.conv.weight"], other["blocks.0.a.conv.weight"])

    def test_nothing_is_left_uninitialized(self):
        """Every parameter and statistic has a value of its own kind's start."""
        network = build_network(plan(2), generator())
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert (module.weight == 1).all()
                assert (module.bias == 0).all()
                assert (module.running_mean == 0).all()
                assert (module.running_var == 1).all()
                assert module.num_batches_tracked == 0
            elif isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                assert module.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.25)
                assert module.bias is None or (module.bias == 0).all()
        assert not any(each.is_meta for each in network.state_dict().values())

    @given(small_plans())
    def test_the_classifier_starts_at_zero(self, plan: NetworkPlan):
        """The first logits are all zero, for any image."""
        network = build_network(plan, generator()).eval()

        assert not network(torch.randn(2, *plan.input_shape)).any()
