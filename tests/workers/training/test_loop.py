"""The training loop on images that are told apart at once, and once on real digits."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dispatched import Dispatched, Reads
from tests.support.records import genome
from tests.support.trainings import fit, network, plan, split
from vlga.config.data import DataConfig
from vlga.config.training import WindowConfig
from vlga.networks.phenotype import decode
from vlga.networks.training import AmplificationPlan
from vlga.ports.evaluation import EpochRecord, FailureReason
from vlga.ports.evaluator import TimedEpochs
from workers.data import load_dataset
from workers.training.augmentation import image_statistics, to_float
from workers.training.loop import TrainingFailure, TrainingResult
from workers.training.pace import Pace
from workers.training.schedule import learning_rate_at
from workers.training.scoring import Split, score
from workers.training.sgd import SGD

ALWAYS = AmplificationPlan(mode="random", ratio=1.0, window=(0.0, 1.0))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Results of several threads may differ in the last bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def numbers(result: TrainingResult | TrainingFailure) -> list[EpochRecord]:
    """Give a curve without its times."""
    return [replace(one, seconds=0.0) for one in result.curve]


class TestLearningRate:
    @pytest.mark.parametrize(
        ("step", "warmup_fraction", "expected"),
        [
            (0, 0.2, 0.5),  # the first of two steps up
            (1, 0.2, 1.0),  # the peak
            (2, 0.2, 1.0),  # the first step down
            (9, 0.2, 0.125),  # the last
            (0, 0.0, 1.0),
            (9, 0.0, 0.1),
            (0, 1.0, 0.1),
            (9, 1.0, 1.0),
        ],
    )
    def test_corners_of_ten_steps(self, step, warmup_fraction, expected):
        """Ten steps with a peak of 1, worked by hand."""
        assert learning_rate_at(step, 10, 1.0, warmup_fraction) == pytest.approx(expected)

    @given(st.integers(1, 1000), st.floats(1e-6, 10), st.floats(0, 1))
    def test_rises_to_the_peak_and_falls(self, n_steps: int, peak: float, warmup: float):
        """Every rate is above 0 and at most the peak, which is met; it rises, then falls."""
        rates = [learning_rate_at(step, n_steps, peak, warmup) for step in range(n_steps)]
        top = rates.index(max(rates))

        assert all(0 < rate <= peak * (1 + 1e-12) for rate in rates)
        assert rates[top] == pytest.approx(peak)
        assert rates[: top + 1] == sorted(rates[: top + 1])
        assert rates[top:] == sorted(rates[top:], reverse=True)


class TestTrain:
    def test_learns_digits(self):
        """Three epochs on the handwritten digits teach a small network most of them."""
        data = load_dataset(DataConfig())
        planned = replace(decode(genome(), data.input_shape, data.n_classes), head_pool="max")
        splits = [
            Split(torch.from_numpy(images), torch.from_numpy(labels))
            for images, labels in (
                (data.train_images, data.train_labels),
                (data.validation_images, data.validation_labels),
            )
        ]
        result = fit(
            network(planned),
            planned,
            splits[0],
            score_split=splits[1],
            epochs=3,
            batch_size=32,
            augment="none",
        )

        assert result.scores.accuracy > 0.85
        assert result.curve[-1].train_loss < result.curve[0].train_loss

    def test_the_curve_has_a_point_an_epoch(self):
        """Each record has its epoch, the last step's learning rate, its scores; all add up."""
        result = fit(network(), epochs=3)

        assert [one.epoch for one in result.curve] == [0, 1, 2]
        assert result.curve[-1].validation_accuracy == result.scores.accuracy
        assert result.curve[0].train_loss <= math.log(2) + 1e-6
        assert [one.learning_rate for one in result.curve] == [
            learning_rate_at(step, 6, plan().optimizer.learning_rate, 0.2) for step in (1, 3, 5)
        ]

    def test_a_seed_gives_the_same_training(self):
        """Equal seeds give equal curves and weights to the bit; another seed gives others."""
        models = [network() for _ in range(3)]
        one, same, other = (
            fit(model, seed=seed) for model, seed in zip(models, (5, 5, 6), strict=True)
        )
        states = [model.state_dict() for model in models]

        assert numbers(one) == numbers(same)
        assert all(torch.equal(each, states[1][name]) for name, each in states[0].items())
        assert numbers(one) != numbers(other)

    def test_the_global_generator_is_left_alone(self):
        """Nothing is drawn from torch's global generator."""
        before = torch.get_rng_state()
        fit(network(), amplification=ALWAYS)

        assert torch.equal(torch.get_rng_state(), before)

    def test_a_blown_up_training_has_diverged(self):
        """A loss that is not finite ends the training with the curve so far, in finite numbers."""
        wild = plan(learning_rate=1e30)
        with pytest.raises(
            TrainingFailure, match=r"no longer finite after epoch 0 at learning rate 1e\+30"
        ) as caught:
            fit(network(wild), wild, epochs=3)
        (record,) = caught.value.curve

        assert caught.value.reason is FailureReason.DIVERGED
        assert record.validation_loss == sys.float_info.max

    def test_time_runs_out(self):
        """The step that finds its time up ends the training; the finished epochs are kept."""
        answers = iter([False] * 3 + [True])  # asked once a step, of which an epoch has two
        with pytest.raises(TrainingFailure, match="out of time in epoch 1") as caught:
            fit(network(), epochs=9, is_over=lambda: next(answers))

        assert caught.value.reason is FailureReason.TIMED_OUT
        assert [one.epoch for one in caught.value.curve] == [0]

    @pytest.mark.parametrize(("n", "n_steps"), [(40, 4), (33, 4), (32, 4), (15, 2), (1, 2)])
    def test_only_whole_batches_are_trained_on(self, n, n_steps):
        """Of two epochs in batches of 16 the incomplete ones are left out, unless it is the one."""
        model = network()
        fit(model, images=split(n))

        assert model.blocks[0].a.norm.num_batches_tracked == n_steps

    def test_only_weights_decay(self):
        """Without a gradient kernels and classifier shrink; biases and batch norm do not."""
        still = plan(weight_decay=0.5, momentum=0.0)
        model = network(still)
        torch.nn.init.ones_(model.blocks[0].skip.bias)
        for each in model.parameters():
            each.register_hook(torch.zeros_like)
        before = {name: each.clone() for name, each in model.named_parameters()}
        fit(model, still)
        changed = {name for name, each in model.named_parameters() if (each != before[name]).any()}

        assert changed == {name for name, each in before.items() if each.ndim > 1 and each.any()}

    def test_shifts_of_batch_normalization_have_a_rate_of_their_own(self):
        """After one step they have moved that many times as far, and nothing else has."""
        start, *ends = (network() for _ in range(3))
        for end, rate in zip(ends, (1.0, 16.0), strict=True):
            fit(end, images=split(16), epochs=1, norm_bias_rate=rate)
        moves = [
            {name: each - start.state_dict()[name] for name, each in end.named_parameters()}
            for end in ends
        ]
        for name, moved in moves[0].items():
            times = 16.0 if name.endswith("norm.bias") else 1.0
            torch.testing.assert_close(moves[1][name], times * moved)

    def test_a_final_training_scores_at_its_end(self):
        """Without a score each epoch only the last record has one."""
        result = fit(network(), epochs=3, score_each_epoch=False)

        assert [one.validation_accuracy for one in result.curve] == [
            None,
            None,
            result.scores.accuracy,
        ]
        assert [one.validation_loss is None for one in result.curve] == [True, True, False]

    @pytest.mark.parametrize(("seconds", "n_epochs"), [(1e9, 5), (0.0, 2)])
    def test_a_timed_training_has_as_many_epochs_as_fit(self, seconds, n_epochs):
        """Its schedule ends with the last of them, which alone is scored; three were expected."""
        timed = TimedEpochs(seconds, fewest=1, most=5)
        result = fit(network(), epochs=3, pace=Pace(timed, 0.0, None), score_each_epoch=False)
        scored = [one.validation_accuracy is not None for one in result.curve]
        last = learning_rate_at(2 * n_epochs - 1, 2 * n_epochs, plan().optimizer.learning_rate, 0.2)

        assert scored == [False] * (n_epochs - 1) + [True]
        assert result.curve[-1].learning_rate == last

    def test_a_last_step_that_ruins_the_network_is_seen(self):
        """A loss of the score that is not finite counts as diverged, also in the last epoch."""
        wild = plan(learning_rate=1e30, momentum=0.0)
        with pytest.raises(TrainingFailure, match="no longer finite after epoch 0"):
            fit(network(wild), wild, split(16), epochs=1, score_each_epoch=False)

    def test_kernels_are_channels_last(self):
        """On the way out the network's kernels are laid out channels last."""
        model = network()
        fit(model)

        kernel = model.blocks[0].b.conv.weight
        assert kernel.is_contiguous(memory_format=torch.channels_last)
        assert not kernel.is_contiguous()

    def test_label_smoothing_counts(self):
        """With smoothed labels the loss of a confident network stays larger."""
        plain, smooth = (
            fit(network(), epochs=4, label_smoothing=amount).curve[-1].train_loss
            for amount in (0.0, 0.5)
        )

        assert smooth > plain + 0.1

    @pytest.mark.parametrize(("augment", "changes"), [("crop", True), ("none", False)])
    def test_a_square_is_hidden_where_images_are_augmented(self, augment, changes):
        """With all of each image hidden there is nothing to learn."""
        accuracy = fit(network(), epochs=6, augment=augment).scores.accuracy
        hidden = fit(network(), epochs=6, augment=augment, cutout=1.0).scores.accuracy

        assert accuracy > 0.8
        assert (hidden < 0.7) is changes

    @pytest.mark.parametrize("timed", [None, TimedEpochs(1e9, fewest=1, most=5, early_cost=0.5)])
    def test_images_are_smaller_in_the_first_half(self, timed):
        """Of the epochs that there are, 5; they are scored as they are."""
        sizes: dict[bool, list[int]] = {True: [], False: []}
        model = network()
        model.register_forward_pre_hook(
            lambda module, images: sizes[module.training].append(images[0].shape[-1])
        )
        pace = timed and Pace(timed, 0.0, None)
        epochs = 5 if timed is None else 4
        fit(model, epochs=epochs, batch_size=40, early_size=0.75, pace=pace)

        assert sizes == {True: [6, 6, 8, 8, 8], False: [8] * 5}


class TestOnAGpu:
    """What would keep a GPU waiting, counted on a CPU."""

    def test_it_is_waited_for_once_an_epoch(self):
        """The epoch's metrics are read together; nothing else is, also not inside of torch."""
        model = network()
        with Reads() as reads, Dispatched() as asked:
            fit(model, epochs=3, augment="crop_flip", fitness="f1_macro", class_weights="balanced")

        assert reads.counts == {"tolist": 3}
        assert not asked.counts.keys() & {"_local_scalar_dense", "nonzero"}

    def test_a_step_does_little_beside_the_network(self):
        """Its images, their augmentation and its metrics are few operations: each is a launch."""
        totals = []
        for n_steps in (2, 6):
            model, images = network(), split(16 * n_steps)
            with Dispatched() as asked:
                fit(model, images=images, epochs=1, augment="crop_flip")
            totals.append(asked.counts.total())
        model, batch = network(), split(16)
        optimizer = SGD(model, plan().optimizer, norm_bias_rate=1.0)
        with Dispatched() as asked:
            torch.nn.functional.cross_entropy(model(batch.images.float()), batch.labels).backward()
            optimizer.step(0.1)

        assert (totals[1] - totals[0]) / 4 <= asked.counts.total() + 20


class TestAmplification:
    def test_the_curve_names_amplified_layers(self):
        """Layers are named in the epochs of the window and in no other."""
        result = fit(network(), epochs=4, amplification=replace(ALWAYS, window=(0.25, 0.75)))
        layers = ("blocks.0.a.norm", "blocks.0.b.norm")

        assert [one.amplified_layers for one in result.curve] == [(), layers, layers, ()]

    def test_a_timed_training_amplifies_in_the_epochs_that_were_expected(self):
        """The first half of four, though there are six."""
        timed = TimedEpochs(1e9, fewest=1, most=6)
        plan_ = replace(ALWAYS, window=(0.0, 0.5))
        curve = fit(network(), epochs=4, amplification=plan_, pace=Pace(timed, 0.0, None)).curve

        assert [bool(one.amplified_layers) for one in curve] == [True] * 2 + [False] * 4

    def test_windows_of_the_training_stand_above_the_plan_s(self):
        """They say where gradients are amplified, and at which learning rate."""
        windows = [
            WindowConfig(until=1, amplify=True),
            WindowConfig(until=3, rate=0.5),
            WindowConfig(until=4, rate=0.1, amplify=True),
        ]
        curve = fit(network(), epochs=4, amplification=ALWAYS, windows=windows).curve
        rate = plan().optimizer.learning_rate

        assert [bool(one.amplified_layers) for one in curve] == [True, False, False, True]
        assert [one.learning_rate for one in curve] == pytest.approx(
            [rate, 0.5 * rate, 0.5 * rate, 0.1 * rate]
        )

    def test_the_curve_has_the_measures_that_choose_the_next_epoch_s_layers(self):
        """Measured from the epoch before the window on; the chosen are those above the mean."""
        plan_ = AmplificationPlan(
            mode="intelligent", ratio=None, measure="G1", threshold="mean", window=(0.25, 0.75)
        )
        curve = fit(network(), epochs=4, amplification=plan_).curve
        measured = [dict(one.layer_measures) for one in curve]

        assert [len(one) for one in measured] == [2, 2, 0, 0]
        for before, point in zip(measured, curve[1:3], strict=False):
            mean = sum(before.values()) / 2
            above = tuple(name for name, value in before.items() if value >= mean)
            assert point.amplified_layers == above

    def test_factor_one_is_no_amplification(self):
        """A factor of 1 gives the same curve and the same weights to the bit as none."""
        plain, amplified = network(), network()
        without = fit(plain)
        result = fit(amplified, amplification=replace(ALWAYS, factor=1.0))

        assert [replace(one, amplified_layers=()) for one in numbers(result)] == numbers(without)
        assert all(
            torch.equal(each, plain.state_dict()[name])
            for name, each in amplified.state_dict().items()
        )

    def test_a_larger_factor_changes_the_training(self):
        """A factor of 2 gives another curve than none."""
        losses = [fit(network(), amplification=each).curve[-1] for each in (None, ALWAYS)]

        assert losses[0].train_loss != losses[1].train_loss


@given(st.integers(1, 60), st.integers(1, 70))
def test_score_is_the_plain_mean(n: int, batch_size: int):
    """Loss, accuracy and fitness are those over all images at once, whatever the batches."""
    model = network()
    torch.nn.init.normal_(
        model.classifier.weight, generator=torch.Generator().manual_seed(n * batch_size)
    )
    images = split(n)
    statistics = image_statistics(images.images)
    loss, accuracy, fitness = score(model, images, statistics, batch_size, "balanced_accuracy")
    with torch.no_grad():
        logits = model.eval()(to_float(images.images, *statistics))
    losses = [
        -float(row.log_softmax(0)[label]) for row, label in zip(logits, images.labels, strict=True)
    ]

    assert loss == pytest.approx(sum(losses) / n, rel=1e-4)
    assert accuracy == pytest.approx(
        sum(int(row.argmax()) == label for row, label in zip(logits, images.labels, strict=True))
        / n
    )
    guessed = logits.argmax(1)
    assert fitness == pytest.approx(
        sum(float((guessed == label)[images.labels == label].double().mean()) for label in (0, 1))
        / 2
        if n > 1
        else accuracy
    )


def test_score_leaves_the_network_as_it_is():
    """Scoring trains nothing and moves no batch statistics."""
    model = network().train()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    score(model, split(20), image_statistics(split(20).images))

    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
