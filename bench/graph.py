"""A dag template of 500 tasks, 40 levels deep: what its parse costs, and a look of Airflow's scheduler at a run of it.

    python bench/graph.py

Prints the parse (YAML to serialized DAG, against a bound of 1 s), what the first task of a run and a later one cost to find out
what they are to do, and what the scheduler's looks at a run cost in CPU time, as a ratio to the same graph of EmptyOperators
(against a bound of 2): with no task ended, with half of them, before the last.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import DAG
    from sqlalchemy.orm import Session

TASKS, LEVELS, LOOKS = 500, 40, 5
WIDTH = TASKS / LEVELS


def level_of(number: int) -> int:
    """The level of a task."""
    return int(number / WIDTH)


def needs_of(number: int) -> list[int]:
    """Two tasks of the level above."""
    above = [one for one in range(TASKS) if level_of(one) == level_of(number) - 1]
    return sorted({above[number % len(above)], above[(number * 7 + 1) % len(above)]}) if above else []


def workflow() -> str:
    """The YAML."""
    tasks = "".join(
        f"      - {{name: t{number}, template: work, dependencies: {[f't{one}' for one in needs_of(number)]},"
        f" arguments: {{parameters: [{{name: number, value: '{number}'}}]}}}}\n"
        for number in range(TASKS)
    )
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: graph-}}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
{tasks.replace("'t", "t").replace("',", ",").replace("']", "]")}
  - name: work
    inputs: {{parameters: [{{name: number}}]}}
    container: {{image: busybox, command: [echo, "{{{{inputs.parameters.number}}}}"]}}
"""


def empty_dag() -> DAG:
    """The same graph, without us."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    dag = DAG(dag_id="empty", schedule=None)
    tasks = [EmptyOperator(task_id=f"t{number}", dag=dag) for number in range(TASKS)]
    for number, task in enumerate(tasks):
        task.set_upstream([tasks[one] for one in needs_of(number)])
    return dag


def cpu(work: Callable[[], Any]) -> float:
    """The least of some goes, in milliseconds of CPU time."""
    times = []
    for _ in range(LOOKS):
        begun = time.process_time()
        work()
        times.append((time.process_time() - begun) * 1000)
    return min(times)


def compiled(path: Path) -> Any:
    """Parsed from nothing to what the DAG processor writes."""
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    from argo_yaml_provider.airflow.dags import build_dags
    from argo_yaml_provider.airflow.settings import Execution, Settings
    from argo_yaml_provider.plan.compile import compile_file

    (plan,) = compile_file(path)
    settings = Settings(execution=Execution.EXECUTOR, workers=False)
    (dag,) = build_dags(plan, settings, dag_id="graph")
    return LazyDeserializedDAG.from_dag(dag)


def look_at(session: Session, dag_id: str, levels: int) -> float:
    """One look at the run, with so many levels ended: which tasks may start, is it over."""
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select, update

    ended = [f"t{number}" for number in range(TASKS) if level_of(number) < levels]
    names = {
        row.task_id: row.task_id.rpartition(".")[2]
        for row in session.execute(select(TaskInstance.task_id).where(TaskInstance.dag_id == dag_id))
    }
    done = [task for task, name in names.items() if name in ended]
    session.execute(
        update(TaskInstance).where(TaskInstance.dag_id == dag_id, TaskInstance.task_id.in_(done)).values(state="success")
    )
    session.commit()

    def look() -> None:
        run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id))
        assert run is not None
        run.dag = SerializedDagModel.get_dag(dag_id, session=session)
        run.update_state(session=session, execute_callbacks=False)
        session.rollback()
        session.expire_all()

    return cpu(look)


class AllSucceeded:
    """A run in which all that a task asks for has succeeded."""

    def outcome(self, task_id: str, map_index: int) -> Any:  # noqa: ARG002 - a flow's Source
        from argo_yaml_provider.flow.outcome import Outcome, Phase

        return Outcome(phase=Phase.SUCCEEDED)


def decisions(path: Path) -> tuple[float, float]:
    """What a task in the middle finds out, alone; and after others of its run, in their process."""
    from argo_yaml_provider.flow.facts import RunFacts
    from argo_yaml_provider.flow.flow import Flow
    from argo_yaml_provider.flow.ground import Ground
    from argo_yaml_provider.plan.compile import compile_file

    (plan,) = compile_file(path)
    facts = RunFacts(name="graph-x7k2p", namespace="argo", uid="graph", created_at="2026-01-01T00:00:00Z")
    task = f"t{TASKS // 2}"
    ground = Ground(plan=plan, facts=facts)

    def decide(ground: Ground | None) -> None:
        Flow(plan, facts, AllSucceeded(), ground=ground).decide(task)  # type: ignore[arg-type]

    return cpu(lambda: decide(None)), cpu(lambda: decide(ground))


def measure(path: Path) -> None:
    """In an Airflow of its own."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    parse = cpu(lambda: compiled(path))
    print(f"parse, compile and serialize {parse:8.0f} ms {parse / 1000:6.2f} x the bound")
    first, later = decisions(path)
    print(f"a run's first decision       {first:8.1f} ms")
    print(f"a later one                  {later:8.1f} ms {later / first:6.2f} x the first")
    with create_session() as session:
        session.add(DagBundleModel(name="bench"))
        session.flush()
        lazy = [compiled(path), LazyDeserializedDAG.from_dag(empty_dag())]
        SerializedDAG.bulk_write_to_db("bench", None, lazy, session=session)
        for one in lazy:
            SerializedDagModel.write_dag(one, "bench", session=session)
            start(session, one.dag_id)
        session.commit()
        for name, levels in (("none ended", 0), ("half ended", LEVELS // 2), ("last level", LEVELS - 1)):
            ours, theirs = look_at(session, "graph", levels), look_at(session, "empty", levels)
            print(f"scheduler's look, {name:10} {ours:8.0f} ms {ours / theirs:6.2f} x EmptyOperators")


def start(session: Session, dag_id: str) -> None:
    """One run."""
    from airflow._shared.timezones import timezone
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    session.flush()
    dag = SerializedDagModel.get_dag(dag_id, session=session)
    assert dag is not None
    dag.create_dagrun(
        run_id="bench",
        run_after=timezone.utcnow(),
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.CLI,
        state=DagRunState.RUNNING,
        session=session,
    )


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from argo_yaml_provider.airflow.home import enter_home

    with tempfile.TemporaryDirectory() as folder:
        enter_home(Path(folder) / "airflow", lambda line: print(line, file=sys.stderr))
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        path = Path(folder) / "graph.yaml"
        path.write_text(workflow(), encoding="utf-8")
        measure(path)


if __name__ == "__main__":
    main()
