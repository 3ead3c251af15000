"""A template's own `failFast`: what is judged, and what not, once a member has failed."""

from __future__ import annotations

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from tests.flow.test_flow import ended, phases, played

FAILS = "arguments: {parameters: [{name: m, value: Failed}]}"
AFTER_A_FAILURE = """
  templates:
  - name: main
    failFast: true
    dag:
      tasks:
      - {name: a, CALL}
      - {name: b, template: leaf, depends: a.Succeeded}
      - {name: c, template: leaf, depends: a.Failed}
  - name: fails
    steps: [[{name: x, template: leaf, FAILS}]]
  - name: tries
    retryStrategy: {limit: 1}
    container: {image: busybox, command: [echo]}
""".replace("FAILS", FAILS)


@pytest.mark.parametrize(
    ("call", "nodes"),
    [
        pytest.param(f"template: leaf, {FAILS}", {".a": "Failed"}, id="a-pod-leaves-nothing-to-be-judged"),
        pytest.param("template: fails", {".a[0].x": "Failed", ".b": "Omitted"}, id="beside-a-composite-the-omitted-are-seen"),
    ],
)
def test_after_a_failure_fail_fast_judges_no_more_tasks(call: str, nodes: dict[str, str]) -> None:
    assert phases(played(AFTER_A_FAILURE.replace("CALL", call))) == nodes


def test_fail_fast_sees_the_attempts_of_a_retried_step_not_its_end() -> None:
    def once(decision: Decision) -> Attempt:
        return ended(Phase.FAILED if decision.node.endswith("(0)") else Phase.SUCCEEDED)

    run = played(AFTER_A_FAILURE.replace("CALL", "template: tries"), once)
    assert run.flow.verdict().message == "template has failed or errored children and failFast enabled"
