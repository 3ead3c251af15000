"""What is done here in a task's usual beginning and end leaves the rows that Airflow's own functions leave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from argo_yaml_provider.airflow import api, run, usual
from argo_yaml_provider.airflow.api import Entered, Finish, Identity, Pushed, Shown, Start, TaskRef
from argo_yaml_provider.airflow.rows import beat
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.pods.settings import PodSettings
from bench import database

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Rows = dict[str, list[dict[str, Any]]]
OURS, THEIRS = "ours", "theirs"
WHO = Identity(hostname="host", unixname="unix", pid=7)
BEGUN, ENDED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), datetime(2026, 1, 2, 3, 5, 7, 891011, tzinfo=UTC)
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    dag: {tasks: [{name: ours, template: work}, {name: theirs, template: work}]}
  - name: work
    retryStrategy: {limit: 2}
    container: {image: busybox, command: ["true"]}
"""
PUSHED = Pushed(key="outcome", value={"phase": "Succeeded", "attempts": [{"exit_code": 0}], "ü": None})
FIELDS = {"image": "busybox", "env": [{"name": "PASSWORD", "value": "secret"}], "pod": {"spec": {"password": "secret"}}}
SHOWN = Shown(turn="(0:item)", fields=FIELDS)
SUCCESS = Finish(state="success", pushed=(PUSHED,), shown=SHOWN)


@pytest.fixture
def session(request: pytest.FixtureRequest, airflow_db: object) -> Iterator[Session]:
    """Two tasks that wait for their start."""
    from airflow import settings

    name = getattr(request, "param", "sqlite")
    if why := database.missing(name):
        pytest.skip(why)
    with database.fresh(name) as url, pytest.MonkeyPatch.context() as patch:
        if url:
            patch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", url)
            patch.delenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS")
            patch.setattr("airflow.utils.sqlalchemy.USE_ROW_LEVEL_LOCKING", True)
            _connect()
        (plan,) = compile_text(WORKFLOW, file="wf.yaml")
        run.create_runs([run.Request(name="wf", plan=plan)], PodSettings(namespace="default"), series="run")
        assert settings.NonScopedSession is not None
        with settings.NonScopedSession() as opened:
            _wait(opened)
            yield opened
            opened.rollback()
        settings.dispose_orm(do_log=False)
    _connect()


on_both = pytest.mark.parametrize("session", ["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)], indirect=True)
"""The second needs no cluster, but its migration takes a minute."""


def _connect() -> None:
    from airflow import settings

    settings.dispose_orm(do_log=False)
    settings.configure_vars()  # type: ignore[no-untyped-call]
    settings.configure_orm()  # type: ignore[no-untyped-call]


def _wait(session: Session) -> None:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import update

    queued = {"state": "queued", "try_number": 1, "queued_dttm": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)}
    session.execute(update(TaskInstance).where(TaskInstance.task_id.in_((OURS, THEIRS))).values(**queued))
    session.commit()


def ref(session: Session, task_id: str) -> TaskRef:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    row = session.scalars(select(TaskInstance).where(TaskInstance.task_id == task_id)).one()
    return TaskRef(id=str(row.id), dag_id=row.dag_id, run_id=row.run_id, task_id=task_id, map_index=row.map_index)


def rows(session: Session, task_id: str) -> Rows:
    """Every row of every table that names the task, without what tells two tasks, or two moments, apart."""
    from airflow.models.base import Base

    session.flush()
    session.expire_all()
    found: Rows = {}
    for table in Base.metadata.sorted_tables:
        if "task_id" in table.c and table.c.task_id.type.python_type is str:
            chosen = session.execute(table.select().where(table.c.task_id == task_id)).mappings()
            found[table.name] = [{name: _told(name, value) for name, value in row.items()} for row in chosen]
    return found


def _told(name: str, value: object) -> object:
    if isinstance(value, datetime) and abs(datetime.now(UTC) - value) < timedelta(hours=1):
        return "now"
    return "its own" if name in ("id", "task_id", "task_display_name") else value


def begin(session: Session, *task_ids: str) -> None:
    """They run."""
    tis = [ref(session, task_id) for task_id in task_ids]
    assert set(usual.begin(session, tis, WHO, BEGUN)) == set(tis)


def end_usually(session: Session, task_id: str, end: Finish) -> bool:
    """Whether it was one."""
    return bool(usual.end(session, {ref(session, task_id): end}, ENDED))


def set_row(session: Session, task_id: str, **values: Any) -> None:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import update

    session.execute(update(TaskInstance).where(TaskInstance.task_id == task_id).values(**values))


@on_both
def test_a_beginning_leaves_what_airflow_leaves(session: Session) -> None:
    (ours,) = api.begin_usual(session, [Start(ti=ref(session, OURS), who=WHO)])
    theirs = api.enter_running(session, Start(ti=ref(session, THEIRS), who=WHO))
    assert ours
    assert ours == replace(theirs, context=None, begun=ours.begun)
    assert rows(session, OURS) == rows(session, THEIRS)
    assert [row["event"] for row in rows(session, OURS)["log"]] == ["running"]


@on_both
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(SUCCESS, id="success"),
        pytest.param(Finish(state="success", pushed=(PUSHED, replace(PUSHED, value=[]))), id="success-pushed-twice"),
        pytest.param(Finish(state="skipped", pushed=(PUSHED,), reason="when"), id="skipped"),
        pytest.param(Finish(state="failed", pushed=(PUSHED,), reason="exit code 1", shown=SHOWN), id="failed"),
    ],
)
def test_an_end_leaves_what_airflow_leaves(session: Session, end: Finish) -> None:
    begin(session, OURS, THEIRS)
    assert end_usually(session, OURS, end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "datetime", SimpleNamespace(now=lambda _: ENDED))
        api.finish(session, ref(session, THEIRS), end)
    assert rows(session, OURS) == rows(session, THEIRS)
    assert {row["duration"] for row in rows(session, OURS)["task_instance"]} <= {62.212, 62.21211}


@on_both
def test_what_is_shown_of_tasks_that_run_is_what_their_end_would_leave(session: Session) -> None:
    begin(session, OURS, THEIRS)
    api.show_running(session, [(ref(session, OURS), lambda: SHOWN), (ref(session, THEIRS), Shown)])
    (shown,) = rows(session, OURS)["rendered_task_instance_fields"]
    assert rows(session, THEIRS)["rendered_task_instance_fields"] == []
    assert end_usually(session, THEIRS, SUCCESS)
    assert rows(session, THEIRS)["rendered_task_instance_fields"] == [shown]
    turns = [rows(session, task_id)["task_instance"][0]["rendered_map_index"] for task_id in (OURS, THEIRS)]
    assert turns == ["(0:item)", "(0:item)"]


@on_both
async def test_many_begin_and_end_at_once_each_with_its_own_fate(session: Session) -> None:
    known = [ref(session, task_id) for task_id in (OURS, THEIRS)]
    session.commit()
    gone, own = replace(known[0], id=str(UUID(int=1))), api.ExecutionApi()
    tasks = [known[0], gone, known[1]]
    begun = await asyncio.gather(*(own.enter(Start(ti=ti, who=WHO)) for ti in tasks), return_exceptions=True)
    assert [type(one) for one in begun] == [Entered, api.Refused, Entered]
    ends = [SUCCESS, SUCCESS, replace(SUCCESS, state="up_for_retry", retry_delay=5.0, pushed=(), shown=Shown())]
    ended = await asyncio.gather(*map(own.finish, tasks, ends), return_exceptions=True)
    own.close()
    assert [type(one) for one in ended] == [type(None), api.Refused, type(None)]
    found = [rows(session, task_id) for task_id in (OURS, THEIRS)]
    assert [one["task_instance"][0]["state"] for one in found] == ["success", "up_for_retry"]
    assert [one["task_instance"][0]["rendered_map_index"] for one in found] == ["(0:item)", None]
    assert [len(one["xcom"]) for one in found] == [1, 0]
    assert [[row["event"] for row in one["log"]] for one in found] == [["running", "success"], ["running", "up_for_retry"]]


async def test_one_that_cannot_be_shown_keeps_no_other_from_it(session: Session) -> None:
    known = [ref(session, task_id) for task_id in (OURS, THEIRS)]
    session.commit()
    tasks = [known[0], replace(known[0], id=str(UUID(int=1)), run_id="gone"), known[1]]
    own = api.ExecutionApi()
    said = await asyncio.gather(*(own.show(ti, lambda: SHOWN) for ti in tasks), return_exceptions=True)
    own.close()
    assert [type(one).__name__ for one in said] == ["NoneType", "IntegrityError", "NoneType"]
    assert [len(rows(session, task_id)["rendered_task_instance_fields"]) for task_id in (OURS, THEIRS)] == [1, 1]


@pytest.mark.cluster
@pytest.mark.parametrize("session", ["postgresql"], indirect=True)
async def test_a_connection_that_the_server_ends_is_replaced(session: Session) -> None:
    from sqlalchemy import text

    def pid(session: Session) -> Any:
        return session.scalar(text("SELECT pg_backend_pid()"))

    own = api.ExecutionApi()
    before = await own.call(pid)
    assert await own.call(pid) == before
    session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
    after = await own.call(pid)
    own.close()
    assert isinstance(after, int)
    assert after != before


@on_both
def test_a_heartbeat_passes_by_a_task_whose_end_is_being_written(session: Session) -> None:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    begin(session, OURS, THEIRS)
    ids = {task_id: ref(session, task_id).id for task_id in (OURS, THEIRS)}
    for task_id in (OURS, THEIRS):
        set_row(session, task_id, last_heartbeat_at=BEGUN)
    session.commit()
    session.execute(select(TaskInstance.id).where(TaskInstance.task_id == OURS).with_for_update())
    beating = threading.Thread(target=beat, args=(list(ids.values()), WHO), daemon=True)
    beating.start()
    beating.join(20)
    assert not beating.is_alive()
    session.commit()
    beats = [rows(session, task_id)["task_instance"][0]["last_heartbeat_at"] for task_id in (OURS, THEIRS)]
    assert beats == ["now" if session.get_bind().dialect.name == "sqlite" else BEGUN, "now"]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(replace(SUCCESS, state="up_for_retry"), id="retry"),
        pytest.param(replace(SUCCESS, pushed=(replace(PUSHED, mapped_length=1),)), id="list-to-map-over"),
        pytest.param(replace(SUCCESS, kept={"attempts-0": []}), id="kept-for-the-next-try"),
        pytest.param(replace(SUCCESS, skipped=(THEIRS,)), id="leaves-tasks-out"),
        pytest.param(replace(SUCCESS, outlets=({"type": "Asset", "name": "a", "uri": "a"},)), id="updates-an-asset"),
    ],
)
def test_an_end_to_which_more_belongs_is_left_to_airflow(session: Session, end: Finish) -> None:
    begin(session, OURS)
    before = rows(session, OURS)
    assert not end_usually(session, OURS, end)
    assert rows(session, OURS) == before


def test_a_failure_that_stops_others_is_left_to_airflow(session: Session) -> None:
    from airflow.models.dag import DagModel
    from sqlalchemy import update

    session.execute(update(DagModel).values(fail_fast=True))
    begin(session, OURS)
    assert not end_usually(session, OURS, replace(SUCCESS, state="failed"))
    assert end_usually(session, OURS, SUCCESS)


@pytest.mark.parametrize("state", ["success", "failed", "restarting", "up_for_retry", None])
def test_an_end_that_somebody_else_has_written_is_refused(session: Session, state: str | None) -> None:
    begin(session, OURS)
    set_row(session, OURS, state=state)
    assert not end_usually(session, OURS, replace(SUCCESS, state="skipped"))
    assert rows(session, OURS)["xcom"] == []


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"state": "running"}, id="runs-elsewhere"),
        pytest.param({"state": "restarting"}, id="cleared"),
        pytest.param({"next_method": "resume", "next_kwargs": {}}, id="resumed"),
    ],
)
def test_a_beginning_that_is_not_the_first_is_left_to_airflow(session: Session, values: dict[str, Any]) -> None:
    set_row(session, OURS, **values)
    assert usual.begin(session, [ref(session, OURS)], WHO, BEGUN) == {}
    assert rows(session, OURS)["log"] == []


def test_a_beginning_with_values_of_an_earlier_try_is_left_to_airflow(session: Session) -> None:
    from argo_yaml_provider.airflow.xcoms import write_xcom

    write_xcom(session, ref(session, OURS), PUSHED)
    assert usual.begin(session, [ref(session, OURS)], WHO, BEGUN) == {}
    api.enter_running(session, Start(ti=ref(session, OURS), who=WHO))
    assert rows(session, OURS)["xcom"] == []


def test_a_task_that_is_gone_is_nobodys(session: Session) -> None:
    gone = replace(ref(session, OURS), id="00000000-0000-0000-0000-000000000000")
    assert usual.begin(session, [gone], WHO, BEGUN) == {}
    assert usual.end(session, {gone: SUCCESS}, ENDED) == set()


@pytest.mark.parametrize(("dialect", "known"), [("sqlite", True), ("postgresql", True), ("mysql", False)])
def test_databases_without_a_test_are_left_to_airflow(dialect: str, known: bool) -> None:
    assert usual._is_known(dialect) is known


def test_a_release_of_airflow_whose_tables_are_not_known_does_it_all_itself(session: Session) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow.__version__", "3.4.0")
        usual._is_known.cache_clear()
        assert usual.begin(session, [ref(session, OURS)], WHO, BEGUN) == {}
    usual._is_known.cache_clear()
    begin(session, OURS)
