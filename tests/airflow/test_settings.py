from __future__ import annotations

import pytest

from argo_yaml_provider.airflow.settings import EXECUTOR, Execution, Settings, read_settings, with_default_args
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.provider_info import OPTIONS, get_provider_info


def option(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"AIRFLOW__ARGO_YAML__{name.upper()}", value)


def executors(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", value)


def test_the_declared_defaults_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    executors(monkeypatch, "LocalExecutor")
    settings = read_settings()
    assert settings.pods == PodSettings(conn_id="kubernetes_default")
    assert (settings.execution, settings.tags, settings.pool_under(settings.execution)) == (Execution.WORKER, ("argo",), None)


@pytest.mark.parametrize(
    ("listed", "want"),
    [
        pytest.param("LocalExecutor", Execution.WORKER, id="not-listed"),
        pytest.param(EXECUTOR, Execution.EXECUTOR, id="alone"),
        pytest.param(f"CeleryExecutor,{EXECUTOR}", Execution.EXECUTOR, id="second"),
        pytest.param(f"CeleryExecutor, steps:{EXECUTOR}", Execution.EXECUTOR, id="with-an-alias"),
        pytest.param(f"LocalExecutor;blue=CeleryExecutor,{EXECUTOR}", Execution.EXECUTOR, id="of-a-team"),
    ],
)
def test_auto_is_the_executor_where_it_is_listed(monkeypatch: pytest.MonkeyPatch, listed: str, want: Execution) -> None:
    executors(monkeypatch, listed)
    assert read_settings().execution is want


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("execution", "celery", "celery: choose one of auto, executor, triggerer, worker", id="no-such-host"),
        pytest.param(
            "execution",
            "executor",
            "executor, but [core] executor does not name it; "
            "add argo_yaml_provider.airflow.executor.StepExecutor to that list, after the executor you have",
            id="executor-that-is-not-listed",
        ),
        pytest.param("labels", "[1]", ": a JSON object is wanted, not list", id="no-object"),
        pytest.param("max_active_runs", "many", "many: a whole number is wanted, such as 1000", id="no-number"),
        pytest.param("in_cluster", "maybe", "maybe: say true or false, or leave it empty", id="no-truth"),
        pytest.param(
            "on_finish_action",
            "keep",
            "keep: choose one of delete_pod, delete_succeeded_pod, keep_pod",
            id="no-choice",
        ),
    ],
)
def test_a_wrong_option_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    executors(monkeypatch, "LocalExecutor")
    option(monkeypatch, name, value)
    with pytest.raises(ValueError, match=r"^\[argo_yaml\]") as caught:
        read_settings()
    assert str(caught.value) == f"[argo_yaml] {name}{'' if message.startswith(':') else ' = '}{message}"


def test_default_args_speak_to_pods_in_the_words_of_the_pod_operator() -> None:
    default_args = {"namespace": "ml", "kubernetes_conn_id": "prod", "service_account_name": "runner"}
    settings = with_default_args(Settings(), default_args)
    assert settings.pods == PodSettings(namespace="ml", conn_id="prod", service_account="runner")


def test_python_callbacks_need_a_worker() -> None:
    settings = Settings(execution=Execution.EXECUTOR)
    assert with_default_args(settings, {"on_failure_callback": print}).execution is Execution.WORKER
    assert with_default_args(settings, {"retries": 2}).execution is Execution.EXECUTOR


def test_airflow_accepts_the_provider_info() -> None:
    import json
    from importlib.resources import files

    from jsonschema import validate

    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    validate(get_provider_info(), schema)
    assert all(info["description"].endswith(".") for info in OPTIONS.values())
