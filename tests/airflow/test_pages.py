"""The link "Artifacts" of a step, and the page behind it."""

from __future__ import annotations

from types import SimpleNamespace

from argo_yaml_provider.airflow.links import ArtifactsLink
from argo_yaml_provider.airflow.pages import build_app, render_page

RECORD = {
    "name": "model",
    "store": "s3",
    "bucket": "b",
    "key": "a<b>/model.tgz",
    "connection": "",
    "size": 7,
    "media_type": "application/gzip",
}


def test_the_link_names_the_task_instance() -> None:
    key = SimpleNamespace(dag_id="d", run_id="manual__2026-01-01T00:00:00+00:00", task_id="g.t", map_index=3)
    address = ArtifactsLink().get_link(None, ti_key=key)
    assert address.endswith(
        "/argo-artifacts/?dag_id=d&run_id=manual__2026-01-01T00%3A00%3A00%2B00%3A00&task_id=g.t&map_index=3"
    )


def test_a_serialized_step_has_the_link() -> None:
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization

    from argo_yaml_provider.airflow.operators import ArgoStepOperator

    with DAG("d", schedule=None) as dag:
        ArgoStepOperator(task_id="t")
    read = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert "Artifacts" in read.get_task("t").extra_links


def test_the_page_shows_what_is_stored_and_takes_no_text_for_html() -> None:
    page = render_page("d", "r", "t", [RECORD])
    assert "<td>model</td><td>s3</td><td>b</td><td>a&lt;b&gt;/model.tgz</td><td>7</td><td>application/gzip</td>" in page
    assert "airflow argo artifacts get &#x27;d/r&#x27; -d FOLDER" in page
    assert "This step has stored none." in render_page("d", "r", "t", [])


async def test_the_page_is_not_for_everybody() -> None:
    import httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=build_app()), base_url="http://airflow") as client:
        answer = await client.get("/", params={"dag_id": "d", "run_id": "r", "task_id": "t"})
    assert answer.status_code == httpx.codes.UNAUTHORIZED
