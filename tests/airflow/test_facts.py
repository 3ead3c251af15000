from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from argo_yaml_provider.airflow.envelope import Envelope
from argo_yaml_provider.airflow.facts import child_run_id, run_facts, run_name, submitted_parameters
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.pods.settings import PodSettings
from tests.airflow.plans import plan_of, task

NOON = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)


def envelope(*, child: bool = False) -> Envelope:
    return Envelope(plan=plan_of(task("a")), pods=PodSettings(namespace="argo"), family="hello", child=child)


def test_facts_follow_from_the_run_alone() -> None:
    facts = run_facts(envelope(), dag_id="hello", run_id="manual__1", conf={"n": "3"}, run_after=NOON, logical_date=NOON)
    assert facts == RunFacts(
        name="hello-m7l5t",
        namespace="argo",
        uid="368bd399-9800-5f13-a370-643a2b8e0355",
        created_at="2026-11-23T12:00:00Z",
        parameters={"n": "3"},
        scheduled_time="2026-11-23T12:00:00Z",
    )


def test_a_child_run_takes_over_what_its_parent_says() -> None:
    conf = {"argo": {"inputs": {"parameters": []}, "globals": {"workflow.name": "hello-abcde"}, "node": "hello.x", "depth": 2}}
    facts = run_facts(envelope(child=True), dag_id="hello.x", run_id="argo__1", conf=conf, run_after=NOON)
    assert (facts.name, facts.inputs, facts.node, facts.depth) == ("hello-abcde", {"parameters": []}, "hello.x", 2)
    assert facts.parameters == {}


def test_a_run_that_is_no_child_may_have_a_parameter_called_argo() -> None:
    facts = run_facts(envelope(), dag_id="hello", run_id="r", conf={"argo": {"node": "x"}}, run_after=NOON)
    assert (facts.parameters, facts.node) == ({"argo": '{"node": "x"}'}, "")


@pytest.mark.parametrize(
    ("conf", "want"),
    [
        pytest.param({"a": "text"}, {"a": "text"}, id="text-as-it-is"),
        pytest.param({"a": 3, "b": True, "c": [1, "x"]}, {"a": "3", "b": "true", "c": '[1, "x"]'}, id="json-as-its-text"),
        pytest.param({"a": None, "b": ""}, {"b": ""}, id="an-empty-field-was-not-submitted"),
    ],
)
def test_conf_is_read_as_submitted_parameters(conf: dict[str, object], want: dict[str, str]) -> None:
    assert submitted_parameters(conf) == want


def test_times_are_told_in_utc() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5)))
    assert run_facts(envelope(), dag_id="d", run_id="r", conf=None, run_after=there).created_at == "2026-11-23T12:00:00Z"


def test_a_long_name_keeps_its_five_characters() -> None:
    name = run_name("x" * 80, "d", "r")
    assert len(name) == 63
    assert name.rpartition("-")[0] == "x" * 57


def test_a_child_run_is_named_by_its_parent_run_and_node() -> None:
    assert child_run_id("d", "r", "a") == child_run_id("d", "r", "a")
    assert len({child_run_id("d", "r", "a"), child_run_id("d", "r", "b"), child_run_id("d", "s", "a")}) == 3
