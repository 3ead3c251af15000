"""A step in a worker: a whole run by `dag.test()`, on the embedded Kubernetes; and what each ending is for Airflow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk.exceptions import AirflowSkipException, AirflowTaskTimeout, ErrorType, TaskAwaitingInput
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import DagRunStateResult, ErrorResponse, TriggerDagRun

from argo_yaml_provider.airflow.hosts.worker import WorkerHost, start_or_look, tell_airflow
from argo_yaml_provider.airflow.retries import ArgoRetryPolicy, StepFailed
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.local import EmbeddedKubernetes
from argo_yaml_provider.step.host import Ended, Question

CHAIN = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: chain}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: list, template: list}
        - - name: each
            template: say
            withParam: "{{steps.list.outputs.result}}"
            arguments: {parameters: [{name: word, value: "{{item}}"}]}
        - - name: never
            template: say
            when: "1 == 2"
            arguments: {parameters: [{name: word, value: x}]}
    - name: list
      script: {image: busybox, command: [sh], source: "echo '[1, 2]'"}
    - name: say
      inputs: {parameters: [{name: word}]}
      container: {image: busybox, command: [echo, "{{inputs.parameters.word}}"]}
"""


def ended(phase: Phase, **more: Any) -> Ended:
    return Ended(outcome=Outcome(phase=phase, message="because"), **more)


def test_a_success_returns_and_a_fan_out_always_is_one() -> None:
    assert tell_airflow(ended(Phase.SUCCEEDED)) is None
    assert tell_airflow(ended(Phase.ERROR, indices=[])) == []


@pytest.mark.parametrize("phase", [Phase.SKIPPED, Phase.OMITTED, Phase.ABSENT])
def test_what_did_not_run_is_skipped(phase: Phase) -> None:
    with pytest.raises(AirflowSkipException, match=r"^because$"):
        tell_airflow(ended(phase))


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        pytest.param(StepFailed("no"), "fail", None, id="the-last-attempt"),
        pytest.param(StepFailed("no", 7), "retry", timedelta(seconds=7), id="another-attempt"),
        pytest.param(OSError("gone"), "retry", timedelta(seconds=5), id="a-lost-host"),
        pytest.param(AirflowTaskTimeout("late"), "fail", None, id="a-step-that-hangs"),
    ],
)
def test_the_policy_repeats_what_the_flow_decided(error: BaseException, action: str, delay: timedelta | None) -> None:
    decision = ArgoRetryPolicy().evaluate(error, 1, 3)
    assert (decision.action.value, decision.retry_delay) == (action, delay)


class Supervisor:
    """Answers of a supervisor whose child run was made before and is over."""

    def send(self, message: object) -> object:
        if isinstance(message, TriggerDagRun):
            return ErrorResponse(error=ErrorType.DAGRUN_ALREADY_EXISTS)
        return DagRunStateResult.model_validate({"state": "success"})


async def test_a_child_run_that_is_over_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", Supervisor(), raising=False)
    assert await start_or_look("wf.main", "argo__1", {}) == "success"


class Form:
    """A supervisor that keeps the forms it is to show."""

    def __init__(self) -> None:
        self.shown: list[object] = []

    def send(self, msg: object) -> None:
        self.shown.append(msg)


def worker_host(event: object) -> WorkerHost:
    """One that has only what asking a person takes."""
    host = object.__new__(WorkerHost)
    host._operator, host._ti_id = SimpleNamespace(event=event), uuid4()
    return host


async def test_a_task_that_asks_a_person_gives_back_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    form = Form()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", form, raising=False)
    with pytest.raises(TaskAwaitingInput) as parked:
        await worker_host(None).ask_person(Question(node="wf"), 60)
    assert (parked.value.method_name, parked.value.timeout) == ("resume", timedelta(seconds=60))
    assert [getattr(shown, "subject", None) for shown in form.shown] == ["wf is suspended"]


async def test_a_task_that_is_resumed_has_what_the_person_supplied() -> None:
    host = worker_host({"params_input": {"a": "x"}, "responded_by_user": {"id": "1", "name": "me"}})
    assert await host.ask_person(Question(node="wf"), None) == {"a": "x"}


@pytest.fixture(scope="module")
def kubernetes() -> Iterator[EmbeddedKubernetes]:
    with EmbeddedKubernetes() as cluster:
        yield cluster


@pytest.fixture
def dags_folder(airflow_db: Path) -> Iterator[Path]:
    """The dags folder of the test's own Airflow, with a loader."""
    folder = airflow_db / "dags"
    folder.mkdir()
    (folder / "loader.py").write_text("from argo_yaml_provider.airflow import load_dags\n\nload_dags(globals())\n")
    yield folder
    shutil.rmtree(folder)


def test_a_whole_run_in_workers(dags_folder: Path, kubernetes: EmbeddedKubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW__ARGO_YAML__EXECUTION", "worker")
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CONFIG_FILE", str(kubernetes.kubeconfig))
    (dags_folder / "chain.yaml").write_text(CHAIN)
    run = DagBag(dags_folder / "loader.py").dags["chain"].test()
    states = {(one.task_id, one.map_index): str(one.state) for one in run.get_task_instances()}
    assert states == {
        ("list", -1): "success",
        ("each.items", -1): "success",
        ("each", 0): "success",
        ("each", 1): "success",
        ("never", -1): "skipped",
        ("verdict", -1): "success",
    }


LATE = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: late}
spec:
  entrypoint: main
  templates:
    - name: main
      retryStrategy: {limit: 1}
      container: {image: busybox, command: [sleep, "3600"]}
"""


def test_a_step_that_takes_too_long_has_failed_and_only_its_retry_strategy_runs_it_again(
    dags_folder: Path, kubernetes: EmbeddedKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW__ARGO_YAML__EXECUTION", "worker")
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CONFIG_FILE", str(kubernetes.kubeconfig))
    (dags_folder / "late.yaml").write_text(LATE)
    dag = DagBag(dags_folder / "loader.py").dags["late"]
    dag.get_task("main").execution_timeout = timedelta(seconds=3)
    run = dag.test()
    (main,) = (one for one in run.get_task_instances() if one.task_id == "main")
    outcome = main.xcom_pull(task_ids="main", key="argo")
    message = "execution_timeout of 3 s is over"
    assert [(one["phase"], one["message"]) for one in outcome["attempts"]] == [("Failed", message)] * 2
    assert (str(main.state), main.try_number, outcome["phase"]) == ("failed", 2, "Failed")


CALLBACKS = """\
from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback

from argo_yaml_provider.airflow import load_dags


class Notes(KubernetesPodOperatorCallback):
    seen = []

    @staticmethod
    def on_pod_manifest_created(*, pod_request, **more):
        pod_request.metadata.labels["team"] = "data"

    @staticmethod
    def on_pod_creation(*, pod, operator, **more):
        Notes.seen.append(f"{operator.task_id} created for {pod.metadata.labels['team']}")

    @staticmethod
    def progress_callback(*, line, container_name, **more):
        Notes.seen.append(f"{container_name}: {line}")

    @staticmethod
    def on_pod_completion(*, pod, **more):
        Notes.seen.append("completed")


load_dags(globals(), default_args={"callbacks": Notes})
"""
HELLO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hello}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: busybox, command: [echo, hello]}
"""


def test_callbacks_of_the_pod_operator_are_called(
    dags_folder: Path, kubernetes: EmbeddedKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CONFIG_FILE", str(kubernetes.kubeconfig))
    (dags_folder / "loader.py").write_text(CALLBACKS)
    (dags_folder / "hello.yaml").write_text(HELLO)
    dag = DagBag(dags_folder / "loader.py").dags["hello"]
    dag.test()
    notes = dag.default_args["callbacks"].seen
    assert notes == ["main created for data", "main: hello", "completed"]
