from __future__ import annotations

import re
from dataclasses import replace

import pytest

from argo_yaml_provider.pods.names import PodKey, label_value, pod_labels, pod_name

KEY = PodKey(dag_id="my_dag", run_id="manual__2026-01-01T00:00:00+00:00", task_id="a.b", map_index=3, generation=1, attempt=2)


def test_a_name_is_always_the_same() -> None:
    assert pod_name(KEY) == "my-dag-a-b-fe52bfe2d9"


@pytest.mark.parametrize(
    ("workflow", "want"),
    [
        pytest.param("wf-abcde", "wf-abcde-a-b-fe52bfe2d9", id="whole"),
        pytest.param("w" * 50, "w" * 50 + "-b-fe52bfe2d9", id="less-of-the-task"),
        pytest.param("w" * 63, "w" * 52 + "-fe52bfe2d9", id="none-of-it"),
    ],
)
def test_a_name_begins_with_the_workflows(workflow: str, want: str) -> None:
    assert pod_name(replace(KEY, workflow=workflow)) == want


@pytest.mark.parametrize("field", ["dag_id", "run_id", "task_id", "map_index", "generation", "attempt"])
def test_every_part_of_the_key_makes_another_name(field: str) -> None:
    value = getattr(KEY, field)
    assert pod_name(replace(KEY, **{field: value + ("x" if isinstance(value, str) else 1)})) != pod_name(KEY)


@pytest.mark.parametrize("dag_id", ["x" * 300, "Ünïcode", "-._", "UPPER", "1"])
@pytest.mark.parametrize("task_id", ["y" * 300, "a__b.c-", "..."])
def test_a_name_is_a_dns_label(dag_id: str, task_id: str) -> None:
    name = pod_name(replace(KEY, dag_id=dag_id, task_id=task_id))
    assert len(name) <= 63
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)


def test_labels_say_what_the_pod_belongs_to() -> None:
    assert pod_labels(KEY) == {
        "dag_id": "my_dag",
        "run_id": "manual__2026-01-01T00-00-00-00-00-1e8dc70c2b",
        "task_id": "a.b",
        "map_index": "3",
        "argo-yaml-provider/generation": "1",
        "argo-yaml-provider/attempt": "2",
    }


@pytest.mark.parametrize("text", ["", "a", "A.b_c-d", "x" * 63])
def test_a_legal_label_value_stays(text: str) -> None:
    assert label_value(text) == text


@pytest.mark.parametrize("text", ["x" * 64, "-a", "a+b", "é", "+"])
def test_any_other_becomes_legal(text: str) -> None:
    value = label_value(text)
    assert len(value) <= 63
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", value)
