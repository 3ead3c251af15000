"""docker-compose.yaml, as far as a machine without Docker can try it: each service's command, environment and health check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.airflow.composed import Composed, composed, kubernetes, must_be_there, services

# Goes well without a cluster, but it takes minutes on a busy machine.
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]
STEPS = "argo_yaml_provider.airflow.executor.StepExecutor"
BESIDE = [("beside", "success", STEPS, False), ("verdict", "success", STEPS, False)]
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: both, namespace: {namespace}}}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {{name: beside, template: beside}}
      - {{name: worked, template: worked}}
  - name: beside
    container: {{image: busybox, command: ["true"]}}
  - name: worked
    metadata: {{annotations: {{argo-yaml/execution: worker}}}}
    container: {{image: busybox, command: ["true"]}}
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """All but the scheduler and the worker."""
    must_be_there()
    folder = tmp_path_factory.mktemp("compose")
    with kubernetes("compose") as (kubeconfig, namespace), composed(folder, kubeconfig) as airflow:
        (airflow.home / "dags" / "example_specs" / "both.yaml").write_text(WORKFLOW.format(namespace=namespace))
        airflow.run("migrate")
        with airflow.running("api-server", "dag-processor", "triggerer"):
            yield airflow


def run(airflow: Composed) -> list[tuple[Any, ...]]:
    """A run of the workflow: each task, its end, its executor, and whether Celery knows it."""
    airflow.wait_until(airflow.healthy, "healthy")
    airflow.wait_until(lambda: "dag_id" in airflow.ask("GET", "/api/v2/dags/both"), "parsed")
    airflow.ask("PATCH", "/api/v2/dags/both", {"is_paused": False})
    run_id = airflow.ask("POST", "/api/v2/dags/both/dagRuns", {"logical_date": None})["dag_run_id"]
    path = f"/api/v2/dags/both/dagRuns/{run_id}"
    airflow.wait_until(lambda: airflow.ask("GET", path).get("state") in ("success", "failed"), "over")
    return airflow.rows(
        "SELECT task_id, state, executor, external_executor_id IS NOT NULL FROM task_instance WHERE run_id = %s ORDER BY 1",
        run_id,
    )


def unhealthy(airflow: Composed, *names: str) -> dict[str, str]:
    """What the health checks say that fail."""
    checks = {name: airflow.check(name) for name in names}
    said = {name: check.communicate(timeout=400)[0] for name, check in checks.items()}
    return {name: said[name] for name, check in checks.items() if check.returncode}


def test_as_it_stands_steps_run_beside_the_scheduler_and_in_its_workers(airflow: Composed) -> None:
    with airflow.running("scheduler"):
        assert run(airflow) == [*BESIDE, ("worked", "success", None, False)]
        assert unhealthy(airflow, "postgres", "api-server", "scheduler", "dag-processor", "triggerer") == {}


def test_with_celery_what_does_not_run_beside_the_scheduler_runs_in_its_worker(airflow: Composed) -> None:
    with airflow.running("scheduler", "worker", EXECUTOR="CeleryExecutor"):
        assert run(airflow) == [*BESIDE, ("worked", "success", None, True)]
        assert unhealthy(airflow, "redis", "worker") == {}


def test_every_service_but_the_migration_has_a_health_check() -> None:
    assert [name for name, service in services().items() if "healthcheck" not in service] == ["migrate"]
