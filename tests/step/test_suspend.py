from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.plan.nodes import CallKind, Json
from argo_yaml_provider.step.suspend import run_suspend, supplied_defaults
from tests.step.conftest import LocalHost


def suspend(duration: str | None, **fields: Any) -> Decision:
    template: Json = {"name": "main", "suspend": {} if duration is None else {"duration": duration}, **fields}
    return Decision(node="wf", kind=CallKind.SUSPEND, template=template)


SUPPLIED = {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}, "default": "42"}}]}


async def test_a_suspend_ends_by_itself_and_gives_its_defaults(host: LocalHost) -> None:
    attempt = await run_suspend(host, suspend("100ms", outputs=SUPPLIED))
    assert (attempt.phase, attempt.parameters) == (Phase.SUCCEEDED, {"answer": "42"})


async def test_a_suspend_goes_on_from_when_it_first_began(host: LocalHost) -> None:
    host.kept["suspend/main/-1/0/0"] = "2026-01-01T00:00:00Z"
    attempt = await run_suspend(host, suspend("3600"))
    assert (attempt.phase, attempt.started_at) == (Phase.SUCCEEDED, "2026-01-01T00:00:00Z")


async def test_a_suspend_without_end_is_refused(host: LocalHost) -> None:
    with pytest.raises(RunError) as caught:
        await run_suspend(host, suspend(None))
    assert str(caught.value) == (
        "step 'wf' is suspended until somebody resumes it, and this host cannot wait for that\n"
        "   = help: give the template suspend.duration"
    )


@pytest.mark.parametrize(
    ("inputs", "output", "want"),
    [
        pytest.param({}, {"default": "own"}, ({"a": "own"}, []), id="its-own-default"),
        pytest.param({"default": "input"}, {}, ({"a": "input"}, []), id="that-of-the-input"),
        pytest.param({"default": "input"}, {"default": "own"}, ({"a": "own"}, []), id="its-own-before-the-inputs"),
        pytest.param({}, {}, ({}, ["a"]), id="none"),
    ],
)
def test_what_nobody_supplies_has_a_default_or_is_an_error(inputs: Json, output: Json, want: object) -> None:
    template = {
        "inputs": {"parameters": [{"name": "a", **inputs}]},
        "outputs": {"parameters": [{"name": "a", "valueFrom": {"supplied": {}, **output}}]},
    }
    assert supplied_defaults(template) == want
