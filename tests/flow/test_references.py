from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.references import resolve_artifact, with_artifacts
from argo_yaml_provider.flow.scope import Scope

A = {"name": "a", "s3": {"bucket": "b", "key": "folder/a"}}
URL = {"name": "u", "http": {"url": "http://h/x"}}
SCOPE = Scope(
    values={
        "steps.one.outputs.artifacts.a": A,
        "steps.two.outputs.artifacts.u": URL,
        "steps.one.status": "Succeeded",
        "inputs.parameters.part": "sub",
    }
)
FROM_ONE = {"from": "{{steps.one.outputs.artifacts.a}}"}


@pytest.mark.parametrize(
    ("written", "want"),
    [
        pytest.param({"raw": {"data": "x"}}, None, id="nothing-to-resolve"),
        pytest.param(FROM_ONE, A, id="from"),
        pytest.param(
            {"fromExpression": "steps.one.status == 'Failed' ? steps.one.outputs.artifacts.a : steps.two.outputs.artifacts.u"},
            URL,
            id="from-expression",
        ),
        pytest.param(
            {**FROM_ONE, "subPath": "{{inputs.parameters.part}}/x.txt"},
            {"name": "a", "s3": {"bucket": "b", "key": "folder/a/sub/x.txt"}},
            id="sub-path",
        ),
        pytest.param(
            {"fromExpression": "steps.two.outputs.artifacts.u", "subPath": "y"},
            {"name": "u", "http": {"url": "http://h/x/y"}},
            id="sub-path-of-a-url",
        ),
    ],
)
def test_an_argument_means_an_artifact(written: dict[str, Any], want: dict[str, Any] | None) -> None:
    assert resolve_artifact(written, SCOPE) == want


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"fromExpression": "steps.one.status"}, "steps.one.status is not an artifact"),
        ({"from": "{{steps.nobody.outputs.artifacts.a}}"}, 'Unable to resolve: "steps.nobody.outputs.artifacts.a"'),
    ],
)
def test_what_is_no_artifact_is_told(written: dict[str, Any], message: str) -> None:
    step = {"arguments": {"artifacts": [{"name": "in", **written}]}}
    with pytest.raises(ExprError) as caught:
        with_artifacts(step, SCOPE, dag=False)
    assert caught.value.message == f"unable to resolve references: {message}"


def test_an_argument_keeps_its_own_name_and_an_optional_one_that_is_not_there_is_left_out() -> None:
    gone = {"name": "gone", "from": "{{steps.nobody.outputs.artifacts.a}}", "optional": True}
    step = {"arguments": {"artifacts": [{"name": "in", **FROM_ONE}, gone]}}
    assert with_artifacts(step, SCOPE, dag=True) == {"arguments": {"artifacts": [{**A, "name": "in"}]}}
