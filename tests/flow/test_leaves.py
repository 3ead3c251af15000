from __future__ import annotations

import pytest

from argo_yaml_provider.flow.leaves import leaf_result
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.results import Outputs
from argo_yaml_provider.plan.nodes import Call, CallKind


def test_a_suspend_that_waits_shows_what_it_asks_for() -> None:
    template = {
        "name": "t",
        "suspend": {},
        "outputs": {"parameters": [{"name": "a", "valueFrom": {"supplied": {}, "default": "x"}}]},
    }
    call = Call(id="main", name="", kind=CallKind.SUSPEND, template="t", source={})
    result = leaf_result(template, call, Outcome(phase=Phase.RUNNING, attempts=(Attempt(phase=Phase.RUNNING),)), {})
    assert result is not None
    assert (result.type, result.phase, result.outputs) == ("Suspend", Phase.RUNNING, Outputs(parameters={"a": None}))


@pytest.mark.parametrize(
    ("strategy", "raised"),
    [
        pytest.param(None, True, id="no-retry"),
        pytest.param({"limit": 1}, True, id="retries-failures-only"),
        pytest.param({"limit": 1, "retryPolicy": "OnError"}, False, id="retries-errors"),
        pytest.param({"limit": 1, "expression": "true"}, False, id="an-expression-decides"),
    ],
)
def test_a_pod_that_could_not_be_made_breaks_what_it_lies_in(strategy: dict[str, object] | None, raised: bool) -> None:
    template = {"name": "t", "container": {}, **({"retryStrategy": strategy} if strategy else {})}
    call = Call(id="main", name="", kind=CallKind.POD, template="t", source={})
    attempts = (Attempt(phase=Phase.ERROR, message="refused", unmade=True),)
    result = leaf_result(template, call, Outcome(phase=Phase.ERROR, message="refused", attempts=attempts), {})
    assert result is not None
    assert (result.phase, result.raised) == (Phase.ERROR, raised)
