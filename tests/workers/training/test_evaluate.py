"""One evaluation: whatever happens to a training, an `Evaluation` comes out."""

from __future__ import annotations

import math
import os
import socket
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.trainings import SHAPE, dataset, diverging, network, plan, task
from vlga.config.training import TrainingConfig
from vlga.networks.named import ModelPlan
from vlga.networks.plan import NetworkPlan
from vlga.networks.training import AmplificationPlan
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask, Member, TimedEpochs, Weights
from workers.data import Dataset
from workers.networks.committee import trained_network
from workers.networks.mirrored import Mirrored
from workers.networks.weights import pack_weights, unpack_trained, unpack_weights
from workers.training import evaluate as evaluation
from workers.training import resident as resident_data
from workers.training.augmentation import to_float
from workers.training.cuda_errors import UnusableGpuError
from workers.training.evaluate import evaluate


@pytest.fixture(autouse=True)
def empty_cache():
    """No test sees images that another one left on the device."""
    resident_data._resident.clear()


def reason_of(one: EvaluationTask, images: Dataset | None = None) -> tuple[FailureReason, str]:
    """Run a task that must fail, and give why and in which words."""
    outcome, weights = evaluate(replace(one, keep_weights=True), images or dataset())
    assert weights is None
    assert outcome.fitness is None
    return outcome.reason, outcome.message


def numbers(outcome: Evaluation) -> tuple[object, ...]:
    """Give what does not depend on the machine."""
    return outcome.fitness, [replace(one, seconds=0.0) for one in outcome.curve]


def fail_with(monkeypatch, error: Exception) -> None:
    """Let each training raise this."""

    def fail(*_args, **_rest):
        raise error

    monkeypatch.setattr(evaluation, "train", fail)


class TestCompleted:
    def test_says_everything(self):
        """A completed evaluation has its fitness, its curve and what it cost where."""
        outcome, _ = evaluate(task(7, seed=3), dataset())

        assert outcome.candidate_id == 7
        assert (outcome.epochs, outcome.seed) == (2, 3)
        assert outcome.completed
        assert outcome.message == ""
        assert outcome.fitness == outcome.curve[-1].validation_accuracy
        assert len(outcome.curve) == 2
        assert (outcome.n_parameters, outcome.n_macs) == (plan().n_parameters, plan().n_macs)
        assert 0 < sum(one.seconds for one in outcome.curve) <= outcome.train_seconds
        assert outcome.worker == f"{socket.gethostname()}:{os.getpid()}"
        assert outcome.device.startswith("cpu")
        assert outcome.peak_memory_bytes > 2**20

    def test_a_timed_training_says_how_many_epochs_it_had(self):
        """Not how many were expected of it."""
        timed = TimedEpochs(1e9, fewest=1, most=4)
        outcome, _ = evaluate(task(timed=timed, is_final=True), dataset())

        assert outcome.epochs == len(outcome.curve) == 4

    def test_a_timed_training_leaves_time_for_the_scores_that_are_to_come(self):
        """So much here that no epoch is added to the two that were expected."""
        timed = TimedEpochs(1e6, fewest=1, most=4, n_scores=1e12)
        outcome, _ = evaluate(task(timed=timed, is_final=True), dataset())

        assert outcome.epochs == 2

    def test_images_are_smaller_at_first_where_it_is_asked_for(self):
        """Of two epochs the first has another loss."""
        plain, small = (evaluate(task(early_size=size), dataset())[0] for size in (1.0, 0.75))

        assert small.completed
        assert small.curve[0].train_loss != plain.curve[0].train_loss

    def test_latency_is_measured_where_it_is_asked_for(self):
        """Which changes nothing of what is trained."""
        plain, _ = evaluate(task(), dataset())
        measured, _ = evaluate(task(measure_latency=True, latency_ms=10_000.0), dataset())

        assert plain.latency_seconds is None
        assert 0 < measured.latency_seconds < 1
        assert numbers(measured) == numbers(plain)

    def test_a_seed_gives_the_same_outcome(self):
        """The same task gives the same fitness, curve and weights to the bit; the id is no part."""
        (one, weights), (same, same_weights), (other, _) = (
            evaluate(task(number, seed=seed, keep_weights=True), dataset())
            for number, seed in ((0, 5), (1, 5), (2, 6))
        )

        assert numbers(one) == numbers(same)
        assert weights == same_weights
        assert numbers(one) != numbers(other)

    def test_a_committee_has_the_accuracy_of_the_mean_and_the_cost_of_all(self):
        """Of the test images; two that agree outvote one that is wrong, and nothing is trained."""
        good, bad = (
            evaluate(task(number, is_final=True, keep_weights=True), images)[1]
            for number, images in enumerate((dataset(), dataset(train=[1, 1], validation=[1, 1])))
        )
        members = tuple(
            Member(plan(), Weights(number, weights))
            for number, weights in enumerate((good, good, bad))
        )
        outcome, weights = evaluate(task(4, is_final=True, members=members), dataset())
        alone, _ = evaluate(task(4, is_final=True, members=members[2:]), dataset())

        assert outcome.fitness == outcome.test_accuracy == 1.0
        assert outcome.mistakes.n_images == sum(map(sum, outcome.mistakes.confusion))
        assert not outcome.mistakes.worst
        assert alone.fitness <= 0.5
        assert alone.mistakes.worst
        assert (outcome.candidate_id, outcome.epochs, outcome.curve) == (4, 0, ())
        assert outcome.n_parameters == 3 * plan().n_parameters
        assert outcome.n_macs == 3 * plan().n_macs
        assert weights is None

    def test_the_fitness_is_that_of_the_validation_images(self):
        """Trained on dark images only, it calls the bright validation images dark."""
        images = dataset(train=[0] * 30, validation=[1] * 10, test=[0] * 10)

        assert evaluate(task(), images)[0].fitness == 0

    def test_the_fitness_is_of_the_kind_that_the_task_names(self):
        """All are called dark: three of four are right, half of what counts classes alike."""
        images = dataset(train=[0] * 30, validation=[0] * 9 + [1] * 3, test=[0] * 4 + [1])
        alike = task(fitness="balanced_accuracy")
        outcome, _ = evaluate(alike, images)
        probability, _ = evaluate(task(fitness="log_loss"), images)
        final, _ = evaluate(
            replace(alike, is_final=True),
            replace(images, validation_labels=0 * images.validation_labels),
        )

        assert (outcome.fitness, outcome.curve[-1].validation_accuracy) == (0.5, 0.75)
        assert outcome.mistakes is None  # they are those on the test images
        assert probability.fitness == pytest.approx(math.exp(-probability.validation_loss))
        assert (final.fitness, final.test_accuracy) == (0.5, 0.8)

    @pytest.mark.parametrize(("may_mirror", "kind"), [(True, "crop_flip"), (False, "crop")])
    def test_images_are_mirrored_if_they_mean_the_same_then(self, may_mirror, kind):
        """The setting auto is the one that the images' own nature asks for."""
        settings = task().training
        as_told = replace(task(), training=settings.model_copy(update={"augment": kind}))
        images = dataset(may_mirror=may_mirror)

        assert numbers(evaluate(task(), images)[0]) == numbers(evaluate(as_told, images)[0])

    def test_a_final_training_uses_validation_images_and_scores_on_the_test(self):
        """It learns bright images from the validation split; 2 of 8 test labels are wrong."""
        images = dataset(train=[0] * 30, validation=[1] * 30, test=[0, 1] * 4)
        images = replace(images, test_labels=np.array([0, 1] * 3 + [1, 0]))
        long = TrainingConfig(epochs=20, batch_size=16, augment="none")
        outcome, _ = evaluate(task(training=long, is_final=True), images)

        assert outcome.fitness == outcome.test_accuracy == 0.75
        assert [one.validation_accuracy for one in outcome.curve] == [*[None] * 19, 0.75]

    def test_a_final_training_never_sees_the_test_images_that_gave_the_fitness(self):
        """With the fitness on test images nothing of class 1 is there to be learned."""
        images = dataset(train=[0] * 30, validation=[1] * 10, test=[1] * 10)
        images = replace(
            images,
            validation_images=images.test_images,
            validation_labels=images.test_labels,
            validates_on_test=True,
        )
        long = TrainingConfig(epochs=20, batch_size=16, augment="none")

        assert evaluate(task(training=long, is_final=True), images)[0].fitness == 0
        assert evaluate(task(training=long), images)[0].fitness == 0

    def test_the_test_images_are_scored_where_a_study_asks_for_it(self):
        """By the network as trained, whose fitness stays that on the validation images."""
        images = dataset(train=[0] * 30, validation=[1] * 10, test=[0] * 9 + [1] * 3)
        outcome, _ = evaluate(task(score_test=True), images)

        assert (outcome.fitness, outcome.test_accuracy) == (0, 0.75)
        assert evaluate(task(), images)[0].test_accuracy is None

    def test_a_named_model_is_trained_like_any_network(self):
        """With its own parameters, weights and names of layers."""
        amplification = AmplificationPlan(mode="random", ratio=1.0, window=(0.0, 1.0))
        model = ModelPlan(SHAPE, 2, plan().optimizer, amplification, "simple_cnn")
        outcome, weights = evaluate(task(0, model, keep_weights=True), dataset())

        assert outcome.completed
        assert outcome.n_parameters == model.n_parameters
        assert "features.0.weight" in unpack_weights(weights)
        assert outcome.curve[0].amplified_layers == ("features.1", "features.5", "features.9")

    def test_amplification_is_the_plans(self):
        """The curve names the layers that the plan has amplified."""
        amplified = replace(
            plan(), amplification=AmplificationPlan(mode="random", ratio=1.0, window=(0.0, 0.5))
        )
        outcome, _ = evaluate(task(0, amplified), dataset())

        assert [len(one.amplified_layers) for one in outcome.curve] == [2, 0]


class TestWeights:
    def test_are_given_if_kept(self):
        """Those of the whole network, with what its images are normalized by, in any training."""
        images = dataset(levels=(0.0, 4095.0), is_padded=True)
        _, none = evaluate(task(), images)
        _, kept = evaluate(task(keep_weights=True), images)
        state, normalization = unpack_trained(kept)

        assert none is None
        assert state.keys() == network().state_dict().keys()
        assert normalization.mean.item() == pytest.approx(images.train_images.mean() / 255)
        assert normalization.levels == (0.0, 4095.0)
        assert normalization.padded
        assert normalization.std.item() == pytest.approx(images.train_images.std() / 255)

    @pytest.mark.parametrize(
        ("is_final", "may_mirror", "averages", "mirrored"),
        [
            (True, True, True, True),
            (True, False, True, False),
            (True, True, False, False),
        ],
    )
    def test_say_whether_the_network_looks_at_mirror_images(
        self, is_final, may_mirror, averages, mirrored
    ):
        """Where it was trained on them; its accuracy is that of what is used later."""
        images = dataset(may_mirror=may_mirror)
        final = task(is_final=is_final, average_mirrored=averages, keep_weights=True)
        outcome, weights = evaluate(final, images)
        mistakes = outcome.mistakes
        answering, normalization = trained_network(final.plan, weights)
        tested = torch.from_numpy(images.test_images)
        answers = answering(to_float(tested, normalization.mean, normalization.std)).argmax(1)

        assert normalization.mirrored is isinstance(answering, Mirrored) is mirrored
        right = (answers == torch.from_numpy(images.test_labels)).double().mean().item()
        assert outcome.fitness == pytest.approx(right)
        confusion = np.zeros((2, 2), int)
        np.add.at(confusion, (images.test_labels, answers.numpy()), 1)
        assert mistakes.confusion == tuple(map(tuple, confusion.tolist()))
        assert mistakes.classes == images.classes

    def test_are_inherited(self):
        """With a learning rate of almost nothing the trained network has the given blocks."""
        parent = network(seed=99)
        child = plan(2, learning_rate=1e-30)
        inheriting = task(
            0, child, weights=Weights(3, pack_weights(parent)), keep_weights=True, seed=1
        )
        trained = unpack_weights(evaluate(inheriting, dataset())[1])
        kernels = [name for name in parent.state_dict() if name.endswith("conv.weight")]

        assert len(kernels) == 2
        assert all(torch.equal(trained[name], parent.state_dict()[name]) for name in kernels)

    def test_are_inherited_by_the_layers_that_the_task_names(self):
        """The second block from the first, and no other from any."""
        parent = network(plan(2), seed=99)
        layers = (("blocks.1.b", "blocks.0.b"),)
        weights = Weights(3, pack_weights(parent))
        child = plan(2, learning_rate=1e-30)
        given, none = (
            unpack_weights(evaluate(replace(one, keep_weights=True), dataset())[1])
            for one in (task(0, child, weights=weights, inherited_layers=layers), task(0, child))
        )
        own, theirs = "blocks.1.b.conv.weight", "blocks.0.b.conv.weight"

        assert torch.equal(given[own], parent.state_dict()[theirs])
        assert torch.equal(given[theirs], none[theirs])


class TestFailed:
    def test_diverged(self):
        """A loss that is not finite: the curve is kept, and no number in it is not finite."""
        outcome, weights = evaluate(diverging(keep_weights=True), dataset())

        assert outcome.reason is FailureReason.DIVERGED
        assert "no longer finite after epoch 0" in outcome.message
        assert len(outcome.curve) == 1
        assert weights is None

    def test_too_slow(self):
        """It is not trained at all, and what was measured is kept."""
        outcome, weights = evaluate(
            task(measure_latency=True, latency_ms=1e-3, keep_weights=True), dataset()
        )

        assert (outcome.fitness, outcome.reason) == (None, FailureReason.TOO_SLOW)
        assert outcome.message.startswith("takes ")
        assert outcome.message.endswith(" ms for one image, more than limits.latency_ms=0.001")
        assert (outcome.curve, weights) == ((), None)
        assert outcome.latency_seconds > 1e-6

    def test_timed_out(self):
        """Time for one training that is over before its first step."""
        assert reason_of(task(seconds=1e-9)) == (
            FailureReason.TIMED_OUT,
            "out of time in epoch 0",
        )

    def test_a_network_that_cannot_be_built(self):
        """What goes wrong before the training is a matter of the building."""
        unknown = replace(plan(), activation="mish")

        assert reason_of(task(0, unknown)) == (FailureReason.BUILD, "KeyError: 'mish'")

    def test_weights_that_cannot_be_read(self):
        """Weights that are no file of ours are a matter of the building."""
        reason, message = reason_of(task(weights=Weights(1, b"no weights")))

        assert reason is FailureReason.BUILD
        assert "they are not tensors alone" in message
        assert "\n" not in message

    def test_out_of_memory(self):
        """A kernel larger than the address space is out of memory, not an error."""
        reason, message = reason_of(task(0, _with_channels(2**23)))

        assert reason is FailureReason.OUT_OF_MEMORY
        assert "can't allocate memory" in message

    @pytest.mark.parametrize(
        "words",
        [
            "CUDA error: out of memory",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
            "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        ],
    )
    def test_memory_that_is_not_torchs(self, monkeypatch, words):
        """Contexts and libraries take memory that torch does not count, and it runs out."""
        fail_with(monkeypatch, torch.AcceleratorError(f"{words}\nCompile with ..."))
        reason, message = reason_of(task())

        assert reason is FailureReason.OUT_OF_MEMORY
        assert message.startswith(f"AcceleratorError: {words}; trained with halves")

    @pytest.mark.parametrize(
        "words",
        [
            "device-side assert triggered",
            "an illegal memory access was encountered",
            "unspecified launch failure",
        ],
    )
    def test_a_gpu_that_is_unusable(self, monkeypatch, words):
        """No outcome: the next task would fail in this process as well, whatever its network."""
        fail_with(monkeypatch, torch.AcceleratorError(f"CUDA error: {words}\nCompile with ..."))

        with pytest.raises(UnusableGpuError, match=f"^AcceleratorError: CUDA error: {words}$"):
            evaluate(task(), dataset())

    def test_a_gpu_that_is_too_old(self, monkeypatch):
        """It fails with its words in every process: there is no use in another one."""
        error = torch.AcceleratorError("CUDA error: no kernel image is available for execution")
        fail_with(monkeypatch, error)

        assert reason_of(task())[0] is FailureReason.ERROR

    def test_any_other_error(self):
        """A label that is no class of the plan is an error, with torch's words in one line."""
        images = replace(dataset(), train_labels=np.full(40, 7))
        reason, message = reason_of(task(), images)

        assert reason is FailureReason.ERROR
        assert message == "IndexError: Target 7 is out of bounds."

    def test_weights_that_cannot_be_packed(self, monkeypatch):
        """Whatever fails after the training, the evaluation has a reason and no fitness."""

        def fail(*_):
            raise MemoryError("no room for a copy")

        monkeypatch.setattr(evaluation, "pack_weights", fail)

        reason, message = reason_of(task())

        assert reason is FailureReason.OUT_OF_MEMORY
        assert message.startswith("MemoryError: no room for a copy; trained with halves")


class TestSurroundings:
    @pytest.mark.parametrize("one", [task(), diverging()])
    def test_threads_are_restored(self, one: EvaluationTask, monkeypatch):
        """A training has those that are worthwhile; afterwards torch has as many as before."""
        seen = []
        monkeypatch.setattr(evaluation, "worthwhile_threads", lambda *_: before + 1)
        real_train = evaluation.train
        monkeypatch.setattr(
            evaluation,
            "train",
            lambda *args, **rest: seen.append(torch.get_num_threads()) or real_train(*args, **rest),
        )
        before = torch.get_num_threads()
        evaluate(one, dataset())

        assert seen == [before + 1]
        assert torch.get_num_threads() == before

    def test_read_only_images_cause_no_warning(self):
        """Arrays as Ray's object store gives them, read-only, are trained on in silence."""
        images = dataset(seed=50)
        for array in (images.train_images, images.validation_labels, images.test_images):
            array.setflags(write=False)
        torch.set_warn_always(True)  # otherwise torch warns once a process
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                outcome, _ = evaluate(task(), images)
        finally:
            torch.set_warn_always(False)

        assert outcome.completed
        assert [str(one.message) for one in caught] == []

    def test_images_are_moved_once(self):
        """The images of the last data set stay on the device; another's take their place."""
        first, second = dataset(), dataset(seed=10)
        evaluate(task(), first)
        (resident,) = resident_data._resident.values()
        evaluate(task(1), first)

        assert [*resident_data._resident.values()] == [resident]
        evaluate(task(), second)
        assert [key[0] for key in resident_data._resident] == [second.fingerprint]

    def test_the_global_generator_is_left_alone(self):
        """Nothing is drawn from torch's global generator."""
        before = torch.get_rng_state()
        evaluate(task(), dataset())

        assert torch.equal(torch.get_rng_state(), before)


def _with_channels(n: int) -> NetworkPlan:
    """Give a plan whose second convolution, 1x1, has n times n weights."""
    (block,) = plan().blocks
    first, second = (replace(conv, kernel=1, pool=None, channels=n) for conv in block.convs)
    second = replace(second, input_shape=(n, *SHAPE[1:]))
    return replace(plan(), blocks=(replace(block, convs=(first, second), skip=False),))
