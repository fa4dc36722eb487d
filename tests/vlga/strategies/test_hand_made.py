import pytest

from tests.support.synthetic import completed, failed
from vlga.config.load import load_config
from vlga.networks.trial import Trial
from vlga.ports.evaluation import Evaluation
from vlga.strategies import make_strategy
from vlga.strategies.hand_made import small_resnet

SHAPE, N_CLASSES = (1, 28, 28), 10


def make(*settings, budget=("budget.epochs=240",)):
    """Give the strategy with 6 epochs a training, without the preset's budget."""
    config = load_config(
        settings=["strategy=hand_made", "training.epochs=6", *settings, *budget],
        drop=("budget",),
    )
    return make_strategy(config, SHAPE, N_CLASSES)


@pytest.mark.parametrize(
    ("budget", "epochs"),
    [
        (("budget.epochs=240",), 240),
        (("budget.evaluations=20",), 120),
        (("budget.evaluations=20", "budget.epochs=100"), 100),
        (("budget.epochs=240", "budget.seconds=1"), 240),
    ],
)
def test_one_training_has_all_epochs_of_the_budget(budget, epochs):
    """And nothing follows, however it went."""
    for outcome in (lambda one: completed(one, 0.5), failed):
        strategy = make(budget=budget)
        (one,) = strategy.ask(4)
        assert isinstance(one.genome, Trial)
        assert one.genome.epochs == epochs
        assert strategy.ask(4) == ()
        strategy.tell(outcome(one))

        assert strategy.ask(4) == ()
        assert strategy.finished


def test_of_seconds_the_longer_training_has_all_but_one_usual_training():
    """And that has the time that is left."""
    strategy = make(budget=("budget.seconds=300",))
    (one,) = strategy.ask(4)
    strategy.tell(completed(one, 0.5))

    assert one.genome.epochs == 6
    assert strategy.ask(4) == ()
    assert strategy.finished


def test_without_a_longer_training_the_first_one_shows_how_many_epochs_fit():
    """6 epochs in 12 s: of 300 s, nine tenths of what is left are enough for 129."""
    strategy = make("final.epochs=0", budget=("budget.seconds=300",))
    (first,) = strategy.ask(1)
    strategy.tell(Evaluation(first.id, epochs=6, seed=0, fitness=0.5, train_seconds=12.0))
    (second,) = strategy.ask(1)

    assert (first.genome.epochs, second.genome.epochs) == (6, 129)
    strategy.tell(completed(second, 0.75))
    assert strategy.ask(1) == ()
    assert strategy.best.id == second.id


@pytest.mark.parametrize("train_seconds", [40.0, 99.0, 1000.0])
def test_no_second_training_is_as_short_as_the_first(train_seconds):
    """It could not be better."""
    strategy = make("final.epochs=0", budget=("budget.seconds=60",))
    (first,) = strategy.ask(1)
    strategy.tell(Evaluation(first.id, epochs=6, seed=0, fitness=0.5, train_seconds=train_seconds))

    assert strategy.ask(1) == ()


@pytest.mark.parametrize(
    ("max_macs", "name"),
    [(None, "small_resnet_32"), (40e6, "small_resnet_32"), (20e6, "small_resnet_16"),
     (1, "small_resnet_16")],
)  # fmt: skip
def test_the_network_is_the_widest_that_the_limits_allow(max_macs, name):
    """Or the narrowest, if they allow none."""
    assert small_resnet(SHAPE, N_CLASSES, max_macs) == name


@pytest.mark.parametrize(
    ("base", "batch_size", "learning_rate"),
    [(None, 64, 0.1), (None, 512, 0.1), (1024, 64, 0.1), (1024, 512, 0.8), (256, 32, 0.05)],
)
def test_the_optimizer_is_the_usual_one_in_torch_s_terms(base, batch_size, learning_rate):
    """Whatever batch the configuration's learning rates are for."""
    (one,) = make(f"training.base_batch_size={str(base).lower()}").ask(1)
    usual = one.genome.optimizer.scaled(batch_size, base)

    assert usual.learning_rate == pytest.approx(learning_rate)
    assert (usual.momentum, usual.weight_decay) == (0.9, pytest.approx(5e-4))


def test_a_trial_s_epochs_come_back_from_the_ledger():
    """Those of trials without any are not written."""
    (one,) = make().ask(1)

    assert Trial.from_dict(one.genome.to_dict()) == one.genome
    assert one.genome.to_dict()["epochs"] == 240
