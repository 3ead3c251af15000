from __future__ import annotations

import pytest

from argo_yaml_provider.plan.items import expand, expand_one
from argo_yaml_provider.plan.nodes import Json

ARGUMENTS = {"parameters": [{"name": "m", "value": "{{item}}-{{inputs.parameters.x}}"}]}
SCOPE = {"inputs.parameters.x": "y"}


@pytest.mark.parametrize("dag", [False, True], ids=["step", "task"])
@pytest.mark.parametrize(
    "loop",
    [
        pytest.param({"withItems": ["a", {"k": 1}, 2.50, [1, "b"]]}, id="items"),
        pytest.param({"withParam": '["a", "b", "c"]'}, id="param"),
        pytest.param({"withSequence": {"count": "3"}}, id="sequence"),
        pytest.param({}, id="no-loop"),
    ],
)
def test_one_turn_is_as_all_of_them_have_it(loop: Json, *, dag: bool) -> None:
    step = {"name": "s", "template": "t", "arguments": ARGUMENTS, **loop}
    turns = expand(step, SCOPE, dag=dag)
    assert [expand_one(step, SCOPE, turn.index, dag=dag) for turn in turns] == turns
    assert expand_one(step, SCOPE, len(turns), dag=dag) is None
