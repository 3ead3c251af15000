from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.pods.affinity import on_other_hosts
from argo_yaml_provider.pods.build import build_pod
from argo_yaml_provider.pods.settings import PodSettings

FACTS = RunFacts(name="wf-abcde", namespace="ns", uid="u", created_at="2026-01-01T00:00:00Z")


def pod(decision: Decision, settings: PodSettings | None = None) -> Json:
    return build_pod(decision, facts=FACTS, settings=settings or PodSettings(), name="the-pod", labels={"own": "label"})


def spec(template: Json, workflow: Json | None = None, boundary: Json | None = None, **fields: Any) -> Json:
    template = {"name": "t", "container": {"image": "i", "command": ["c"]}, **template}
    decision = Decision(node="wf-abcde.t", template=template, workflow=workflow or {}, boundary=boundary or {}, **fields)
    built: Json = pod(decision)["spec"]
    return built


def test_a_plain_step_is_a_plain_pod() -> None:
    decision = Decision(node="wf-abcde", template={"name": "t", "container": {"image": "i", "command": ["c"], "args": ["a"]}})
    assert pod(decision) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "the-pod",
            "namespace": "ns",
            "labels": {
                "workflows.argoproj.io/workflow": "wf-abcde",
                "workflows.argoproj.io/completed": "false",
                "own": "label",
            },
            "annotations": {
                "workflows.argoproj.io/node-name": "wf-abcde",
                "workflows.argoproj.io/node-id": "wf-abcde",
                "kubectl.kubernetes.io/default-container": "main",
            },
        },
        "spec": {
            "shareProcessNamespace": True,
            "restartPolicy": "Never",
            "containers": [
                {
                    "image": "i",
                    "command": ["c"],
                    "args": ["a"],
                    "name": "main",
                    "env": [
                        {"name": "ARGO_CONTAINER_NAME", "value": "main"},
                        {"name": "ARGO_NODE_ID", "value": "wf-abcde"},
                        {"name": "ARGO_INCLUDE_SCRIPT_OUTPUT", "value": "false"},
                        {"name": "ARGO_WORKFLOW_NAME", "value": "wf-abcde"},
                    ],
                }
            ],
        },
    }


def test_a_step_that_speaks_of_its_progress_has_a_file_to_write_it_to() -> None:
    built = spec({"container": {"image": "i", "command": ["sh", "-c", "echo 1/2 > $ARGO_PROGRESS_FILE"]}})
    (main,) = built["containers"]
    assert main["env"][0] == {"name": "ARGO_PROGRESS_FILE", "value": "/var/run/argo-progress/progress"}
    assert main["volumeMounts"] == [{"name": "argo-progress", "mountPath": "/var/run/argo-progress"}]
    assert built["volumes"] == [{"name": "argo-progress", "emptyDir": {}}]


def test_a_script_is_a_file_and_its_path_the_last_argument() -> None:
    template = {"name": "t", "script": {"image": "i", "command": ["sh"], "args": ["-x"], "source": "echo $HOME\n"}}
    built = pod(Decision(node="n", template=template))
    main = built["spec"]["containers"][0]
    assert built["metadata"]["annotations"]["argo-yaml-provider/script"] == "echo $HOME\n"
    assert main["args"] == ["-x", "/argo/staging/script"]
    assert "source" not in main
    assert main["volumeMounts"] == [{"name": "argo-staging", "mountPath": "/argo/staging"}]
    assert built["spec"]["volumes"][0]["downwardAPI"]["defaultMode"] == 0o755


@pytest.mark.parametrize(
    ("source", "want"),
    [
        pytest.param("kill $$", "kill $", id="two-are-one"),
        pytest.param("$$$$ $$$", "$$ $$", id="from-the-left"),
        pytest.param("$$(HOME) $(HOME) ${HOME}$$x", "$(HOME) $(HOME) ${HOME}$x", id="names-stay"),
        pytest.param("echo $(echo $$)", "echo $(echo $$)", id="not-inside-a-name"),
        pytest.param("$$ " + "x" * 131_072, "$$ " + "x" * 131_072, id="not-in-a-long-template"),
    ],
)
def test_a_scripts_dollars_are_those_of_an_environment_variable(source: str, want: str) -> None:
    decision = Decision(
        node="wf-abcde.t", template={"name": "t", "script": {"image": "i", "command": ["sh"], "source": source}}
    )
    assert pod(decision)["metadata"]["annotations"]["argo-yaml-provider/script"] == want


def test_a_script_without_a_source_is_a_container() -> None:
    built = spec({"container": None, "script": {"image": "i", "args": ["echo", "x"]}})
    assert built["containers"][0]["args"] == ["echo", "x"]


def test_a_script_that_no_pod_can_carry_is_refused() -> None:
    template = {"name": "t", "script": {"image": "i", "command": ["sh"], "source": "x" * 250_001}}
    with pytest.raises(RunError) as caught:
        pod(Decision(node="n", template=template))
    assert caught.value.message == "the script of template 't' is 250001 bytes long; a pod carries at most 250000"


@pytest.mark.parametrize("field", ["nodeSelector", "affinity", "tolerations"])
@pytest.mark.parametrize(
    ("template", "boundary", "want"), [(True, True, "template"), (False, True, "boundary"), (False, False, "workflow")]
)
def test_where_it_runs_is_said_by_template_boundary_workflow_in_that_order(
    field: str, template: bool, boundary: bool, want: str
) -> None:
    def value(owner: str) -> Any:
        return [{"key": owner}] if field == "tolerations" else {"owner": owner}

    built = spec(
        {field: value("template")} if template else {},
        {field: value("workflow")},
        {field: value("boundary")} if boundary else {},
    )
    assert built[field] == value(want)


@pytest.mark.parametrize(
    ("field", "own", "shared"),
    [
        ("schedulerName", {"schedulerName": "a"}, {"schedulerName": "b"}),
        ("priorityClassName", {"priorityClassName": "a"}, {"podPriorityClassName": "b"}),
        ("securityContext", {"securityContext": {"runAsUser": 1}}, {"securityContext": {"fsGroup": 2}}),
        ("serviceAccountName", {"serviceAccountName": "a"}, {"serviceAccountName": "b"}),
        ("automountServiceAccountToken", {"automountServiceAccountToken": False}, {"automountServiceAccountToken": True}),
        ("resources", {"podResources": {"limits": {"cpu": "1"}}}, {"podResources": {"limits": {"cpu": "2"}}}),
        ("resourceClaims", {"resourceClaims": [{"name": "a"}]}, {"resourceClaims": [{"name": "b"}]}),
    ],
)
def test_a_templates_field_replaces_the_workflows(field: str, own: Json, shared: Json) -> None:
    assert spec(own, shared)[field] == next(iter(own.values()))
    assert spec({}, shared)[field] == next(iter(shared.values()))


@pytest.mark.parametrize("own", [True, False], ids=["the-templates", "the-workflows"])
def test_the_executors_account_gives_no_container_a_token_that_the_step_is_not_to_have(own: bool) -> None:
    step = {"outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "/p"}}]}, "automountServiceAccountToken": False}
    executor = {"executor": {"serviceAccountName": "waits"}}
    built = spec({**step, **executor} if own else step, {} if own else executor)
    assert built["automountServiceAccountToken"] is False
    assert built == spec(step)


def test_fields_of_the_workflow_alone_and_aliases_of_both() -> None:
    workflow = {
        "imagePullSecrets": [{"name": "s"}],
        "hostNetwork": True,
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["1.1.1.1"]},
        "hostAliases": [{"ip": "1"}],
    }
    built = spec({"hostAliases": [{"ip": "2"}]}, workflow)
    assert {name: built[name] for name in workflow} == {**workflow, "hostAliases": [{"ip": "1"}, {"ip": "2"}]}


def test_a_pod_gets_the_workflows_volumes_that_it_mounts_and_all_of_its_template() -> None:
    workflow = {
        "volumes": [{"name": "used", "emptyDir": {}}, {"name": "unused", "emptyDir": {}}, {"name": "own", "secret": {}}],
        "volumeClaimTemplates": [{"metadata": {"name": "work"}}],
    }
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("used", "own", "work")]
    built = spec(
        {"volumes": [{"name": "own", "emptyDir": {}}], "container": {"image": "i", "command": ["c"], "volumeMounts": mounts}},
        workflow,
    )
    assert built["volumes"] == [
        {"name": "own", "emptyDir": {}},
        {"name": "used", "emptyDir": {}},
        {"name": "work", "persistentVolumeClaim": {"claimName": "wf-abcde-work"}},
    ]


def test_an_unknown_volume_is_refused_in_argos_words() -> None:
    mounts = [{"name": "nowhere", "mountPath": "/x"}]
    with pytest.raises(RunError) as caught:
        spec({"container": {"image": "i", "command": ["c"], "volumeMounts": mounts}}, {"volumes": [{"name": "v"}]})
    assert str(caught.value) == (
        "volume 'nowhere' not found in workflow spec\n   = help: declare it in spec.volumes or the template's; declared: v"
    )


def test_sidecars_and_init_containers_may_have_mains_mounts() -> None:
    template = {
        "container": {"image": "i", "command": ["c"], "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        "volumes": [{"name": "v", "emptyDir": {}}],
        "sidecars": [{"name": "s", "image": "i", "mirrorVolumeMounts": True}],
        "initContainers": [{"name": "first", "image": "i"}],
    }
    built = spec(template)
    assert [container["name"] for container in built["containers"]] == ["main", "s"]
    assert built["containers"][1]["volumeMounts"] == [{"name": "v", "mountPath": "/v"}]
    assert "mirrorVolumeMounts" not in built["containers"][1]
    assert "volumeMounts" not in built["initContainers"][0]


def test_labels_and_annotations_of_template_over_workflow_over_deployment() -> None:
    settings = PodSettings(
        labels={"a": "deployment", "b": "deployment"}, pod_template={"metadata": {"labels": {"t": "template"}}}
    )
    template = {
        "name": "t",
        "container": {"image": "i", "command": ["c"]},
        "metadata": {"labels": {"c": "template"}, "annotations": {"x": "template"}},
    }
    workflow = {"podMetadata": {"labels": {"b": "workflow", "c": "workflow"}, "annotations": {"x": "workflow"}}}
    metadata = pod(Decision(node="n", template=template, workflow=workflow), settings)["metadata"]
    assert {name: metadata["labels"][name] for name in "abct"} == {
        "a": "deployment",
        "b": "workflow",
        "c": "template",
        "t": "template",
    }
    assert metadata["annotations"]["x"] == "template"


def test_patches_come_last_the_workflows_first() -> None:
    built = spec(
        {"podSpecPatch": '{"containers": [{"name": "main", "resources": {"limits": {"cpu": "2"}}}]}'},
        {"podSpecPatch": "terminationGracePeriodSeconds: 5\ncontainers: [{name: main, resources: {limits: {memory: 1Gi}}}]"},
    )
    assert built["terminationGracePeriodSeconds"] == 5
    assert built["containers"][0]["resources"] == {"limits": {"cpu": "2", "memory": "1Gi"}}


@pytest.mark.parametrize("patch", ['{"containers"}', "containers: [{name: main, $patch: delete}]"])
def test_a_patch_that_leaves_no_container_is_refused(patch: str) -> None:
    with pytest.raises(RunError) as caught:
        spec({"podSpecPatch": patch})
    assert caught.value.message == f"podSpecPatch leaves no container: {patch}"


def test_the_deployments_pod_template_lies_under_the_pod() -> None:
    template = {
        "spec": {
            "tolerations": [{"key": "spot"}],
            "nodeSelector": {"pool": "airflow"},
            "containers": [{"name": "base", "image": "ignored", "env": [{"name": "PROXY", "value": "p"}]}, {"name": "mesh"}],
        }
    }
    decision = Decision(node="n", template={"name": "t", "container": {"image": "i", "command": ["c"]}})
    built = pod(decision, PodSettings(pod_template=template))["spec"]
    assert (built["tolerations"], built["nodeSelector"]) == ([{"key": "spot"}], {"pool": "airflow"})
    assert [(container["name"], container.get("image")) for container in built["containers"]] == [("main", "i"), ("mesh", None)]
    assert {"name": "PROXY", "value": "p"} in built["containers"][0]["env"]


def test_the_pods_own_name_stands_where_the_text_speaks_of_it() -> None:
    template = {"name": "t", "container": {"image": "i", "command": ["echo", "{{pod.name}}", "wf-abcde-t-1053371439"]}}
    built = pod(Decision(node="wf-abcde[0].a", template=template))
    assert built["spec"]["containers"][0]["command"][:2] == ["echo", "the-pod"]


def test_a_deadline_is_whole_seconds_and_at_least_one() -> None:
    assert spec({}, deadline_seconds=10.2)["activeDeadlineSeconds"] == 11
    assert spec({}, deadline_seconds=0.1)["activeDeadlineSeconds"] == 1


def test_a_captured_step_is_supervised_and_the_supervisor_comes_first() -> None:
    template = {"outputs": {"parameters": [{"name": "a", "valueFrom": {"path": "/tmp/$(x)"}}, {"name": "b", "value": "fixed"}]}}
    built = spec(template, include_result=True)
    first, main = built["containers"]
    assert (first["name"], main["name"]) == ("supervisor", "main")
    assert main["command"] == ["/var/run/argo/supervise"]
    assert main["args"] == ["--limit", "3072", "--result", "--output", "/tmp/$$(x)", "--", "c"]
    assert first["volumeMounts"] == main["volumeMounts"] == [{"name": "var-run-argo", "mountPath": "/var/run/argo"}]


@pytest.mark.parametrize(
    ("pod_level", "own", "want"),
    [
        ({}, {}, {}),
        ({"runAsNonRoot": True}, {}, {"runAsUser": 65534}),
        ({"runAsNonRoot": True, "runAsUser": 7}, {}, {}),
        ({}, {"runAsUser": 5, "runAsNonRoot": True}, {"runAsUser": 5, "runAsNonRoot": True}),
    ],
)
def test_the_supervisor_runs_as_main_does(pod_level: Json, own: Json, want: Json) -> None:
    container = {"image": "i", "command": ["c"], **({"securityContext": own} if own else {})}
    built = spec({"container": container, **({"securityContext": pod_level} if pod_level else {})}, include_result=True)
    assert built["containers"][0]["securityContext"] == {
        **want,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


@pytest.mark.parametrize(
    ("images", "args", "want"),
    [
        ({"i": {"entrypoint": ["/e"], "cmd": ["x"]}}, None, ["/e", "x"]),
        ({"i": {"entrypoint": ["/e"], "cmd": ["x"]}}, ["own"], ["/e", "own"]),
        ({"i": {"entrypoint": ["/e"], "cmd": ["x"]}}, [], ["/e"]),
        ({"i": {"cmd": ["sh"]}}, None, ["sh"]),
    ],
)
def test_a_supervised_image_without_command_starts_its_entrypoint(
    images: Json, args: list[str] | None, want: list[str]
) -> None:
    container = {"image": "i", **({} if args is None else {"args": args})}
    decision = Decision(node="n", template={"name": "t", "container": container}, include_result=True)
    main = pod(decision, PodSettings(images=images))["spec"]["containers"][1]
    assert main["args"][main["args"].index("--") + 1 :] == want


def test_an_entrypoint_that_nobody_knows_is_asked_for() -> None:
    decision = Decision(node="n", template={"name": "t", "container": {"image": "odd:1"}}, include_result=True)
    with pytest.raises(RunError) as caught:
        pod(decision)
    assert str(caught.value) == (
        "the step's outputs are captured, and what image 'odd:1' starts is not known\n"
        "   = help: give the container a `command`, or list the image in [argo_yaml] images: "
        '{"odd:1": {"entrypoint": […], "cmd": […]}}'
    )


def test_a_retry_keeps_off_the_nodes_where_it_failed() -> None:
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    keep_off = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["n1", "n2"]}
    built = on_other_hosts({"spec": {"affinity": affinity}}, ["n1", "n2", "n1", ""])
    terms = built["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [{"matchExpressions": [{"key": "a", "operator": "Exists"}, keep_off]}]
    bare = on_other_hosts({"spec": {}}, ["n1", "n2"])
    assert bare["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == {
        "nodeSelectorTerms": [{"matchExpressions": [keep_off]}]
    }
    assert on_other_hosts({"spec": {}}, [""]) == {"spec": {}}
