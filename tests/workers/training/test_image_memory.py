"""Images in memory: workers read them where Ray's object store has them, and make no copy."""

from __future__ import annotations

import weakref

import pytest
import ray
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.support.measured_training import images as noise
from tests.support.measured_training import plan
from tests.support.trainings import dataset, drain, task
from vlga.config.training import TrainingConfig
from workers.evaluators.on_ray import RayEvaluator
from workers.training.evaluate import evaluate

#: Four times as many as are looked at in one go.
N_TRAINED = 4096


class LargestTensor(TorchDispatchMode):
    """Watches what torch makes.

    Attributes:
        n_values: of the largest tensor that was in memory of its own, not in known one.
    """

    def __init__(self, known):
        super().__init__()
        self._known = known
        self.n_values = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for one in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(one, torch.Tensor):
                storage = one.untyped_storage()
                if storage.data_ptr() not in self._known:
                    self.n_values = max(self.n_values, storage.nbytes() // one.itemsize)
        return made


def test_a_training_copies_images_in_batches_only():
    """No tensor that it makes, from read-only arrays, has room for one channel of all of them."""
    shape = (3, 8, 8)
    images = noise(shape, N_TRAINED, n_scored=64)
    arrays = [array for split in images._splits() for array in split]
    for one in arrays:
        one.flags.writeable = False
    with LargestTensor({one.ctypes.data for one in arrays}) as largest:
        training = TrainingConfig(epochs=1, batch_size=64)
        outcome, _ = evaluate(task(of=plan(shape=shape), training=training), images)

    assert outcome.completed
    assert 0 < largest.n_values < N_TRAINED * 8 * 8


@pytest.mark.usefixtures("cluster")
class TestOnRay:
    def test_a_worker_trains_on_what_the_object_store_has(self):
        """The tensors of all splits lie in a worker's mapping of the store, which is one file."""

        def files_of_images(shared):
            """Say which files a process sees at the addresses of the images."""
            import re
            from pathlib import Path

            from workers.training.resident import on_device

            data = on_device(ray.get(shared[0]), "cpu")
            addresses = [one.images.data_ptr() for one in (data.train, data.validation, data.test)]
            mappings = re.findall(
                r"^(\w+)-(\w+) \S+ \S+ \S+ \d+ *(.*)$",
                Path("/proc/self/maps").read_text(),
                re.MULTILINE,
            )
            return [
                file
                for address in addresses
                for begin, end, file in mappings
                if int(begin, 16) <= address < int(end, 16)
            ]

        evaluator = RayEvaluator(dataset([0, 1] * N_TRAINED))
        files = ray.get(ray.remote(files_of_images).remote([evaluator._dataset]))

        assert len(files) == 3
        assert len(set(files)) == 1
        assert "plasma" in files[0]

    def test_the_driver_s_images_can_go(self):
        """An evaluator keeps none beside those in the object store, and trains all the same."""
        images = dataset()
        alive = weakref.ref(images.train_images)
        evaluator = RayEvaluator(images)
        del images

        assert alive() is None
        evaluator.submit(task())
        assert [one.completed for one in drain(evaluator)] == [True]
