from __future__ import annotations

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.jq import run_jq

OBJECT = {"kind": "Pod", "data": {"b": 2.0, "a": [1, "x"]}, "big": 12345678901234567890}


@pytest.mark.parametrize(
    ("program", "want"),
    [
        pytest.param(".kind, .data", 'Pod\n{"a":[1,"x"],"b":2}', id="a-line-each"),
        pytest.param(".data|to_entries[0].key, (keys|length)", "a\n2", id="objects-go-by-key"),
        pytest.param('[paths|join(".")]|join(" ")', "big data data.a data.a.0 data.a.1 data.b kind", id="paths-too"),
        pytest.param(".data.b|tostring", "2", id="a-whole-float-is-whole"),
        pytest.param(".big", "12345678901234567000", id="a-float-has-no-more-digits"),
        pytest.param("[env, $ENV]", "[{},{}]", id="no-environment"),
        pytest.param("def twice: .+.; .kind|twice # ends", "PodPod", id="definitions"),
    ],
)
def test_a_program_gives_what_argo_writes(program: str, want: str) -> None:
    assert run_jq(program, OBJECT) == want


def test_a_broken_program_is_an_error() -> None:
    with pytest.raises(RunError, match=r"the jqFilter '\.a \|' failed: "):
        run_jq(".a |", OBJECT)
