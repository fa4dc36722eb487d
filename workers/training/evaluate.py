"""One evaluation: a task in, an `Evaluation` out, whatever happens."""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask, worthwhile_threads
from vlga.ports.mistakes import Mistakes
from workers.data import Dataset
from workers.data.dataset import LabelledImages
from workers.networks.committee import Committee, trained_network
from workers.networks.mirrored import Mirrored
from workers.networks.weights import Normalization, pack_weights
from workers.training.beginning import begin, looks_at_mirror_images, whiten
from workers.training.cuda_errors import UnusableGpuError, makes_gpu_unusable
from workers.training.footprint import SCORED_AT_ONCE
from workers.training.latency import measured_latency
from workers.training.loop import TrainingFailure, TrainingResult, train
from workers.training.memory import limit_gpu_memory, peak_memory_bytes, training_memory
from workers.training.mistakes import count_mistakes
from workers.training.outcome import Outcome, first_line, reason_of
from workers.training.pace import Pace
from workers.training.resident import ResidentData, free, on_device
from workers.training.scoring import Answers, Scores, Split, score, scores_and_answers

__all__ = ["evaluate"]

_HALVED = "trained with halves of each batch, as whole ones did not fit the memory"

#: How many times as long an image takes in a training step as in a forward pass.
_STEP_COST = 3


def evaluate(
    task: EvaluationTask,
    dataset: Dataset,
    *,
    device: str = "cpu",
    n_threads: int = 1,
    gpu_share: float = 1.0,
    given_up: Callable[[], bool] = lambda: False,
    make_room: Callable[[], bool] = lambda: False,
) -> tuple[Evaluation, bytes | None]:
    """Build, train and score one network; or score a committee of trained ones.

    A training that runs out of memory is tried once more with the room that others make, if they
    can. Then it is tried with each step's batch in two halves whose gradients are added up; the
    message says so, also if that completes.

    Args:
        task: what to do.
        dataset: the images; moved to the device on first use.
        device: ``cpu``, or a GPU with its number, such as ``cuda:0``.
        n_threads: CPU threads that torch may use (`worthwhile_threads` of them are, or of a timed
            training those that turn out fastest); the results on a CPU may depend on it.
        gpu_share: of a GPU's memory, how much it may take; what it frees it gives back.
        given_up: tells before each step whether nobody waits for the outcome any more; the training
            then ends as if out of time.
        make_room: lets others give memory back, and tells whether they did.

    Returns:
        The outcome, and the trained weights if the task keeps them and it completed. A network that
        cannot be built or trained gives a failed evaluation.

    Raises:
        UnusableGpuError: this process can do nothing on the GPU any more.
    """
    started = time.monotonic()
    deadline = None if task.seconds is None else started + task.seconds
    attempt = partial(
        _attempt,
        task,
        dataset,
        device=device,
        n_threads=n_threads,
        is_over=lambda: given_up() or (deadline is not None and time.monotonic() > deadline),
    )
    if device != "cpu":
        torch.cuda.set_device(device)
        limit_gpu_memory(gpu_share)
        # To time its algorithms costs seconds and much memory: for long trainings that have a GPU
        # to themselves. All their steps have maps of the same shapes.
        torch.backends.cudnn.benchmark = task.is_final
    outcome = attempt(micro_batches=1)
    if outcome.ran_out_of_memory and make_room():
        free(device)
        outcome = attempt(micro_batches=1)
    if outcome.ran_out_of_memory and min(task.training.batch_size, len(dataset.train_labels)) > 1:
        free(device)
        outcome = attempt(micro_batches=2)
        message = f"{outcome.message}; {_HALVED}" if outcome.message else _HALVED
        outcome = replace(outcome, message=message)
    is_timed = task.timed is not None and outcome.fitness is not None
    peak_bytes = peak_memory_bytes(device)
    if device != "cpu":
        free(device)
    return (
        Evaluation(
            candidate_id=task.candidate_id,
            epochs=len(outcome.curve) if is_timed else task.epochs,
            seed=task.seed,
            fitness=outcome.fitness,
            reason=outcome.reason,
            message=outcome.message,
            validation_loss=outcome.validation_loss,
            n_parameters=task.n_parameters,
            n_macs=task.n_macs,
            curve=outcome.curve,
            train_seconds=time.monotonic() - started,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            device=_device_name(device),
            peak_memory_bytes=peak_bytes,
            test_accuracy=outcome.test_accuracy,
            latency_seconds=outcome.latency_seconds,
            mistakes=outcome.mistakes,
        ),
        outcome.weights,
    )


def _attempt(
    task: EvaluationTask,
    dataset: Dataset,
    *,
    device: str,
    n_threads: int,
    is_over: Callable[[], bool],
    micro_batches: int,
) -> Outcome:
    """Build, train and score the network once, with each batch in so many parts."""
    stage, latency = FailureReason.BUILD, None
    try:
        n_used = worthwhile_threads(task.plan.n_macs, task.training.batch_size, n_threads)
        with _threads(n_used), training_memory(device):
            if task.members:
                scores, answers = _committee_scores(task, on_device(dataset, device), device)
                found = _mistakes(answers, dataset)
                return Outcome(scores.fitness, test_accuracy=scores.accuracy, mistakes=found)
            network = begin(task)
            stage = FailureReason.ERROR
            network.to(device)
            data = on_device(dataset, device)
            whiten(network, data)
            if task.measure_latency:
                latency = measured_latency(network, task.plan.input_shape)
                if task.latency_ms is not None and 1000 * latency > task.latency_ms:
                    return Outcome.too_slow(latency, task.latency_ms)
            mirrored = looks_at_mirror_images(task, may_mirror=dataset.may_mirror)
            result = _train(
                task,
                network,
                data,
                may_mirror=dataset.may_mirror,
                mirrored=mirrored,
                is_over=is_over,
                micro_batches=micro_batches,
            )
            test_accuracy = mistakes = None
            if task.is_final:
                test_accuracy = result.scores.accuracy
                mistakes = _mistakes(result.answers, dataset)
            if task.score_test:
                at_once = SCORED_AT_ONCE // micro_batches
                test_accuracy = score(network, data.test, data.statistics, at_once).accuracy
            fitness, curve = result.scores.fitness, result.curve
            normalization = Normalization(
                *data.statistics, dataset.levels, mirrored, dataset.is_padded
            )
            keeps = task.keeps_weights_of(fitness)
            weights = pack_weights(network, normalization) if keeps else None
            return Outcome(
                fitness,
                curve=curve,
                weights=weights,
                test_accuracy=test_accuracy,
                latency_seconds=latency,
                mistakes=mistakes,
            )
    except TrainingFailure as failure:
        return Outcome(None, failure.reason, str(failure), failure.curve, latency_seconds=latency)
    except Exception as error:  # noqa: BLE001  # any failure of a network is data, see population.py
        if makes_gpu_unusable(str(error)):
            raise UnusableGpuError(first_line(error)) from None
        # The words only: the error itself would keep the network and its maps.
        return Outcome(
            None,
            reason_of(error, stage),
            first_line(error),
            is_built=stage is not FailureReason.BUILD,
            latency_seconds=latency,
        )


def _mistakes(answers: Answers, dataset: Dataset) -> Mistakes:
    """Count what a trained network, or a committee, gets wrong on the test images."""
    images = LabelledImages(dataset.test_images, dataset.test_labels)
    return count_mistakes(dataset.classes, images, *(one.cpu().numpy() for one in answers))


def _committee_scores(
    task: EvaluationTask, data: ResidentData, device: str
) -> tuple[Scores, Answers]:
    """Score the mean of the members' probabilities on the test images."""
    members = [trained_network(one.plan, one.weights.data)[0] for one in task.members]
    committee = Committee(members).to(device)
    scores, answers = scores_and_answers(
        committee, data.test, data.statistics, SCORED_AT_ONCE, task.fitness
    )
    return Scores(*scores.tolist()), answers


def _train(
    task: EvaluationTask,
    network: nn.Module,
    data: ResidentData,
    *,
    may_mirror: bool,
    mirrored: bool,
    is_over: Callable[[], bool],
    micro_batches: int,
) -> TrainingResult:
    """Train for a fitness, or finally: on all images but the test's, scored on those."""
    train_split, score_split = data.train, data.validation
    if task.is_final:
        score_split = data.test
        if data.validation is not data.test:
            train_split = Split(
                torch.cat([data.train.images, data.validation.images]),
                torch.cat([data.train.labels, data.validation.labels]),
            )
    pace = None
    if task.timed is not None:
        looks = 2 if mirrored else 1
        n_images = task.timed.n_scores * looks * len(score_split.labels)
        n_scored = n_images / (_STEP_COST * len(train_split.labels))
        on_cpu = train_split.images.device.type == "cpu"
        pace = Pace(task.timed, n_scored, torch.get_num_threads() if on_cpu else None)
    return train(
        network,
        train_split,
        score_split,
        statistics=data.statistics,
        optimizer_plan=task.plan.optimizer,
        amplification=task.plan.amplification,
        config=task.training,
        seed=task.seed,
        may_mirror=may_mirror,
        pace=pace,
        cutout=task.cutout,
        early_size=task.early_size,
        answering=Mirrored(network) if mirrored else None,
        score_each_epoch=not task.is_final,
        fitness=task.fitness,
        is_over=is_over,
        micro_batches=micro_batches,
    )


@contextmanager
def _threads(n_threads: int) -> Iterator[None]:
    """Let torch use this many CPU threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _device_name(device: str) -> str:
    if device == "cpu":
        return f"cpu ({platform.machine()})"
    return torch.cuda.get_device_name()
