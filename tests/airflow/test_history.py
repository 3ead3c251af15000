"""CronWorkflows in a full Airflow: its scheduler makes the runs, and a backfill makes those of a month."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes

Runs = list[dict[str, Any]]
SCRIPT = Path(__file__).with_name("cron_runs.py")
CRON = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {{name: {name}}}
spec:
  schedules: ["{schedule}"]
  {policy}
  workflowSpec:
    entrypoint: main
    arguments: {{parameters: [{{name: region, value: south}}]}}
    templates:
    - name: main
      steps:
      - - name: wait
          template: wait
          arguments: {{parameters: [{{name: of, value: "{{{{workflow.name}}}} {{{{workflow.scheduledTime}}}} {region}"}}]}}
    - name: wait
      inputs: {{parameters: [{{name: of}}]}}
      suspend: {{duration: {wait}}}
"""
LONG, SHORT = "1h", "1ms"
SLOTS = 3


def cron(name: str, schedule: str, *, policy: str = "", wait: str = SHORT) -> str:
    return CRON.format(name=name, schedule=schedule, policy=policy, wait=wait, region="{{workflow.parameters.region}}")


def four(schedule: str) -> tuple[str, ...]:
    """One of each policy."""
    return (
        cron("prompt", schedule),
        cron("forbids", schedule, policy="concurrencyPolicy: Forbid", wait=LONG),
        cron("replaces", schedule, policy="concurrencyPolicy: Replace", wait=LONG),
        cron("stops", schedule, policy='stopStrategy: {expression: "cronworkflow.succeeded > 0"}'),
    )


def runs_of(folder: Path, *documents: str, period: int, backfill: tuple[str, ...] = ()) -> dict[str, Runs]:
    (folder / "crons.yaml").write_text("---".join(documents))
    with EmbeddedKubernetes() as cluster:
        words = [SCRIPT, folder / "crons.yaml", folder / "home", cluster.kubeconfig, period, SLOTS, *backfill]
        command = [sys.executable, *map(str, words)]
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=900).stdout
    return dict(json.loads(said))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Runs]:
    """What became of schedules of five seconds, while a month was backfilled."""
    nightly = cron("nightly", "30 2 * * *", policy="concurrencyPolicy: Forbid")
    backfill = ("nightly", "2026-03-01", "2026-03-30T12:00:00", "30")
    return runs_of(tmp_path_factory.mktemp("crons"), *four("@every 5s"), nightly, period=5, backfill=backfill)


def told(run: dict[str, Any]) -> str:
    """What the run's step was told of its workflow."""
    return str(next(node["inputs"]["parameters"]["of"] for node in run["nodes"] if node["type"] == "Suspend"))


def slot_of(run: dict[str, Any]) -> str:
    return datetime.fromtimestamp(run["slot"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_slots_are_run_on_time_and_by_their_policies(found: dict[str, Runs]) -> None:
    check(found, period=5)


@pytest.mark.cluster
def test_slots_of_each_minute_too(tmp_path: Path) -> None:
    """Three minutes: not for every day."""
    check(runs_of(tmp_path, *four("* * * * *"), period=60), period=60)


def check(found: dict[str, Runs], *, period: int) -> None:
    for runs in (found[name] for name in ("prompt", "forbids", "replaces", "stops")):
        times = [run["slot"] for run in runs]
        assert times == [times[0] // period * period + number * period for number in range(SLOTS)]
        assert all(run["started"] >= run["slot"] for run in runs)

    prompt = found["prompt"]
    assert [(run["name"], run["phase"]) for run in prompt] == [(f"prompt-{run['slot']}", "Succeeded") for run in prompt]
    assert [told(run) for run in prompt] == [f"prompt-{run['slot']} {slot_of(run)} south" for run in prompt]

    first, *skipped = found["forbids"]
    assert (first["state"], first["phase"]) == ("running", "Running")
    reason = f"slot skipped: concurrencyPolicy Forbid, and scheduled__{slot_of(first).replace('Z', '+00:00')} still runs"
    told_of = [(run["state"], run["phase"], run["message"], run["nodes"]) for run in skipped]
    assert told_of == [("success", "Skipped", reason, [])] * 2

    *replaced, last = found["replaces"]
    assert (last["state"], last["phase"]) == ("running", "Running")
    ended = [(run["state"], run["phase"], run["message"]) for run in replaced]
    assert ended == [("failed", "Failed", "Stopped with strategy 'Terminate'")] * 2

    phases = [run["phase"] for run in found["stops"]]
    assert phases[0] == "Succeeded"
    assert phases == sorted(phases, reverse=True)  # after the first slot that is skipped, all are


def test_a_backfill_of_a_month_gives_each_run_its_slot_and_the_parameters(found: dict[str, Runs]) -> None:
    month = sorted((run for run in found["nightly"] if run["type"] == "backfill"), key=lambda run: int(run["slot"]))
    assert [slot_of(run) for run in month] == [f"2026-03-{day:02}T02:30:00Z" for day in range(1, 31)]
    assert {run["phase"] for run in month} == {"Succeeded"}
    assert [told(run) for run in month] == [f"nightly-{run['slot']} {slot_of(run)} north" for run in month]
    moments = [(run["started"], 1) for run in month] + [(run["ended"], -1) for run in month]
    going_on = [sum(step for _, step in sorted(moments)[:count]) for count in range(len(moments))]
    assert max(going_on) <= 4
