from __future__ import annotations

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
