from __future__ import annotations

from argo_yaml_provider.resolve.submission import missing_values


def test_parameters_without_a_value_must_be_given() -> None:
    parameters = [
        {"name": "a"},
        {"name": "b", "value": ""},
        {"name": "c", "default": "x"},
        {"name": "d"},
        {"name": "e", "valueFrom": {}},
    ]
    workflow = {"spec": {"arguments": {"parameters": parameters}}}
    assert missing_values(workflow, ()) == ("a", "d")
    assert missing_values(workflow, {"a": "1"}) == ("d",)
    assert missing_values({"spec": {}}, ()) == ()
