from __future__ import annotations

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.pods.patch import merge_pod_spec, read_patch


@pytest.mark.parametrize(
    ("spec", "patch", "want"),
    [
        pytest.param({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}, id="maps-are-merged"),
        pytest.param({"a": 1}, {"a": None}, {}, id="null-deletes"),
        pytest.param(
            {"tolerations": [1, 2]}, {"tolerations": [3]}, {"tolerations": [3]}, id="lists-without-a-key-are-replaced"
        ),
        pytest.param(
            {"containers": [{"name": "main", "image": "a", "env": [{"name": "X", "value": "1"}]}]},
            {"containers": [{"name": "main", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "3"}]}]},
            {"containers": [{"name": "main", "image": "a", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "3"}]}]},
            id="containers-by-name-env-by-name",
        ),
        pytest.param(
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"containers": [{"name": "new"}]},
            {"containers": [{"name": "new"}, {"name": "a"}, {"name": "b"}]},
            id="a-new-element-goes-first",
        ),
        pytest.param(
            {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
            {"containers": [{"name": "b", "x": 1}]},
            {"containers": [{"name": "a"}, {"name": "b", "x": 1}, {"name": "c"}]},
            id="a-patched-element-stays-where-it-is",
        ),
        pytest.param(
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": [{"name": "b"}]},
            id="delete-an-element",
        ),
        pytest.param(
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}]},
            {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
            id="retain-keys",
        ),
        pytest.param(
            {"securityContext": {"runAsUser": 1, "fsGroup": 2}},
            {"securityContext": {"$patch": "replace", "runAsUser": 3}},
            {"securityContext": {"runAsUser": 3}},
            id="replace-a-map",
        ),
        pytest.param(
            {"containers": [{"name": "m", "volumeMounts": [{"mountPath": "/a", "name": "x"}], "args": ["1"]}]},
            {"containers": [{"name": "m", "volumeMounts": [{"mountPath": "/b", "name": "y"}], "args": ["2"]}]},
            {
                "containers": [
                    {
                        "name": "m",
                        "volumeMounts": [{"mountPath": "/b", "name": "y"}, {"mountPath": "/a", "name": "x"}],
                        "args": ["2"],
                    }
                ]
            },
            id="mounts-by-path-args-replaced",
        ),
        pytest.param(
            {"imagePullSecrets": [{"name": "a"}], "hostAliases": [{"ip": "1", "hostnames": ["x"]}]},
            {"imagePullSecrets": [{"name": "b"}], "hostAliases": [{"ip": "1", "hostnames": ["y"]}]},
            {"imagePullSecrets": [{"name": "b"}, {"name": "a"}], "hostAliases": [{"ip": "1", "hostnames": ["y"]}]},
            id="secrets-by-name-aliases-by-address",
        ),
    ],
)
def test_merges_as_kubernetes_does(spec: Json, patch: Json, want: Json) -> None:
    assert merge_pod_spec(spec, patch) == want


def test_an_element_without_its_key_is_refused() -> None:
    with pytest.raises(RunError) as caught:
        merge_pod_spec({}, {"containers": [{"image": "x"}]})
    assert str(caught.value) == "an element of the patch's containers has no 'name', by which it is merged"


def test_a_patch_is_read_as_argo_reads_yaml() -> None:
    assert read_patch('{"a": "x"}') == {"a": "x"}
    assert read_patch("a:\n  b: 010\n  c: yes\n") == {"a": {"b": 8, "c": True}}


@pytest.mark.parametrize("text", ["- a", "a", "a: 1\n---\nb: 2"])
def test_a_patch_that_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(RunError) as caught:
        read_patch(text)
    assert str(caught.value) == f"podSpecPatch must be one map of pod spec fields, and is: {text}"
