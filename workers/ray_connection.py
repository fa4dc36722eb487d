"""Whether this process is connected to a Ray cluster, and what it is when it no longer is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import ray

from vlga.errors import EvaluatorLost

__all__ = ["while_connected"]


@contextmanager
def while_connected() -> Iterator[None]:
    """Turn whatever goes wrong because the cluster is gone into `EvaluatorLost`.

    Asked for anything after that, Ray would start itself on this machine.
    """
    if not ray.is_initialized():
        raise EvaluatorLost("the Ray cluster is gone")
    try:
        yield
    except Exception as error:
        # A head that is back does not know its former clients.
        if ray.is_initialized() and not isinstance(error, (ConnectionError, grpc.RpcError)):
            raise
        raise EvaluatorLost("the Ray cluster is gone") from error
