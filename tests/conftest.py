"""What the whole suite shares: where files go, marks, Hypothesis' profiles, Ray and Postgres."""

from __future__ import annotations

import functools
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support import cluster as cluster_support
from tests.support import marks
from tests.support.cluster import Cluster

# The fast profile draws the same examples in every run, so that a red build is about the change
# and not about luck; the long one looks for something new each time:
#     HYPOTHESIS_PROFILE=long pytest tests/vlga
# There is no deadline: trainings and a shared machine make single examples slow.
settings.register_profile("default", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Temporary files live in memory where there is room: half of the suite's time was waiting for a
# disk to flush them. pytest numbers the folders there and takes them away again.
_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 2**30
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

#: What commands load only when they need it.
_LOADED_LATE = (
    "vlga.cli.search",
    "vlga.service.app",
    "workers.data",
    "sklearn.datasets",
    "psycopg",
)

marks.watch()


# One of several test processes on a few cores: torch gets one core in each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark and order tests by the fixtures that start something; what waits longest comes first."""
    for item in items:
        marks.set_marks(item)
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    if "cluster" in getattr(item, "fixturenames", ()):
        return 0
    return 1 if item.get_closest_marker("ray") else 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Say which test runs, to who looks at what it starts."""
    marks.enter(item)
    try:
        return (yield)
    finally:
        marks.enter(None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share files between the processes of `pytest -n 2`, those that need Ray all to one of them.

    xdist's own groups do nothing with pytest 9.2, which no longer lets it rename a test.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid.partition("::")[0])

    config.option.loadscopereorder = False  # the order is that of _rank
    return ByFile(config, log)


@functools.cache
def _group(file: str) -> str:
    """Give a file's group: `cluster` if a test in it uses that fixture, else its own."""
    text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
    return "cluster" if 'usefixtures("cluster")' in text else file


@pytest.fixture
def disk() -> Iterator[Path]:
    """An empty folder on a real disk, for what is about flushing, locking and room."""
    with tempfile.TemporaryDirectory(prefix="vlga-test-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def processes() -> Any:
    """What forks processes that have loaded what a training needs, which takes ten seconds.

    One for all, since Python has one server that forks.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.cli.test_killed", "tests.db.read.test_readers", *_LOADED_LATE]
    )
    return context


@pytest.fixture
def cluster() -> None:
    """Ray on this machine with two CPUs, started when first wanted: workers import torch once.

    It runs until the process ends or a test asks for `no_cluster`.
    """
    from tests.support.trainings import dataset
    from workers.cluster.connect import connect

    connect(None, 2, 1.0, dataset().summary())


@pytest.fixture
def no_cluster() -> Iterator[None]:
    """No Ray yet, for a test that starts one itself, here or in another process; none after it."""
    import ray

    ray.shutdown()
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def ray_machines() -> Iterator[Cluster]:
    """A cluster of processes, of a head without CPUs so far, for a module to add to and break."""
    with cluster_support.cluster() as made:
        yield made


@pytest.fixture
def empty_postgres() -> str:
    """The URL of an empty database of a real server, which is started when first wanted."""
    from tests.support import postgres

    return postgres.empty_database()
