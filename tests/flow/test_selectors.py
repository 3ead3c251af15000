from __future__ import annotations

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.selectors import read_selector, selects

NODE = {
    "name": "wf[0].a",
    "displayName": "a",
    "template": "work",
    "phase": "Failed",
    "id": "wf-1",
    "inputs": {"parameters": {"x": "1,2"}},
}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("", True, id="nothing-asked"),
        pytest.param("displayName=a", True, id="equal"),
        pytest.param("displayName==a,phase!=Succeeded", True, id="both-hold"),
        pytest.param("displayName=a,phase!=Failed", False, id="one-does-not"),
        pytest.param("templateName=work", True, id="template"),
        pytest.param(r"inputs.parameters.x.value=1\,2", True, id="a-comma-in-a-value"),
        pytest.param("inputs.parameters.y.value=1", False, id="no-such-input"),
    ],
)
def test_a_selector_means_the_nodes_for_which_all_of_it_holds(text: str, want: bool) -> None:
    assert selects(read_selector(text), NODE) is want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("displayName", "the selector 'displayName' cannot be read at 'displayName'"),
        ("colour=red", "nodes have no field 'colour'"),
    ],
)
def test_a_selector_that_says_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(RunError) as caught:
        read_selector(text)
    assert caught.value.message == message
