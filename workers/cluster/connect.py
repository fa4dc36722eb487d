"""Connecting to a Ray cluster or starting one on this machine, and noticing when it is gone."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import ray
import ray.exceptions
from ray._private import services

import vlga
from vlga.errors import EvaluatorError, EvaluatorLost
from vlga.ports.data import DataSummary
from workers.cluster.address import check_address
from workers.cluster.nodes import NodeReport, node_reports, project_environment

__all__ = ["connect", "reaching", "visit", "while_connected"]

logger = logging.getLogger(__name__)

#: Ray's server for clients starts a process for each client, and sometimes that process hangs when
#: it forks (ray-project/ray#63202). Ray gives up after 30 seconds; another try usually succeeds.
_FORK_FAILED, _N_TRIES = "Starting Ray client server failed", 3


#: Time for Ray to install what the machines of a cluster lack; it copies their environment first.
_INSTALLATION_SECONDS = 900.0


def connect(
    address: str | None,
    n_workers: int | None,
    cpus_per_evaluation: float,
    data: DataSummary,
) -> bool:
    """Connect to a cluster, or start Ray on this machine with room for the workers, quietly.

    Args:
        address: of a Ray cluster, or None.
        n_workers: trainings at a time on this machine; None takes all of its CPUs.
        cpus_per_evaluation: CPUs that a training reserves.
        data: how much the object store must hold.

    Returns:
        False if this process was connected already.

    Raises:
        EvaluatorError: the cluster cannot be reached, or Ray cannot be started.
    """
    if ray.is_initialized():
        return False
    options: dict[str, Any] = {}
    if address is None:
        logger.info("starting Ray on this machine ...")
        options["include_dashboard"] = False
        options["object_store_memory"] = 512 * 2**20 + 2 * data.n_bytes
        if n_workers is not None:
            options["num_cpus"] = max(1, round(n_workers * cpus_per_evaluation))
    with reaching(address):
        try:
            _start_ray(address or "local", **options)
            if address is not None:
                _bring_project(address)
        except BaseException:
            ray.shutdown()
            raise
    return True


def visit(address: str) -> list[NodeReport]:
    """Connect to a cluster, ask every machine what it has, and disconnect.

    Raises:
        EvaluatorError: the cluster or one of its machines cannot be reached.
    """
    with reaching(address):
        _start_ray(address)
        try:
            return node_reports()
        finally:
            ray.shutdown()


def _start_ray(address: str, **options: Any) -> None:
    """Connect to a cluster, or start Ray here if the address is ``local``; quietly."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address != "local":
        check_address(address)
    for n_left in reversed(range(_N_TRIES)):
        try:
            with _project_folder_first(), _signals_are_ours():
                ray.init(
                    address=address, logging_level=logging.ERROR, log_to_driver=False, **options
                )
        except ConnectionAbortedError as error:
            if _FORK_FAILED not in str(error) or not n_left:
                raise
        else:
            return


@contextlib.contextmanager
def reaching(address: str | None) -> Iterator[None]:
    """Turn all that Ray raises while connecting into an `EvaluatorError` of one line.

    Args:
        address: of the cluster, or None for Ray on this machine.
    """
    try:
        yield
    except EvaluatorError:
        raise
    except (
        RuntimeError,
        ValueError,
        OSError,
        OverflowError,
        grpc.RpcError,
        ray.exceptions.RayError,
    ) as error:
        raise _unreachable(address, error) from error
    except Exception as error:
        if type(error) is not Exception:  # as Ray does if it cannot start in time
            raise
        raise _unreachable(address, error) from error


def _unreachable(address: str | None, error: Exception) -> EvaluatorError:
    where = f"the Ray cluster at {address!r}" if address else "Ray on this machine"
    words = (isinstance(error, OSError) and error.strerror) or str(error)
    detail = " ".join(words.split())[:300]
    return EvaluatorError(
        f"{where} must be reachable, but is not: {detail}; "
        "check --address, or add --inline to train without Ray"
    )


def _bring_project(address: str) -> None:
    """If a machine lacks this project's code, connect again and send it along."""
    environment = project_environment(node_reports())
    if environment:
        libraries = ", ".join(environment.get("pip", ()))
        what = f"vlga, with {libraries}" if libraries else "vlga"
        logger.info("sending %s to the machines of the cluster", what)
        ray.shutdown()
        _start_ray(address, runtime_env=environment)
        node_reports(timeout_seconds=_INSTALLATION_SECONDS)


@contextlib.contextmanager
def _project_folder_first() -> Iterator[None]:
    """Make Ray's workers find this project's packages before a user's packages of the same name.

    Ray puts the driver's current folder in front of its workers' import path. A user's own `db` or
    `workers` there would be imported instead of ours, so Ray is started from the folder that holds
    our packages.
    """
    with contextlib.chdir(Path(vlga.__file__).parent.parent):
        yield


@contextlib.contextmanager
def _signals_are_ours() -> Iterator[None]:
    """Keep signals that are meant for this process from Ray's, and keep this process's handlers.

    `timeout`, a terminal or a shell signal a whole process group. In sessions of their own, Ray's
    processes outlive that, and this one can save what they still finish. They end with it all the
    same: the kernel kills them. Where it cannot (not on Linux), Ray needs them in one group.
    """
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)  # Ray's own would exit at once with code 15
    popen = services.ConsolePopen
    if sys.platform == "linux":
        services.ConsolePopen = partial(popen, start_new_session=True)
    try:
        yield
    finally:
        services.ConsolePopen = popen
        if is_main and handler is not None:
            signal.signal(signal.SIGTERM, handler)


@contextmanager
def while_connected() -> Iterator[None]:
    """Turn errors into `EvaluatorLost` if the cluster is gone.

    Any further call to Ray would start a new Ray on this machine.
    """
    if not ray.is_initialized():
        raise EvaluatorLost("the Ray cluster is gone")
    try:
        yield
    except Exception as error:
        # A restarted head does not know its former clients.
        if ray.is_initialized() and not isinstance(error, (ConnectionError, grpc.RpcError)):
            raise
        raise EvaluatorLost("the Ray cluster is gone") from error
