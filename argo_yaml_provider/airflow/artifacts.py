"""The artifacts of a run, as Airflow's tables know them, and a way to their bytes.

In: a run's name, a step's.  Out: `Stored`; files of this machine.
Must not know: command lines, pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.runs import RunReader
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.outcome import COLLECTED
from argo_yaml_provider.pods.settings import PodSettings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Json = dict[str, Any]

LATEST = "@latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One artifact that a step of the run has stored."""

    node: str
    """Argo's name of the node, without the workflow's."""
    step: str
    """The step's or task's own name, with the item of a loop's turn."""
    name: str
    record: Json
    """As the outcome has it: store, bucket, key, connection, size, media_type, location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunArtifacts:
    """The artifacts of one run, and what is needed to reach them."""

    dag_id: str
    run_id: str
    namespace: str
    reference: Json | None
    settings: PodSettings
    stored: tuple[Stored, ...]


def find_run(session: Session, run: str) -> tuple[str, str]:
    """dag_id and run_id of `RUN_ID`, `DAG_ID/RUN_ID`, or `@latest` in place of a run_id."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    dag_id, slash, run_id = run.partition("/") if "/" in run else ("", "", run)
    statement = select(DagRun.dag_id, DagRun.run_id).order_by(DagRun.run_after.desc(), DagRun.id.desc())
    statement = statement if run_id == LATEST else statement.where(DagRun.run_id == run_id)
    statement = statement.where(DagRun.dag_id == dag_id) if slash else statement
    found = session.execute(statement.limit(2 if run_id != LATEST else 1)).all()
    if not found:
        raise RunError(f"there is no run {run}", help="airflow dags list-runs DAG_ID lists those of a DAG")
    if len(found) > 1:
        raise RunError(f"more than one DAG has a run {run_id}", help=f"write {found[0].dag_id}/{run_id}")
    return found[0].dag_id, found[0].run_id


def artifacts_of(session: Session, dag_id: str, run_id: str, step: str | None = None) -> RunArtifacts:
    """All that the run's steps have stored, or one of them, named as Argo or as its task is."""
    found = RunReader().open(session, dag_id, run_id)
    verdict = found.source.outcome(found.envelope.plan.tasks[-1].id, -1)
    gone = {(node, name) for node, name in (verdict.values.get(COLLECTED) or () if verdict else ())}
    stored = [one for node in found.flow.nodes() for one in _of_node(node, found.facts.name, gone)]
    if step is not None:
        chosen = [one for one in stored if step in (one.node, one.step, re.sub(r"\(.*", "", one.step))]
        if not chosen:
            steps = ", ".join(dict.fromkeys(one.step for one in stored)) or "none"
            raise RunError(f"step {step!r} of run {run_id} has stored no artifact", help=f"steps that have: {steps}")
        stored = chosen
    spec = found.envelope.plan.workflow.get("spec") or {}
    return RunArtifacts(
        dag_id=dag_id,
        run_id=run_id,
        namespace=found.facts.namespace,
        reference=spec.get("artifactRepositoryRef"),
        settings=found.envelope.pods,
        stored=tuple(stored),
    )


def _of_node(node: Json, workflow: str, gone: AbstractSet[tuple[str, str]]) -> list[Stored]:
    short = node["name"].removeprefix(workflow).removeprefix(".") or node["displayName"]
    return [
        Stored(node=short, step=node["displayName"], name=name, record=record)
        for name, record in sorted((node.get("stored") or {}).items())
        if (node["name"], name) not in gone
    ]


def places(stored: Sequence[Stored], folder: Path) -> list[Path]:
    """Where each lies in the folder: STEP/FILE; under the node's whole name where two steps share theirs."""
    steps = Counter({(one.step, one.node): 1 for one in stored}.keys())
    names = Counter(step for step, _ in steps)
    taken: set[Path] = set()
    found = []
    for one in stored:
        below = one.step if names[one.step] == 1 else one.node
        file = one.record["key"].rstrip("/").rpartition("/")[2] or one.name
        place = folder / _file_name(below) / _file_name(file)
        if place in taken:
            place = place.with_name(f"{one.name}-{place.name}")
        taken.add(place)
        found.append(place)
    return found


def _file_name(text: str) -> str:
    """One part of a path, never one that leads elsewhere."""
    plain = re.sub(r"[\x00-\x1f/\\]", "_", text)
    return plain if plain.strip(".") else f"_{plain}"


async def fetch(run: RunArtifacts, folder: Path) -> list[Path]:
    """Brings all of them to the folder."""
    import secrets

    from argo_yaml_provider.airflow.connections import open_kube, stored_extras
    from argo_yaml_provider.pods.errands import Errand, digest_of
    from argo_yaml_provider.step.errands import bring
    from argo_yaml_provider.step.whole import repository_at, whole

    async with open_kube(run.settings, stored_extras(run.settings.conn_id), shared=False) as kube:
        repository = await repository_at(kube, run.namespace, run.reference, run.settings)
        artifacts = [whole(one.name, one.record, repository) for one in run.stored]
        targets = places(run.stored, folder)
        name = f"argo-yaml-get-{digest_of([run.dag_id, run.run_id])}-{secrets.token_hex(3)}"
        await bring(kube, Errand(name=name, namespace=run.namespace), artifacts, run.settings, targets)
    return targets


async def collect_deleted(namespace: str, settings: PodSettings, tell: Callable[[str], None]) -> bool:
    """Deletes what deleted runs have left by `artifactGC: {strategy: OnWorkflowDeletion}`; whether all of that is gone."""
    from argo_yaml_provider.airflow.connections import open_kube, stored_extras
    from argo_yaml_provider.step.collect import collect_left

    async with open_kube(settings, stored_extras(settings.conn_id), shared=False) as kube:
        return await collect_left(kube, namespace, settings, _exists, tell)


async def _exists(dag_id: str, run_id: str) -> bool:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalar(select(DagRun.id).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)) is not None
