"""What is asked of every machine of a cluster, while machines leave it."""

from __future__ import annotations

import pytest
import ray

from vlga.errors import EvaluatorError
from workers.cluster.gpus import look_at_gpus
from workers.cluster.nodes import node_reports

pytestmark = pytest.mark.usefixtures("cluster")

#: A machine that no cluster knows.
GONE = "a" * 56


@pytest.fixture
def answers_of_ray(monkeypatch: pytest.MonkeyPatch) -> list[list[dict]]:
    """What Ray says of its machines, each time it is asked; the last one from then on.

    At first another machine is among them that has just died, which Ray has not noticed.
    """
    there = ray.nodes()
    dead = there[0] | {"NodeID": GONE, "NodeManagerHostname": "gone"}
    answers = [[*there, dead], there]
    monkeypatch.setattr(ray, "nodes", lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    return answers


def test_a_machine_that_leaves_meanwhile_is_left_out(answers_of_ray: list[list[dict]]):
    """It is no machine of the cluster any more: a search must not be refused for it."""
    here = answers_of_ray[-1][0]["NodeManagerHostname"]

    assert [report.host for report in node_reports()] == [here]


def test_one_that_is_there_and_cannot_answer_is_named(answers_of_ray: list[list[dict]]):
    """With what Ray says of it, in one line."""
    del answers_of_ray[1:]

    with pytest.raises(EvaluatorError, match=r"must run tasks, but gone does not: \w") as raised:
        node_reports()
    assert "\n" not in str(raised.value)


def test_gpus_that_leave_meanwhile_are_not_counted_as_unusable(
    answers_of_ray: list[list[dict]],
):
    """Or those of all others would be refused."""
    for nodes in answers_of_ray:
        nodes[-1] = nodes[-1] | {"Resources": nodes[-1]["Resources"] | {"GPU": 1.0}}
    del answers_of_ray[0][:-1]

    assert look_at_gpus() == []
