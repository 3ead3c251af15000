from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.plan.nodes import Json, Plan, TaskKind
from argo_yaml_provider.pods.names import pod_name, task_labels
from argo_yaml_provider.step.pod import pod_key
from argo_yaml_provider.step.run import DELETE_POD, run_task
from tests.step.conftest import LocalHost, settled


def plan_of(text: str) -> Plan:
    (plan,) = compile_text(textwrap.dedent(text))
    return plan


def workflow(templates: str, spec: str = "") -> Plan:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\nspec:\n  entrypoint: main\n"
    body = textwrap.dedent(spec) + "templates:\n" + textwrap.dedent(templates)
    return plan_of(head + textwrap.indent(body, "  "))


async def run_all(host: LocalHost, plan: Plan) -> Outcome:
    """Every task of a plan without run-time loops, one after the other, as a scheduler would."""
    host.plan = plan
    last = Outcome(phase=Phase.ERROR)
    for task in plan.tasks:
        if task.kind is TaskKind.JOIN:
            continue
        host.task_id, host.ended = task.id, ()
        while (ended := await run_task(host)).retry_after is not None:  # noqa: ASYNC110 - a delay, no poll
            await asyncio.sleep(ended.retry_after)
        last = host.outcomes[task.id, -1] = ended.outcome
    return last


async def pods_of(host: LocalHost) -> list[Json]:
    return await host.kube.list_pods(host.facts.namespace, task_labels(host.dag_id, host.run_id))


ONE = """
- name: main
  container: {image: busybox, command: [sh, -c, "%s"]}
"""


async def test_a_result_reaches_the_step_that_asks_for_it(host: LocalHost) -> None:
    plan = workflow("""
    - name: main
      steps:
      - - {name: a, template: say, arguments: {parameters: [{name: text, value: hello}]}}
      - - {name: b, template: say, arguments: {parameters: [{name: text, value: "{{steps.a.outputs.result}} again"}]}}
    - name: say
      inputs: {parameters: [{name: text}]}
      container: {image: busybox, command: [echo, "{{inputs.parameters.text}}"]}
    """)
    verdict = await run_all(host, plan)
    assert verdict.phase is Phase.SUCCEEDED
    assert host.logged() == ["hello", "hello again"]


async def test_a_step_that_fails_is_tried_again_by_its_strategy(host: LocalHost) -> None:
    plan = workflow("""
    - name: main
      retryStrategy: {limit: "3"}
      container: {image: busybox, command: [sh, -c, 'echo try {{retries}}; exit $((1 - {{retries}}))']}
    """)
    host.plan, host.task_id = plan, plan.tasks[0].id
    first = await run_task(host)
    assert (first.retry_after, [attempt.phase for attempt in host.ended]) == (0.0, [Phase.FAILED])
    second = await run_task(host)
    assert (second.retry_after, second.outcome.phase) == (None, Phase.SUCCEEDED)
    assert [attempt.exit_code for attempt in second.outcome.attempts] == ["1", "0"]
    assert host.logged() == ["try 0", "try 1"]
    assert len({attempt.pod for attempt in second.outcome.attempts}) == 2


async def test_what_has_ended_is_not_run_again(host: LocalHost) -> None:
    host.plan = workflow(ONE % "echo once")
    host.task_id = host.plan.tasks[0].id
    first, second = await run_task(host), await run_task(host)
    assert first == second
    assert host.logged() == ["once"]


async def test_the_pod_of_a_finished_step_is_deleted(host: LocalHost) -> None:
    host.plan = workflow(ONE % "true")
    host.task_id = host.plan.tasks[0].id
    await run_task(host)
    async with asyncio.timeout(20):
        while await pods_of(host):  # noqa: ASYNC110 - the cluster's doing
            await asyncio.sleep(0.1)


async def test_pod_gc_keeps_the_pod_of_a_step_that_failed(host: LocalHost) -> None:
    host.plan = workflow(ONE % "exit 1", "podGC: {strategy: OnPodSuccess}\n")
    host.task_id = host.plan.tasks[0].id
    await run_task(host)
    async with asyncio.timeout(20):
        while [pod["status"]["phase"] for pod in await pods_of(host)] != ["Failed"]:  # noqa: ASYNC110 - the cluster's doing
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("strategy", ["OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"])
@pytest.mark.parametrize(
    ("selector", "left"),
    [
        pytest.param("{matchLabels: {kind: short}}", 0, id="its-label"),
        pytest.param("{matchLabels: {kind: long}}", 1, id="another-label"),
        pytest.param("{matchExpressions: [{key: kind, operator: In, values: [short, long]}]}", 0, id="in"),
        pytest.param("{matchExpressions: [{key: kind, operator: NotIn, values: [short, long]}]}", 1, id="not-in"),
        pytest.param("{matchExpressions: [{key: kind, operator: Exists}]}", 0, id="exists"),
        pytest.param("{matchLabels: {kind: short}, matchExpressions: [{key: kind, operator: DoesNotExist}]}", 1, id="both"),
    ],
)
async def test_pod_gc_means_the_pods_that_its_selector_chooses(
    host: LocalHost, strategy: str, selector: str, left: int
) -> None:
    labelled = ONE % "true" + "  metadata: {labels: {kind: short}}\n"
    await run_all(host, workflow(labelled, f"podGC: {{strategy: {strategy}, labelSelector: {selector}}}\n"))
    await asyncio.gather(*host.kube._background)
    assert len([pod for pod in await pods_of(host) if "deletionTimestamp" not in pod["metadata"]]) == left


async def test_a_cancelled_step_leaves_its_pod_and_the_next_host_goes_on_with_it(host: LocalHost) -> None:
    host.plan = workflow(ONE % "echo begun; sleep 2; echo ended")
    host.task_id = host.plan.tasks[0].id
    first = asyncio.create_task(run_task(host))
    await settled(lambda: "begun" in host.logged())
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    ended = await run_task(host)
    assert ended.outcome.phase is Phase.SUCCEEDED
    assert host.logged() == ["begun", "begun", "ended"]
    assert sum("created" in line for line in host.logged("")) == 1


async def test_a_step_cancelled_for_good_takes_its_pod_with_it(host: LocalHost) -> None:
    host.plan = workflow(ONE % "echo begun; exec sleep 1000")
    host.task_id = host.plan.tasks[0].id
    task = asyncio.create_task(run_task(host))
    await settled(lambda: "begun" in host.logged())
    task.cancel(DELETE_POD)
    with pytest.raises(asyncio.CancelledError):
        await task
    pods = await pods_of(host)
    assert all("deletionTimestamp" in pod["metadata"] for pod in pods)


async def test_a_clear_starts_another_pod(host: LocalHost) -> None:
    host.plan = workflow(ONE % "echo run")
    host.task_id = host.plan.tasks[0].id
    await run_task(host)
    host.generation, host.ended = 1, ()
    await run_task(host)
    assert host.logged() == ["run", "run"]


async def test_a_pod_that_is_deleted_from_outside_is_an_error(host: LocalHost) -> None:
    host.plan = workflow(ONE % "echo begun; exec sleep 1000")
    host.task_id = host.plan.tasks[0].id
    task = asyncio.create_task(run_task(host))
    await settled(lambda: "begun" in host.logged())
    (pod,) = await pods_of(host)
    path = f"/api/v1/namespaces/{host.facts.namespace}/pods/{pod['metadata']['name']}"
    await host.kube.call("DELETE", path, body={"gracePeriodSeconds": 0})
    ended = await task
    assert (ended.outcome.phase, ended.outcome.message) == (Phase.ERROR, "pod deleted")


async def test_a_deadline_fails_the_step_in_argos_words(host: LocalHost) -> None:
    host.plan = workflow("""
    - name: main
      activeDeadlineSeconds: 2
      podSpecPatch: "terminationGracePeriodSeconds: 1"
      container: {image: busybox, command: [sleep, "1000"]}
    """)
    host.task_id = host.plan.tasks[0].id
    outcome = (await run_task(host)).outcome
    assert (outcome.phase, outcome.message) == (
        Phase.FAILED,
        "Pod was active on the node longer than the specified deadline",
    )


async def test_a_pod_that_cannot_be_built_is_an_error_of_its_step(host: LocalHost) -> None:
    host.plan = workflow("""
    - name: main
      container: {image: busybox, command: ["true"], volumeMounts: [{name: nowhere, mountPath: /x}]}
    """)
    host.task_id = host.plan.tasks[0].id
    outcome = (await run_task(host)).outcome
    assert (outcome.phase, outcome.message) == (
        Phase.ERROR,
        "volume 'nowhere' not found in workflow spec: declare it in spec.volumes or the template's; declared: none",
    )


async def test_an_input_below_a_file_names_artifact_and_remedy(host: LocalHost) -> None:
    host.plan = workflow("""
    - name: main
      inputs: {artifacts: [{name: note, path: /etc/passwd/x, raw: {data: x}}]}
      container: {image: busybox, command: ["true"]}
    """)
    host.task_id = host.plan.tasks[0].id
    outcome = (await run_task(host)).outcome
    assert (outcome.phase, outcome.message.partition(": main: ")[0]) == (
        Phase.FAILED,
        "artifact note: a file is where /etc/passwd/x needs a folder: give it another path",
    )


async def test_config_map_values_are_read_once(host: LocalHost) -> None:
    path = f"/api/v1/namespaces/{host.facts.namespace}/configmaps"
    labels = {"workflows.argoproj.io/configmap-type": "Parameter"}
    await host.kube.call("POST", path, body={"metadata": {"name": "conf", "labels": labels}, "data": {"k": "from the map"}})
    host.plan = workflow(
        """
    - name: main
      container: {image: busybox, command: [echo, "{{workflow.parameters.p}}"]}
    """,
        "arguments: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: conf, key: k}}}]}\n",
    )
    host.task_id = host.plan.tasks[0].id
    await run_task(host)
    assert host.logged() == ["from the map"]
    assert list(host.kept) == ["config_map/conf/k"]


async def test_a_child_that_is_tried_again_is_recorded_and_the_last_is_not(host: LocalHost) -> None:
    plan = workflow("""
    - name: main
      retryStrategy: {limit: "2"}
      steps: [[{name: a, template: t}]]
    - name: t
      container: {image: busybox, command: ["true"]}
    """)
    verdicts = [
        Outcome(phase=Phase.FAILED, message="child 'a' failed", child={"dag_id": "d", "run_id": "1"}),
        Outcome(phase=Phase.SUCCEEDED, child={"dag_id": "d", "run_id": "2"}, values={"phase": "Succeeded"}),
    ]

    async def run_child(_child: str, _name: str, _conf: Json) -> Outcome:
        return verdicts.pop(0)

    host.run_child = run_child  # type: ignore[method-assign, assignment]
    host.plan = plan
    host.task_id = next(task.id for task in plan.tasks if task.kind is TaskKind.STEP)
    first = await run_task(host)
    assert (first.retry_after, len(host.ended)) == (0.0, 1)
    second = await run_task(host)
    assert len(host.ended) == 1
    assert (second.outcome.phase, second.outcome.child) == (Phase.SUCCEEDED, {"dag_id": "d", "run_id": "2"})
    assert [attempt.child and attempt.child["run_id"] for attempt in second.outcome.attempts] == ["1", "2"]


HOST_PROCESS = """
import asyncio, sys
sys.path.insert(0, {root!r})
from tests.step.conftest import LocalHost
from tests.step.test_run import ONE, workflow
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.run import run_task

async def main():
    kube = await Kube.open({kubeconfig!r}, shared=False)
    host = LocalHost(kube=kube, facts=RunFacts(name="wf", namespace={namespace!r}, uid="u", created_at={created!r}))
    host.run_id, host.plan = {run!r}, workflow(ONE % "echo begun; sleep 3; echo ended")
    host.task_id = host.plan.tasks[0].id
    host.log = lambda line, *, container="": print(container, line, flush=True)
    await run_task(host)

asyncio.run(main())
"""


async def test_a_host_killed_while_its_pod_runs_is_followed_by_one_that_takes_the_pod_over(
    host: LocalHost, kubeconfig: str
) -> None:
    text = HOST_PROCESS.format(
        root=str(Path(__file__).parents[2]),
        kubeconfig=kubeconfig,
        namespace=host.facts.namespace,
        created=host.facts.created_at,
        run=host.run_id,
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, stdout=subprocess.PIPE, env=dict(os.environ))
    assert process.stdout
    async with asyncio.timeout(30):
        while "main begun" not in (line := (await process.stdout.readline()).decode()):
            assert line, "the host ended early"
    process.kill()
    await process.wait()
    (pod,) = await pods_of(host)
    host.plan = workflow(ONE % "echo begun; sleep 3; echo ended")
    host.task_id = host.plan.tasks[0].id
    ended = await run_task(host)
    key = pod_key(host, 0)
    assert (ended.outcome.phase, ended.outcome.attempts[-1].pod) == (Phase.SUCCEEDED, pod_name(key))
    assert pod["metadata"]["name"] == pod_name(key)
    assert host.logged() == ["begun", "ended"]
    assert host.logged("")[0].endswith("found: going on with it")
