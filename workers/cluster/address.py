"""Finding out at once whether a Ray cluster can be reached; Ray would try for half a minute."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import grpc
from ray._private.services import canonicalize_bootstrap_address_or_die

from vlga.errors import EvaluatorError

__all__ = ["check_address"]

_TIMEOUT_SECONDS = 5.0
#: A call that the head, or its server for clients, answers at once if the token is right.
_HEAD_CALL = "/ray.rpc.NodeInfoGcsService/GetClusterId"
#: Codes of a call that nothing answers which knows the protocol.
_SILENT = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
_CLIENT_CALL = "/ray.rpc.RayletDriver/ClusterInfo"


def check_address(address: str) -> None:
    """Check that a cluster answers at an address and accepts this process's token.

    Args:
        address: a head's ``host:port``, a ``ray://host:port``, or ``auto``. Other forms that Ray
            knows are not checked.

    Raises:
        OSError: nothing listens there, or with ``auto`` no cluster is found.
        EvaluatorError: the cluster asks for another token than this process has.
    """
    place = canonicalize_bootstrap_address_or_die(address) if address == "auto" else address
    host, _, port = place.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or int(port) >= 2**16:
        if "://" in place and not place.startswith("ray://"):
            return
        raise EvaluatorError(
            f"--address must be HOST:PORT, ray://HOST:PORT or auto, but got {address!r}"
        )
    socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT_SECONDS).close()
    # Without RAY_AUTH_MODE, Ray looks for a token only if it also looks for the cluster (auto).
    token = _token(default_mode="token" if address == "auto" else "disabled")
    call = _CLIENT_CALL if place.startswith("ray://") else _HEAD_CALL
    if not _is_welcome(f"{host}:{port}", call, token):
        mine = "none is set here" if token is None else "another one is set here"
        raise EvaluatorError(
            f"the Ray cluster at {address!r} needs its token, but {mine}; set "
            "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as they are on its head (ray get-auth-token)"
        )


def _is_welcome(place: str, call: str, token: str | None) -> bool:
    """Whether a call with this token is accepted; other errors are left to Ray to report.

    Raises:
        ConnectionError: nothing there speaks the protocol.
    """
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    with grpc.insecure_channel(place) as channel:
        try:
            channel.unary_unary(call)(b"", timeout=_TIMEOUT_SECONDS, metadata=metadata)
        except grpc.RpcError as error:
            if error.code() in _SILENT:
                raise ConnectionError("what listens there does not answer as Ray does") from error
            return error.code() is not grpc.StatusCode.UNAUTHENTICATED
    return True


def _token(default_mode: str) -> str | None:
    """Give the token that Ray would use, from the environment or a file."""
    if os.environ.get("RAY_AUTH_MODE", default_mode).lower() != "token":
        return None
    if token := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return token
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
