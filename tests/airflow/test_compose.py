"""docker-compose.yaml, as far as a machine without Docker can try it: each service's command, environment and health check."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from uuid import uuid4

import psycopg2
import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from argo_yaml_provider.step.kube import Kube
from bench import database
from tests.airflow.composed import Composed, composed, services

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


def missing() -> str:
    """What the machine lacks for it."""
    if shutil.which("redis-server") is None:
        return "no redis-server; apt-get install redis-server"
    if find_spec("celery") is None:
        return "no celery; pip install apache-airflow-providers-celery"
    return database.missing("postgresql")


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """All but the scheduler and the worker; on the real cluster where there is one."""
    if why := missing():
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    namespace = f"compose-{uuid4().hex[:8]}"
    with ExitStack() as stack:
        kubeconfig = os.environ.get("KUBECONFIG") or str(stack.enter_context(EmbeddedKubernetes()).kubeconfig)
        asyncio.run(namespaces(kubeconfig, "POST", "", {"metadata": {"name": namespace}}))
        stack.callback(lambda: asyncio.run(namespaces(kubeconfig, "DELETE", f"/{namespace}")))
        airflow = stack.enter_context(composed(tmp_path_factory.mktemp("compose"), kubeconfig))
        (airflow.home / "dags" / "example_specs" / "both.yaml").write_text(WORKFLOW.format(namespace=namespace))
        airflow.run("migrate")
        with airflow.running("api-server", "dag-processor", "triggerer"):
            yield airflow


async def namespaces(kubeconfig: str, verb: str, path: str, body: object = None) -> None:
    kube = await Kube.open(kubeconfig)
    try:
        await kube.call(verb, f"/api/v1/namespaces{path}", body=body)
    finally:
        await kube.close()


def healthy(airflow: Composed) -> bool:
    try:
        health = airflow.ask("GET", "/api/v2/monitor/health")
    except OSError:
        return False
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return all((health.get(part) or {}).get("status") == "healthy" for part in parts)


def run(airflow: Composed) -> list[tuple[str, str, str | None, bool]]:
    """A run of the workflow: each task, its end, its executor, and whether Celery knows it."""
    airflow.wait_until(lambda: healthy(airflow), "healthy")
    airflow.wait_until(lambda: "dag_id" in airflow.ask("GET", "/api/v2/dags/both"), "parsed")
    airflow.ask("PATCH", "/api/v2/dags/both", {"is_paused": False})
    run_id = airflow.ask("POST", "/api/v2/dags/both/dagRuns", {"logical_date": None})["dag_run_id"]
    path = f"/api/v2/dags/both/dagRuns/{run_id}"
    airflow.wait_until(lambda: airflow.ask("GET", path).get("state") in ("success", "failed"), "over")
    line = psycopg2.connect(host="127.0.0.1", port=airflow.addresses["PGPORT"], user="airflow", dbname="airflow")
    with line, line.cursor() as cursor:
        cursor.execute(
            "SELECT task_id, state, executor, external_executor_id IS NOT NULL FROM task_instance WHERE run_id = %s ORDER BY 1",
            (run_id,),
        )
        found = cursor.fetchall()
    line.close()
    return found


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
