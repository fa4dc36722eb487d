"""The REST interface, by resource; every answer is described at ``/api/v1/openapi.json``."""

from __future__ import annotations

from fastapi import APIRouter

from vlga.service.api import about, candidates, compare, files, outcomes, searches, steering
from vlga.service.api.rest import Rest, responses

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", route_class=Rest, responses=responses(401, 421, 422, 503))
for _part in (about, searches, steering, candidates, outcomes, files, compare):
    router.include_router(_part.router)
