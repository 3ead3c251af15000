from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.local.environment import ConfigError, Environment, expand, parse_quantity

OBJECTS: dict[tuple[str, str], Any] = {
    ("configmaps", "c"): {"kind": "ConfigMap", "metadata": {"namespace": "n"}, "data": {"k": "v"}},
    ("secrets", "s"): {"kind": "Secret", "metadata": {"namespace": "n"}, "data": {"pw": "aHVudGVyMg=="}},
}
POD = {
    "metadata": {"name": "p", "namespace": "n", "labels": {"a": "b"}, "annotations": {}},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"memory": "64Mi", "cpu": "1500m"}}}]},
}


def build(**container: Any) -> dict[str, str]:
    environment = Environment(POD, lambda plural, name: OBJECTS.get((plural, name)), {"cpu": "4", "memory": "1Gi"})
    return environment.build({"name": "main", **container}, {})


def test_every_kind_of_value() -> None:
    env = [
        {"name": "PLAIN", "value": "x"},
        {"name": "REFERS", "value": "$(PLAIN)/$(NONE)/$$(PLAIN)"},
        {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "pw"}}},
        {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}}},
    ]
    assert build(env=env, envFrom=[{"configMapRef": {"name": "c"}, "prefix": "P_"}]) == {
        "P_k": "v",
        "PLAIN": "x",
        "REFERS": "x/$(NONE)/$(PLAIN)",
        "MAP": "v",
        "SECRET": "hunter2",
        "FIELD": "b",
        "CPU": "2",
        "MEMORY": "64",
    }


@pytest.mark.parametrize(
    ("container", "want"),
    [
        ({"envFrom": [{"secretRef": {"name": "gone"}}]}, 'secret "gone" not found'),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "z"}}}]},
            "couldn't find key z in ConfigMap n/c",
        ),
    ],
)
def test_what_is_missing_is_named(container: dict[str, Any], want: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(**container)
    assert str(caught.value) == want


@pytest.mark.parametrize(("text", "want"), [("100m", 0.1), ("1Gi", 2**30), ("2k", 2000), ("1e3", 1000), ("0.5", 0.5)])
def test_quantities(text: str, want: float) -> None:
    assert parse_quantity(text) == want


def test_dollars_double() -> None:
    assert expand("$$(A) $(A) $A", {"A": "1"}) == "$(A) 1 $A"
