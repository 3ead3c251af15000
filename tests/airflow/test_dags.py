from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG

from argo_yaml_provider.airflow.dags import build_dags, documentation
from argo_yaml_provider.airflow.envelope import envelope_of, find_envelope
from argo_yaml_provider.airflow.settings import EXECUTOR, Execution, Settings
from argo_yaml_provider.plan.nodes import Plan, TaskKind
from tests.airflow.plans import looping_plan, plan_of, task

SETTINGS = Settings()


def dag_of(plan: Plan, settings: Settings = SETTINGS, **kwargs: Any) -> DAG:
    return build_dags(plan, settings, dag_id="hello", **kwargs)[0]


def serialized(dag: DAG) -> dict[str, Any]:
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.to_dict(dag)


def test_every_planned_task_is_a_task_and_every_group_a_group() -> None:
    dag = dag_of(looping_plan())
    assert {one.task_id: (one.task_type, one.task_group.group_id, sorted(one.upstream_task_ids)) for one in dag.tasks} == {
        "first": ("ArgoStepOperator", None, []),
        "each.items": ("ArgoStepOperator", None, ["first"]),
        "each": ("ArgoStepOperator", None, ["each.items"]),
        "many.items": ("ArgoStepOperator", None, ["first"]),
        "many.a": ("ArgoStepOperator", "many", ["many.items"]),
        "many.b": ("ArgoStepOperator", "many", ["many.a"]),
        "join": ("EmptyOperator", None, ["each", "many.b"]),
        "verdict": ("ArgoStepOperator", None, ["join"]),
    }


def test_names_in_the_graph_are_those_of_argo() -> None:
    dag = dag_of(looping_plan())
    group = dag.task_group.get_task_group_dict()["many"]
    assert (group.group_display_name, group.tooltip) == ("many(…)", "template many")
    assert dag.get_task("many.a").task_display_name == "many.a"


def test_loops_are_mapped_over_their_fan_out() -> None:
    data = serialized(dag_of(looping_plan()))
    tasks = {one["__var"]["task_id"]: one["__var"] for one in data["dag"]["tasks"]}
    reference = {"__type": "xcomref", "__var": {"task_id": "each.items", "key": "return_value"}}
    assert tasks["each"]["expand_input"]["value"]["__var"] == {"index": reference}
    assert data["dag"]["task_group"]["children"]["many"][1]["is_mapped"] is True


def test_a_workflow_s_priority_is_that_of_its_steps() -> None:
    plan = plan_of(task("first"))
    urgent = replace(plan, workflow={**plan.workflow, "spec": {**plan.workflow.get("spec", {}), "priority": 7}})
    (first, *_) = dag_of(urgent).tasks
    assert (first.priority_weight, first.weight_rule) == (7, "absolute")


def test_only_the_last_task_carries_the_plan() -> None:
    plan = looping_plan()
    dag = dag_of(plan)
    assert [one.task_id for one in dag.tasks if getattr(one, "argo_plan", None)] == ["verdict"]
    assert find_envelope(serialized(dag), "many.a").plan == plan
    assert envelope_of(dag.get_task("first")).plan == plan


def test_a_mapped_task_can_carry_the_plan() -> None:
    plan = plan_of(task("a.items", kind=TaskKind.FANOUT), task("a", "a.items", mapped_over="a.items"))
    dag = dag_of(plan)
    assert find_envelope(serialized(dag), "a").plan == plan
    assert envelope_of(dag.get_task("a.items")).plan == plan


def test_no_text_of_a_workflow_is_rendered_or_reaches_the_pod_operator() -> None:
    plan = plan_of(task("a"), spec={"arguments": {"parameters": [{"name": "x", "value": "{{ dag.dag_id }}"}]}})
    operator = dag_of(plan, replace(SETTINGS, pod_operator=True)).get_task("a")
    assert tuple(operator.template_fields) == ()
    assert (operator.image, operator.cmds, operator.arguments, operator.env_vars) == (None, [], [], [])


@pytest.mark.parametrize(
    ("strategy", "want"),
    [
        pytest.param(None, 3, id="spare-ones-for-lost-hosts"),
        pytest.param({"limit": 2}, 5, id="limit-and-spare"),
        pytest.param({"limit": "2"}, 5, id="limit-as-text"),
        pytest.param({}, 10_000, id="no-limit"),
        pytest.param({"limit": "{{inputs.parameters.n}}"}, 10_000, id="limit-known-at-run-time"),
    ],
)
def test_airflow_retries_leave_the_decision_to_the_flow(strategy: dict[str, Any] | None, want: int) -> None:
    plan = plan_of(task("a", retries=strategy is not None))
    if strategy is not None:
        plan.templates["local//pod"] = {**plan.templates["local//pod"], "retryStrategy": strategy}
    operator = dag_of(plan).get_task("a")
    assert (operator.retries, operator.retry_delay) == (want, timedelta(0))


def test_steps_go_to_the_executor_and_its_pool_where_there_is_one() -> None:
    operator = dag_of(looping_plan(), Settings(execution=Execution.EXECUTOR)).get_task("first")
    assert (operator.executor, operator.pool) == (EXECUTOR, "argo_yaml")
    operator = dag_of(looping_plan(), Settings(execution=Execution.WORKER)).get_task("first")
    assert (operator.executor, operator.pool) == (None, "default_pool")


def test_only_a_fan_out_pushes_its_return_value() -> None:
    dag = dag_of(looping_plan())
    steps = [one for one in dag.tasks if one.task_type != "EmptyOperator"]
    assert [one.task_id for one in steps if _pushes(one)] == ["each.items", "many.items"]


def _pushes(one: Any) -> bool:
    return bool(one.partial_kwargs["do_xcom_push"] if one.is_mapped else one.do_xcom_push)


def test_parallelism_bounds_a_run_as_in_argo() -> None:
    assert dag_of(plan_of(task("a"), spec={"parallelism": 2})).max_active_tasks == 2
    assert dag_of(plan_of(task("a"))).max_active_tasks == 10_000


def test_child_plans_are_dags_of_their_own() -> None:
    from dataclasses import replace

    plan = replace(plan_of(task("a")), children={"again": plan_of(task("x"), task("y", "x"))})
    root, child = build_dags(plan, SETTINGS, dag_id="hello")
    assert (root.dag_id, child.dag_id, child.is_paused_upon_creation) == ("hello", "hello.again", False)
    envelope = envelope_of(child.get_task("x"))
    assert (envelope.child, envelope.family, envelope.verdicts) == (True, "hello", {"again": "y"})


def test_documentation_is_title_description_and_source() -> None:
    annotations = {"workflows.argoproj.io/title": "Train", "workflows.argoproj.io/description": "Trains *it*."}
    plan = plan_of(task("a"), annotations=annotations)
    assert documentation(plan, "a: 1\n") == "### Train\n\nTrains *it*.\n\n```yaml\na: 1\n```"
    assert documentation(plan_of(task("a")), "") is None


def test_keywords_of_the_author_win() -> None:
    dag = dag_of(plan_of(task("a")), tags=["mine"], schedule="@daily", max_active_runs=1)
    assert (dag.tags, dag.schedule, dag.max_active_runs) == ({"mine"}, "@daily", 1)


DIGEST = """
from tests.airflow.plans import looping_plan
from argo_yaml_provider.airflow.dags import build_dags
from argo_yaml_provider.airflow.settings import Settings
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization
data = DagSerialization.to_dict(build_dags(looping_plan(), Settings(), dag_id="hello")[0])
print("hash", SerializedDagModel.hash(data))
"""


def test_the_same_plan_is_the_same_dag_version_in_every_process() -> None:
    def digest(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True)
        return next(line for line in done.stdout.splitlines() if line.startswith("hash "))

    assert digest("1") == digest("2")


def test_a_step_that_is_only_declared_serializes_to_the_same_bytes() -> None:
    real, declared = (serialized(dag_of(looping_plan(), Settings(workers=workers))) for workers in (True, False))
    assert declared == real
