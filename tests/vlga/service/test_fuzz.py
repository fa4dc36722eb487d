"""Every operation with whatever its description allows, and with what it does not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine, delete
from starlette.types import ASGIApp

from db.connection.engine import writing
from db.schema.service import actions, submissions
from db.store import SqlStore
from tests.db.conftest import url
from tests.support.records import candidate, evaluation, record
from tests.support.service import make_service
from vlga.service.app import create_app

__all__ = ["url"]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


@pytest.fixture
def asked(url: str) -> Iterator[tuple[ASGIApp, dict[str, str], Engine]]:
    """A service with a search of a few networks, the headers that let in, and its database."""
    with closing(SqlStore(url)) as store:
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0), candidate(1, parents=(0,))])
        store.add_evaluations("first", [evaluation(0), evaluation(1)])
        service = make_service(store.engine, n_streams=0, allowed_hosts=("testserver",))
        headers = {"Authorization": f"Bearer {service.access.create('fuzz')}"}
        yield create_app(service), headers, store.engine


def test_no_request_breaks_the_service(asked):
    """No 5xx but for streams, of which there are none, and no answer that is not described."""
    app, headers, engine = asked
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=headers)
    # A process of its own makes a report, which takes a second.
    machine = (schema if LONG else schema.exclude(path_regex="/report$")).as_state_machine()

    class Asking(machine):  # type: ignore[misc, valid-type]
        def setup(self):
            with writing(engine) as connection:  # each run begins with the same
                for table in (submissions, actions):
                    connection.execute(delete(table))

        def before_call(self, case):
            if case.query and not LONG:
                case.query.pop("dry_run", None)  # which takes a process that loads torch

        def get_call_kwargs(self, case):
            return {"headers": headers}

        def validate_response(self, response, case, **_):
            if not case.path.endswith("/events"):
                case.validate_response(response, checks=CHECKS)

    Asking.run(
        settings=settings(
            max_examples=1000 if LONG else 12,
            stateful_step_count=6,
            deadline=None,
            derandomize=not LONG,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
