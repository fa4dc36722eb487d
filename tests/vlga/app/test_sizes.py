from dataclasses import replace

import pytest

from tests.support.records import DATA
from vlga.app.sizes import Machine, choose_sizes, sizes_text, with_sizes_of
from vlga.config.load import load_config
from vlga.config.settings import AUTO
from vlga.errors import ConfigError
from vlga.strategies import make_strategy

LAPTOP, GPU = Machine(n_cores=2, has_gpu=False), Machine(n_cores=1, has_gpu=True)


def images(*shape, n=3000):
    return replace(DATA, input_shape=shape, n_train=n - n // 5, n_validation=n // 5)


def chosen(data, machine=LAPTOP, *settings):
    return choose_sizes(load_config(settings=settings), data, machine)


def test_a_number_stands_as_it_is():
    """Only what is auto is chosen, and then nothing is auto any more."""
    config = chosen(images(3, 32, 32), LAPTOP, "training.batch_size=7", "limits.max_macs=9_000_000")

    assert (config.training.batch_size, config.limits.max_macs) == (7, 9_000_000)
    assert config.limits.max_activation_bytes is not None
    assert config.auto == []


def test_the_default_preset_leaves_them_all_to_be_chosen():
    """A preset cannot know the images, nor the machine."""
    assert sorted(load_config().auto) == sorted(AUTO)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("budget.seconds=200",), 4),
        (("budget.epochs=200", "budget.seconds=none"), 1),
        (("budget.seconds=200", "final.time_fraction=0"), 1),
        (("budget.seconds=200", "limits.max_macs=9_000_000"), 1),
        (("budget.seconds=200", "limits.latency_ms=5"), 1),
        (("budget.seconds=200", 'objectives=["fitness", "parameters"]'), 1),
        (("budget.seconds=200", "final.committee=2", "limits.latency_ms=5"), 2),
    ],
)
def test_several_networks_answer_where_time_is_limited_and_costs_are_not(settings, expected):
    """Without a limit of time each would take as long as the winner."""
    config = chosen(images(1, 28, 28), LAPTOP, *settings)

    assert config.final.committee == expected


@pytest.mark.parametrize(
    ("n", "machine", "expected"),
    [
        (1400, LAPTOP, 64),
        (1000, LAPTOP, 32),
        (10_000, LAPTOP, 64),
        (10_000, GPU, 256),
        (50_000, GPU, 512),
        (100, GPU, 8),
    ],
)
def test_a_gpu_gets_larger_batches_and_few_images_smaller_ones(n, machine, expected):
    """An epoch has at least sixteen steps, as far as a batch has eight images."""
    assert chosen(images(3, 32, 32, n=n), machine).training.batch_size == expected


@pytest.mark.parametrize(
    ("n", "settings", "machine", "expected"),
    [
        (3000, (), LAPTOP, 27),
        (6000, (), LAPTOP, 20),
        (10_000, (), LAPTOP, 12),
        (60_000, (), LAPTOP, 5),
        (60_000, (), GPU, 27),
        (3000, ("budget.epochs=10",), LAPTOP, 10),
    ],
)
def test_the_longest_trainings_are_not_much_shorter_than_the_last(n, settings, machine, expected):
    """More than half of it, as far as the budget of epochs allows."""
    assert chosen(images(1, 28, 28, n=n), machine, *settings).training.epochs == expected


@pytest.mark.parametrize(
    ("n", "settings", "machine", "expected"),
    [
        (1437, (), LAPTOP, 200),
        (2500, (), LAPTOP, 160),
        (60_000, (), LAPTOP, 100),
        (60_000, (), GPU, 100),
        (1437, ("budget.seconds=none", "budget.epochs=100"), LAPTOP, 60),
        (1437, ("final.epochs=5",), LAPTOP, 5),
    ],
)
def test_few_images_may_be_seen_more_often_if_there_is_time(n, settings, machine, expected):
    """A GPU has the time for more of them."""
    assert chosen(images(1, 28, 28, n=n), machine, *settings).final.epochs == expected


def test_more_time_and_a_faster_machine_allow_larger_networks():
    """In proportion, rounded down to two digits; more images allow smaller ones."""
    data = images(3, 32, 32, n=10_000)
    few, many = (
        chosen(data, LAPTOP, f"budget.seconds={seconds}").limits.max_macs for seconds in (600, 4800)
    )

    assert 7 * few < many < 9 * few
    assert set(str(few)[2:]) == {"0"}
    assert chosen(data, GPU).limits.max_macs > few
    assert chosen(images(3, 32, 32, n=80_000), LAPTOP).limits.max_macs < few


def test_a_gpu_without_bfloat16_counts_for_less():
    """It trains in float32: a quarter is counted on."""
    data, old = images(3, 32, 32, n=50_000), replace(GPU, has_bfloat16=False)
    new_limit, old_limit = (chosen(data, one).limits.max_macs for one in (GPU, old))

    assert old_limit == pytest.approx(new_limit / 4, rel=0.1)


def test_seven_minutes_of_a_gpu_begin_with_a_network_known_for_cifar10():
    """Jordan's of 94 %, with 64 and 256 channels, is within the limit."""
    config = chosen(images(3, 32, 32, n=50_000), GPU, "budget.seconds=420")

    assert config.population.founders[0]["blocks"][0]["channels_a"] == 64


@pytest.mark.parametrize(("n", "decay"), [(6000, 4e-3), (6001, 2e-3)])
def test_known_networks_for_few_images_have_more_weight_decay(n, decay):
    """By all images that a winner is trained on, those of validation too."""
    founders = chosen(images(3, 32, 32, n=n), LAPTOP).population.founders

    assert {one["network"]["weight_decay"] for one in founders} == {decay}


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 224, 224)])
@pytest.mark.parametrize("machine", [LAPTOP, GPU])
def test_no_gene_is_pinned_by_the_limits(shape, machine):
    """Of the 400 first networks of a search each gene takes three quarters of its alleles.

    A limit that leaves the smallest networks alone makes a search one of nothing.
    """
    data = images(*shape)
    config = chosen(data, machine)
    population = config.population.model_copy(update={"size": 400})
    config = config.model_copy(update={"population": population})
    strategy = make_strategy(config, shape, len(data.classes))
    blocks = [block for one in strategy.ask(400) for block in one.genome.blocks]
    for gene, alleles in strategy.space.block_alleles(0).items():
        seen = {getattr(block, gene) for block in blocks}
        assert len(seen) >= 0.75 * len(alleles), gene


def test_a_limit_that_no_network_is_within_is_refused():
    """With what the smallest has, before anything is entered."""
    with pytest.raises(
        ConfigError, match=r"^\[limits\] max_macs must admit .* and got max_macs=9;"
    ):
        chosen(images(3, 32, 32), LAPTOP, "limits.max_macs=9")


def test_a_comparison_goes_on_with_the_sizes_that_it_was_begun_with():
    """Also on another machine."""
    begun = chosen(images(3, 32, 32), GPU)
    again = with_sizes_of(load_config(settings=["seed=5"]), begun)

    assert (again.training, again.limits, again.auto) == (begun.training, begun.limits, [])
    assert again.seed == 5


def test_says_what_it_chose():
    """In the line that introduces a search."""
    config = chosen(images(1, 28, 28), LAPTOP, "limits.max_macs=1_000_000")

    assert sizes_text(config) == (
        "3, 9, 27 epochs, batches of 64, networks of at most 1.00 M MACs an image, "
        "feature maps of at most 2.1 MB, 2 known networks first"
    )
