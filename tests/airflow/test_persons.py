from __future__ import annotations

from types import SimpleNamespace

import pytest

from argo_yaml_provider.airflow.persons import form_of, supplied_by
from argo_yaml_provider.flow.suspend import Asked
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.host import Question


def test_a_form_asks_for_each_value_with_its_choices() -> None:
    asked = Asked(name="a", default="NO", proposed="NO", choices=("YES", "NO"), description="Deploy?")
    assert form_of(Question(node="wf[0].approve", asked=(asked,), problem="again")) == {
        "options": ["Resume"],
        "defaults": ["Resume"],
        "subject": "wf[0].approve is suspended",
        "body": "again",
        "params": {
            "a": {
                "value": "NO",
                "description": "Deploy?",
                "schema": {"type": "string", "enum": ["YES", "NO"]},
                "source": "task",
            }
        },
    }


@pytest.mark.parametrize(
    ("person", "given", "want"),
    [
        pytest.param({"id": "1"}, {"a": "x", "b": 1, "c": None}, {"a": "x", "b": "1"}, id="as-text-without-what-was-left-open"),
        pytest.param({"id": "1"}, None, {}, id="nothing-was-asked"),
        pytest.param(None, {"a": "x"}, None, id="nobody-answered-in-time"),
    ],
)
def test_what_a_response_supplies(person: Json | None, given: Json | None, want: Json | None) -> None:
    assert supplied_by(SimpleNamespace(responded_by_user=person, params_input=given)) == want
