from __future__ import annotations

import re

import pytest

from argo_yaml_provider.airflow.choice import TRIGGER, execution_of
from argo_yaml_provider.airflow.dags import build_dag
from argo_yaml_provider.airflow.settings import EXECUTOR, Execution, Settings
from argo_yaml_provider.plan.nodes import CallKind, Json, PlannedTask, TaskKind
from tests.airflow.plans import POD, looping_plan, plan_of, task

TRIGGERER = Settings(execution=Execution.TRIGGERER)
TO_TRIGGERER = {"annotations": {"argo-yaml/execution": "triggerer"}}


def chosen(settings: Settings, template: Json = POD, planned: PlannedTask | None = None, **metadata: object) -> Execution:
    planned = planned or task("a", call_kind=CallKind.POD)
    return execution_of(plan_of(planned, **metadata), planned, template, settings)


@pytest.fixture(autouse=True)
def no_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")


def test_a_template_says_it_before_its_workflow_and_that_before_the_deployment() -> None:
    to_worker = {"annotations": {"argo-yaml/execution": "worker"}}
    assert chosen(TRIGGERER) is Execution.TRIGGERER
    assert chosen(TRIGGERER, **to_worker) is Execution.WORKER
    assert chosen(TRIGGERER, {**POD, **TO_TRIGGERER}, **to_worker) is Execution.TRIGGERER
    assert chosen(TRIGGERER, {**POD, "metadata": TO_TRIGGERER}, **to_worker) is Execution.TRIGGERER


def test_what_only_one_host_can_do_no_annotation_changes() -> None:
    assert chosen(Settings(execution=Execution.WORKER, fixed=True), **TO_TRIGGERER) is Execution.WORKER


def test_an_annotation_that_names_an_executor_that_is_not_there_says_so() -> None:
    message = "the annotation argo-yaml/execution of hello = executor, but [core] executor does not name it; add "
    with pytest.raises(ValueError, match=f"^{re.escape(message + EXECUTOR)} to that list, after the executor you have$"):
        chosen(TRIGGERER, annotations={"argo-yaml/execution": "executor"})


@pytest.mark.parametrize(
    ("planned", "template", "want"),
    [
        pytest.param(task("a", call_kind=CallKind.HTTP), {"http": {}}, Execution.TRIGGERER, id="http"),
        pytest.param(task("a", kind=TaskKind.FANOUT), {}, Execution.TRIGGERER, id="fan-out"),
        pytest.param(task("a", kind=TaskKind.VERDICT), {}, Execution.TRIGGERER, id="verdict"),
        pytest.param(task("a", call_kind=CallKind.CHILD), {}, Execution.WORKER, id="a-child-run-is-started"),
        pytest.param(task("a", call_kind=CallKind.SUSPEND), {"suspend": {}}, Execution.WORKER, id="a-person-is-asked"),
        pytest.param(task("a", call_kind=CallKind.SUSPEND), {"suspend": {"duration": "9"}}, Execution.TRIGGERER, id="a-wait"),
        pytest.param(task("a", kind=TaskKind.START), {}, Execution.WORKER, id="other-runs-are-looked-at"),
    ],
)
def test_what_the_triggerer_cannot_do_a_worker_does(planned: PlannedTask, template: Json, want: Execution) -> None:
    assert chosen(TRIGGERER, template, planned) is want


def test_the_triggerer_knows_no_pools() -> None:
    assert chosen(Settings(execution=Execution.TRIGGERER, pool="few")) is Execution.WORKER


def test_what_the_triggerer_cannot_do_the_executor_does_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", f"LocalExecutor,{EXECUTOR}")
    assert chosen(TRIGGERER, {}, task("a", call_kind=CallKind.CHILD)) is Execution.EXECUTOR


def test_a_step_starts_in_the_triggerer_and_a_loop_is_a_mapped_group_there() -> None:
    plan = plan_of(
        task("first", call_kind=CallKind.POD),
        task("each.items", "first", kind=TaskKind.FANOUT),
        task("each", "each.items", mapped_over="each.items", call_kind=CallKind.POD),
        task("verdict", "each", kind=TaskKind.VERDICT),
    )
    dag = build_dag(plan, TRIGGERER, dag_id="hello")
    found = {one.task_id: (one.start_from_trigger, one.start_trigger_args.trigger_cls, one.retries) for one in dag.tasks}
    assert found == dict.fromkeys(("first", "each.items", "each", "verdict"), (True, TRIGGER, 0))
    each = dag.get_task("each")
    assert each.get_closest_mapped_task_group().group_id == "each--turns"
    assert (each.upstream_task_ids, each.downstream_task_ids) == ({"each.items"}, {"verdict"})


def test_auto_is_the_triggerer_where_operators_defer_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    from argo_yaml_provider.airflow.settings import resolve_execution

    assert resolve_execution("auto") is Execution.WORKER
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert resolve_execution("auto") is Execution.TRIGGERER
    assert build_dag(looping_plan(), Settings(), dag_id="x").get_task("first").start_from_trigger is False
