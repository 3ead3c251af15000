"""The page behind the link "Artifacts": what a step has stored, and how to get it.

In: a request of somebody who may read the DAG's XComs.  Out: HTML.
Must not know: stores; no byte of an artifact passes through here.
"""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.envelope import OUTCOME_KEY
from argo_yaml_provider.flow.outcome import Outcome

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy.orm import Session

Json = dict[str, Any]

_COLUMNS = ("name", "store", "bucket", "key", "size", "media_type")
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Artifacts of {title}</title><style>
body {{ font-family: system-ui, sans-serif; margin: 2em; }} td, th {{ padding: .3em 1em .3em 0; text-align: left; }}
td:nth-child(5) {{ text-align: right; }} code {{ background: #8882; padding: .2em .4em; }} :root {{ color-scheme: light dark; }}
</style></head><body><h1>Artifacts of {title}</h1>{body}</body></html>"""


@cache
def build_app() -> FastAPI:
    """The one page, for those whom Airflow lets read the DAG's XComs."""
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
    from airflow.api_fastapi.core_api.security import requires_access_dag
    from fastapi import Depends, FastAPI
    from fastapi.responses import HTMLResponse

    def show(dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
        from airflow.utils.session import create_session

        with create_session() as session:
            return render_page(dag_id, run_id, task_id, stored_by(session, dag_id, run_id, task_id, map_index))

    app = FastAPI(title="Artifacts", docs_url=None, redoc_url=None, openapi_url=None)
    access = Depends(requires_access_dag("GET", DagAccessEntity.XCOM))
    app.get("/", response_class=HTMLResponse, dependencies=[access])(show)
    return app


def stored_by(session: Session, dag_id: str, run_id: str, task_id: str, map_index: int) -> list[Json]:
    """What the task's last attempt has stored, each with its name."""
    from argo_yaml_provider.airflow.xcoms import read_xcoms

    for _, index, value in read_xcoms(session, dag_id, run_id, OUTCOME_KEY, task_id=task_id):
        last = Outcome.from_json(value).last if index == map_index else None
        if last is not None:
            return [{"name": name, **record} for name, record in sorted(last.artifacts.items())]
    return []


def render_page(dag_id: str, run_id: str, task_id: str, stored: list[Json]) -> str:
    """A table, and the command that brings the files."""
    title = escape(f"{task_id} in run {run_id} of {dag_id}")
    if not stored:
        return _PAGE.format(title=title, body="<p>This step has stored none.</p>")
    head = "".join(f"<th>{column.replace('_', ' ')}</th>" for column in _COLUMNS)
    rows = ["".join(f"<td>{escape(str(one.get(column, '')))}</td>" for column in _COLUMNS) for one in stored]
    table = f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    command = escape(f"airflow argo artifacts get '{dag_id}/{run_id}' -d FOLDER")
    return _PAGE.format(title=title, body=f"{table}<p>All of this run: <code>{command}</code></p>")
