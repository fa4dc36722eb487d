"""What the machines of a Ray cluster have installed, and what is sent to them for training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import vlga
import workers
from vlga.errors import EvaluatorError

__all__ = ["NodeReport", "ask_every_node", "node_reports", "own_report", "project_environment"]

#: What a worker imports.
_LIBRARIES = ("deap", "numpy", "pillow", "pydantic", "torch")
_PROJECT = ("vlga", "workers")


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What one machine of the cluster says about itself.

    Attributes:
        host: its name.
        resources: that it offers, such as ``CPU`` and ``GPU``.
        python: version of Python.
        versions: of the libraries, None for what is missing.
        code: a hash of vlga's modules there; None if vlga is not installed.
        clock: its time when it answered, in seconds since 1970.
        asked: time of this process when it asked.
        answered: time of this process when it got the answer.
    """

    host: str
    resources: Mapping[str, float]
    python: str
    versions: Mapping[str, str | None]
    code: str | None
    clock: float
    asked: float
    answered: float


def node_reports(timeout_seconds: float = 60.0) -> list[NodeReport]:
    """Ask every live machine of the cluster what it has.

    Raises:
        EvaluatorError: one does not answer.
    """
    asked = time.time()
    return [
        NodeReport(
            host=node["NodeManagerHostname"],
            resources=node["Resources"],
            **_answered(node, answer),
            asked=asked,
            answered=time.time(),
        )
        for node, answer in ask_every_node(
            _make_probe(), _LIBRARIES, _PROJECT, timeout_seconds=timeout_seconds
        )
    ]


def ask_every_node(
    function: Callable[..., Any],
    *arguments: Any,
    timeout_seconds: float,
    kind: str | None = None,
) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Run a function on every live machine of the cluster, all at once, without reserving a CPU.

    A machine that leaves the cluster meanwhile, or had left before the cluster noticed, is left
    out.

    Args:
        function: to run there.
        arguments: of the function.
        timeout_seconds: that all of them have.
        kind: a resource; if given, only machines that have it are asked.

    Yields:
        Each node, as `ray.nodes` has it, with the function's result there, or the `RayError` that
        came instead.
    """
    deadline = time.monotonic() + timeout_seconds
    task = ray.remote(num_cpus=0, max_retries=0)(function)
    asked = [
        (
            node,
            task.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(*arguments),
        )
        for node in ray.nodes()
        if node["Alive"] and (kind is None or kind in node["Resources"])
    ]
    for node, reference in asked:
        try:
            yield node, ray.get(reference, timeout=max(0.0, deadline - time.monotonic()))
        except RayError as error:
            if any(one["Alive"] and one["NodeID"] == node["NodeID"] for one in ray.nodes()):
                yield node, error


def _answered(node: Mapping[str, Any], answer: dict[str, Any] | RayError) -> dict[str, Any]:
    """Give what a machine answered.

    Raises:
        EvaluatorError: it is there and cannot answer.
    """
    if isinstance(answer, RayError):
        *_, why = str(answer).strip().splitlines() or [type(answer).__name__]
        raise EvaluatorError(
            f"every machine of the cluster must run tasks, but {node['NodeManagerHostname']} does "
            f"not: {why[:300]}; install vlga or Ray with its extras there (pip install "
            '"ray[default]"), or take it out of the cluster'
        ) from answer
    return answer


def project_environment(reports: Sequence[NodeReport]) -> dict[str, Any]:
    """Give Ray's runtime environment in which every machine runs this very code.

    Empty if all can as they are. Otherwise vlga's modules are sent along, and what a machine lacks
    of the libraries Ray installs there, for which it must be installed as ``ray[default]``.
    """
    code = own_report().code
    missing = {name for one in reports for name, found in one.versions.items() if found is None}
    if not missing and all(one.code == code for one in reports):
        return {}
    environment: dict[str, Any] = {
        "py_modules": [str(Path(*package.__path__)) for package in (vlga, workers)]
    }
    if missing:
        environment["pip"] = [f"{name}=={version(name)}" for name in sorted(missing)]
    return environment


def own_report() -> NodeReport:
    """Give what this machine has, in this process's environment."""
    found = _make_probe()(_LIBRARIES, _PROJECT)
    now: float = found["clock"]
    return NodeReport(host="this machine", resources={}, asked=now, answered=now, **found)


def _make_probe() -> Callable[..., dict[str, Any]]:
    """Give the function that a machine runs; it needs nothing but Python there.

    Made here, so that Ray sends it along instead of importing this module.
    """

    def probe(libraries: Sequence[str], project: Sequence[str]) -> dict[str, Any]:
        import hashlib
        import importlib.metadata
        import importlib.util
        import pathlib
        import platform
        import time

        def version_of(library: str) -> str | None:
            try:
                return importlib.metadata.version(library)
            except importlib.metadata.PackageNotFoundError:
                return None

        digest = hashlib.sha256()
        specs = [importlib.util.find_spec(module) for module in project]
        for first_file in [spec.origin for spec in specs if spec and spec.origin]:
            folder = pathlib.Path(first_file).parent
            for file in sorted(folder.rglob("*.py")):
                digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
        return {
            "python": platform.python_version(),
            "versions": {name: version_of(name) for name in libraries},
            "code": digest.hexdigest()[:16] if all(specs) else None,
            "clock": time.time(),
        }

    return probe
