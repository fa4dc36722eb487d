"""The REST interface, by resource; every answer is described at ``/api/v1/openapi.json``."""

from __future__ import annotations

from vlga.service.api import about, candidates, compare, files, outcomes, searches, steering

__all__ = ["routes"]

_RESOURCES = (about, searches, steering, candidates, outcomes, files, compare)
routes = [route for one in _RESOURCES for route in one.router.routes]
