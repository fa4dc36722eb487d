"""Which share of a GPU a training reserves, and that Ray runs as many side by side as fit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import plans
from tests.support.trainings import dataset, task
from vlga.networks.plan import NetworkPlan
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask
from workers import machine
from workers.cluster.gpu_shares import GpuShares
from workers.cluster.task import reserved_gpu
from workers.machine import torch_sees_gpus
from workers.training.footprint import CONTEXT_BYTES, training_bytes

GIB = 2**30
DATA = replace(dataset().summary(), n_train=50_000, n_validation=10_000)
#: What every process takes whatever its network.
CONSTANT = CONTEXT_BYTES + 2**28 + DATA.n_bytes
gpus = st.integers(GIB, 200 * GIB)


def training_of(plan: NetworkPlan, batch_size: int = 2**16) -> EvaluationTask:
    """Give a task of which maps are most, if its batch is large."""
    one = task()
    return replace(
        one, plan=plan, training=one.training.model_copy(update={"batch_size": batch_size})
    )


def predicted(one: EvaluationTask) -> int:
    batch_size = min(one.training.batch_size, DATA.n_train)
    return training_bytes(one.plan, batch_size, n_scored=DATA.n_validation, on_gpu=True)


def took(one: EvaluationTask, times: float, reason: FailureReason | None = None) -> Evaluation:
    """Give the outcome of a training that took so many times what was predicted."""
    fitness = 0.5 if reason is None else None
    n_bytes = 2**28 + DATA.n_bytes + int(times * predicted(one))
    return Evaluation(0, 1, 0, fitness, reason, peak_memory_bytes=n_bytes)


@given(plans(), gpus, st.integers(1, 2**17))
def test_a_share_is_the_least_that_is_enough(plan, gpu_bytes, batch_size):
    """An eighth, a quarter, a half or all, for what is always there and twice the prediction."""
    one = training_of(plan, batch_size)
    share = GpuShares(gpu_bytes, DATA).share(one)
    needed = CONSTANT + 2 * predicted(one)

    assert share in {1 / 8, 1 / 4, 1 / 2, 1}
    assert share == 1 or share * gpu_bytes >= needed
    assert share == 1 / 8 or share / 2 * gpu_bytes < needed


@given(plans(), gpus)
def test_a_gpu_without_bfloat16_gives_no_less(plan, gpu_bytes):
    """Its maps take twice as much."""
    one = training_of(plan)
    old = GpuShares(gpu_bytes, DATA, has_bfloat16=False)

    assert old.share(one) >= GpuShares(gpu_bytes, DATA).share(one)


@given(plans())
def test_a_whole_gpu_is_reserved(plan):
    """By a final training, and where nobody can tell what a GPU has."""
    one = training_of(plan, batch_size=1)

    assert GpuShares(None, DATA).share(one) == 1
    assert GpuShares(200 * GIB, DATA).share(replace(one, is_final=True)) == 1


class TestLearning:
    @pytest.mark.parametrize(("times", "factor"), [(0.5, 1.0), (1.2, 1.5), (4.0, 5.0)])
    def test_the_worst_of_eight_counts(self, plan, times, factor):
        """With a margin of a quarter, and never less than the prediction itself."""
        one, shares = training_of(plan), GpuShares(80 * GIB, DATA)
        factors = [shares.factor]
        for number in range(8):
            shares.learn(one, took(one, times if number == 3 else 0.1))
            factors.append(shares.factor)

        assert factors[:4] == [2.0] * 4
        assert factors[4:8] == pytest.approx([max(2.0, factor)] * 4, rel=1e-6)
        assert factors[8] == pytest.approx(factor, rel=1e-6)

    def test_an_outlier_is_one_of_many(self, plan):
        """Of fifty trainings one or two that took much more do not cost all others their place."""
        one, shares = training_of(plan), GpuShares(80 * GIB, DATA)
        for number in range(50):
            shares.learn(one, took(one, 20.0 if number in (20, 30) else 2.0))
        assert shares.factor == pytest.approx(1.25 * 2.0, rel=1e-6)

        shares.learn(one, took(one, 20.0))
        assert shares.factor == pytest.approx(1.25 * 20.0, rel=1e-6)

    def test_what_is_long_ago_is_forgotten(self, plan):
        """Fifty others later, nothing is left of what the first ones took."""
        one, shares = training_of(plan), GpuShares(80 * GIB, DATA)
        for number in range(60):
            shares.learn(one, took(one, 20.0 if number < 10 else 1.0))

        assert shares.factor == pytest.approx(1.25, rel=1e-6)

    @pytest.mark.parametrize(
        "outcome",
        [
            lambda one: took(one, 9.0, FailureReason.BUILD),
            lambda one: replace(took(one, 9.0), peak_memory_bytes=None),
        ],
    )
    def test_what_was_not_trained_teaches_nothing(self, plan, outcome):
        """Nor does what a worker that was lost cannot tell."""
        one, shares = training_of(plan), GpuShares(80 * GIB, DATA)
        for _ in range(8):
            shares.learn(one, outcome(one))

        assert shares.factor == 2.0

    def test_small_networks_teach_nothing(self, plan):
        """What they take is the kernels' workspace."""
        one, shares = training_of(plan, batch_size=1), GpuShares(80 * GIB, DATA)
        for _ in range(8):
            shares.learn(one, took(one, 1000.0))

        assert shares.factor == 2.0

    def test_running_out_of_memory_teaches(self, plan):
        """It wanted more than it had."""
        one, shares = training_of(plan), GpuShares(80 * GIB, DATA)
        shares.learn(one, took(one, 4.0, FailureReason.OUT_OF_MEMORY))

        assert shares.factor == pytest.approx(5.0, rel=1e-6)

    @pytest.fixture
    def plan(self) -> NetworkPlan:
        return task().plan


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What came of trainings on GPUs that Ray was told of, in a process of their own."""
    command = [sys.executable, "-m", "tests.support.packed_trainings"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stderr
    figures: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])  # Ray may have written before
    return figures


@pytest.mark.ray
def test_as_many_as_fit_train_side_by_side(found):
    """Four small ones on one GPU, and none of them overtakes one that waits for all of it."""
    assert found["packed"]["n_slots"] == 5
    assert found["packed"]["at_once"] == [4] * 4 + [1] + [4] * 4
    assert found["no_gpu"] == 2


@pytest.mark.ray
def test_old_gpus_are_known_as_such(found):
    """Whoever chooses sizes counts on less of them."""
    assert found["packed"]["has_bfloat16"] is False


@pytest.mark.ray
def test_gpus_that_torch_cannot_use_are_left_alone(found):
    """By default trainings run on CPUs then, and say so; whoever asks for a GPU is refused."""
    (said,) = found["unusable"]["said"]

    assert re.fullmatch(r"torch can use no GPU of \S+: training on CPUs; see vlga doctor", said)
    assert found["unusable"]["n_slots"] == 5
    assert found["unusable"]["asked"].endswith("train on CPUs with --gpus-per-evaluation 0")


@pytest.mark.ray
def test_one_machine_that_cannot_use_its_gpus_is_named(found):
    """Networks trained there would fail for it, and those of the others must not be idle."""
    assert "but torch sees none on bad; " in found["unusable"]["some"]


def test_one_without_a_number_is_the_only_one_seen(monkeypatch):
    """A part of a GPU has a UUID; its process sees it alone, as Ray has set it."""
    monkeypatch.setattr("ray.get_gpu_ids", lambda: ["MIG-7"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-7")

    assert reserved_gpu() == "cuda:0"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-7"


def test_torch_is_asked_what_it_can_use():
    """Its own answer, here."""
    assert torch_sees_gpus() == torch.cuda.is_available()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("import sys; sys.exit(0)", True),
        ("import sys; sys.exit(1)", False),
        ("import os, sys; sys.exit('CUDA_VISIBLE_DEVICES' in os.environ)", True),
        ("import decoy", False),
    ],
)
def test_torch_is_asked_with_all_gpus_visible(monkeypatch, tmp_path, question, answer):
    """A task that reserves no GPU may see none; what lies in the current folder is not loaded."""
    monkeypatch.setattr(machine, "_ASK_TORCH", question)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decoy.py").touch()

    assert torch_sees_gpus() is answer


@pytest.mark.ray
def test_they_wait_for_machines_that_are_gone(found):
    """Ray has one meanwhile, so that somebody waits; the others follow when GPUs are to be had."""
    assert found["lost"] == {"at_ray": 1, "done": [True] * 4}


@pytest.mark.ray
def test_each_is_on_the_gpu_that_it_reserved(found):
    """Also where Ray gives a process another one than before, which CUDA does not notice."""
    for _, reserved, named, visible in found["reserved"]:
        assert named == reserved
        assert visible is None
