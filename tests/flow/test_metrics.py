from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.metrics import Kind, Measured, Measurement, MetricScope, measure
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.compile import compile_file
from tests.flow.simulate import Run, facts_of

SCOPE = MetricScope(
    variables={"status": "Succeeded", "duration": "2.500000", "outputs.parameters.n": "7"}, realtime={"duration": 2.5}
)


def metric(**fields: Any) -> dict[str, Any]:
    return {"name": "m", "help": "It measures", **fields}


@pytest.mark.parametrize(
    ("written", "want"),
    [
        pytest.param(metric(counter={"value": "1"}), Measurement(kind=Kind.COUNTER, name="m", value=1), id="counter"),
        pytest.param(metric(gauge={"value": "{{duration}}"}), Measurement(kind=Kind.GAUGE, name="m", value=2.5), id="gauge"),
        pytest.param(
            metric(gauge={"value": "2", "operation": "Sub"}),
            Measurement(kind=Kind.GAUGE, name="m", value=-2, relative=True),
            id="gauge-that-goes-down",
        ),
        pytest.param(
            metric(gauge={"value": "{{duration}}", "realtime": True}),
            Measurement(kind=Kind.GAUGE, name="m", value=2.5),
            id="realtime",
        ),
        pytest.param(
            metric(histogram={"value": "{{outputs.parameters.n}}", "buckets": [1, 5]}),
            Measurement(kind=Kind.HISTOGRAM, name="m", value=7),
            id="histogram",
        ),
        pytest.param(
            metric(counter={"value": "1"}, labels=[{"key": "status", "value": "{{status}}"}], when="{{status}} == Succeeded"),
            Measurement(kind=Kind.COUNTER, name="m", value=1, labels={"status": "Succeeded"}),
            id="labels-and-a-condition-that-holds",
        ),
    ],
)
def test_a_metric_has_its_tags_replaced(written: dict[str, Any], want: Measurement) -> None:
    assert measure([written], SCOPE) == Measured(measurements=(want,))


def test_a_metric_whose_condition_does_not_hold_is_not_sent() -> None:
    assert measure([metric(counter={"value": "1"}, when="{{status}} == Failed")], SCOPE) == Measured()


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        pytest.param(
            {"name": "m", "counter": {"value": "1"}},
            "metric 'm' must contain a help string under 'help: ' field",
            id="no-help",
        ),
        pytest.param(
            metric(counter={"value": "{{exitCode}}"}),
            "unable to substitute parameters for metric 'm': failed to resolve {{exitCode}}",
            id="a-variable-that-is-not-there",
        ),
        pytest.param(metric(counter={"value": "ten"}), "could not construct metric 'm': 'ten' is no number", id="no-number"),
        pytest.param(
            metric(gauge={"value": "nan"}), "could not construct metric 'm': 'nan' is no number", id="nothing-to-plot"
        ),
        pytest.param(
            metric(name="{{status}}-m", counter={"value": "1"}),
            "could not construct metric 'Succeeded-m': metric name is invalid: use letters, digits and '_'",
            id="a-bad-name",
        ),
        pytest.param(
            metric(gauge={"value": "5", "realtime": True}),
            "could not construct metric 'm': real time metrics can only be used with metric variables",
            id="realtime-without-a-variable",
        ),
        pytest.param(
            metric(gauge={"value": "{{status}}", "realtime": True}),
            "could not construct metric 'm': 'status' is not available as a real time metric",
            id="realtime-of-what-does-not-go-on",
        ),
        pytest.param(
            metric(counter={"value": "1"}, when="{{status}}"),
            "unable to compute 'when' clause for metric 'm': Expected boolean evaluation for 'Succeeded'. Got Succeeded",
            id="a-condition-that-is-none",
        ),
    ],
)
def test_what_is_wrong_with_a_metric_is_told_and_the_others_are_sent(written: dict[str, Any], problem: str) -> None:
    good = metric(counter={"value": "1"})
    want = Measurement(kind=Kind.COUNTER, name="m", value=1)
    assert measure([written, good], SCOPE) == Measured(measurements=(want,), problems=(problem,))


WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: measured}
spec:
  entrypoint: main
  arguments: {parameters: [{name: team, value: data}]}
  metrics:
    prometheus:
      - name: runs
        help: runs
        labels:
          - {key: status, value: "{{workflow.status}}"}
          - {key: team, value: "{{workflow.parameters.team}}"}
        counter: {value: "1"}
  templates:
    - name: main
      metrics:
        prometheus:
          - {name: seconds, help: of all, gauge: {value: "{{duration}}"}}
      steps:
        - - {name: flaky, template: flaky}
          - {name: never, template: flaky, when: "1 == 2"}
          - {name: many, template: item, withItems: [a, b], arguments: {parameters: [{name: x, value: "{{item}}"}]}}
    - name: flaky
      retryStrategy: {limit: 2}
      metrics:
        prometheus:
          - name: tries
            help: tries
            labels: [{key: status, value: "{{status}}"}, {key: code, value: "{{exitCode}}"}]
            counter: {value: "1"}
          - {name: retried, help: at the end, when: "{{status}} == Succeeded", gauge: {value: "{{retries}}"}}
      container: {image: busybox, command: ["true"]}
    - name: item
      inputs: {parameters: [{name: x}]}
      metrics:
        prometheus:
          - name: size
            help: size
            labels: [{key: item, value: "{{inputs.parameters.x}}"}]
            histogram: {value: "{{resourcesDuration.cpu}}", buckets: [1, 10]}
      container: {image: busybox, command: ["true"]}
"""


class Pods:
    """The step `flaky` fails once; each pod takes three seconds."""

    def __init__(self) -> None:
        self.failures = 1

    def __call__(self, decision: Decision) -> Attempt:
        times: dict[str, Any] = {"started_at": "2026-11-23T10:00:00Z", "finished_at": "2026-11-23T10:00:03Z"}
        if decision.template["name"] == "flaky" and self.failures:
            self.failures -= 1
            return Attempt(phase=Phase.FAILED, exit_code="3", **times)
        return Attempt(phase=Phase.SUCCEEDED, exit_code="0", resources={"cpu": 4, "memory": 2}, **times)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "w.yaml").write_text(WORKFLOW)
    (plan,) = compile_file(tmp_path / "w.yaml")
    run = Run(plan, facts_of(plan), Pods())
    run.go()
    return run


def values(found: Measured) -> list[tuple[str, float, dict[str, str]]]:
    assert not found.problems
    return [(one.name, one.value, dict(one.labels)) for one in found.measurements]


def test_a_retried_step_measures_each_attempt_and_in_the_end_itself(run: Run) -> None:
    outcome = run.outcomes["flaky", -1]
    first = Outcome(phase=Phase.FAILED, attempts=outcome.attempts[:1])
    failed = run.flow.measure("flaky", -1, first, again=True)
    assert failed == Measured(
        measurements=(Measurement(kind=Kind.COUNTER, name="tries", value=1, labels={"status": "Failed", "code": "3"}),),
        # As in Argo, an attempt has no `retries`: only the step as a whole does.
        problems=("unable to substitute parameters for metric 'retried': failed to resolve {{retries}}",),
    )
    over = run.flow.measure("flaky", -1, outcome, again=False)
    assert values(over) == [("tries", 1, {"status": "Succeeded", "code": "0"}), ("retried", 1, {})]


def test_what_did_not_run_measures_nothing(run: Run) -> None:
    assert run.flow.measure("never", -1, run.outcomes["never", -1], again=False) == Measured()


def test_every_turn_of_a_loop_measures_with_its_own_inputs(run: Run) -> None:
    turns = [task.id for task in run.plan.tasks if task.id.startswith("many")]
    found = [values(run.flow.measure(task, -1, run.outcomes[task, -1], again=False)) for task in turns]
    assert found == [[("size", 4, {"item": "a"})], [("size", 4, {"item": "b"})]]


def test_the_verdict_measures_composites_and_the_workflow(run: Run) -> None:
    found = run.flow.measure_run(run.flow.verdict())
    assert values(found) == [("seconds", 3, {}), ("runs", 1, {"status": "Succeeded", "team": "data"})]


def test_a_lone_step_has_a_verdict_where_the_workflow_measures(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKFLOW.replace("entrypoint: main", "entrypoint: flaky"))
    (plan,) = compile_file(tmp_path / "w.yaml")
    assert [task.id for task in plan.tasks] == ["flaky", "verdict"]
