from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.source import read_text
from argo_yaml_provider.spec.load import load_all, load_documents

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: a-}\n"


def spec_of(text: str) -> Any:
    return load_documents(read_text(HEAD + text))[0].json["spec"]


@pytest.mark.parametrize(
    ("written", "want"),
    [
        ("3", "3"),
        ("1.10", "1.1"),
        ("yes", "true"),
        ("'yes'", "yes"),
        ("1e21", "1000000000000000000000"),
        ("''", ""),
        ("0755", "493"),
    ],
)
def test_parameter_value_is_any_scalar_as_text(written: str, want: str) -> None:
    spec = spec_of(
        f"spec: {{arguments: {{parameters: [{{name: p, value: {written}, default: {written}, enum: [{written}]}}]}}}}"
    )
    assert spec["arguments"]["parameters"] == [{"name": "p", "default": want, "value": want, "enum": [want]}]


def test_null_counts_as_absent() -> None:
    assert spec_of(
        "spec: {entrypoint: null, templates: [{name: a, suspend: null, container: {image: b, args: [null, c]}}]}"
    ) == {"templates": [{"name": "a", "container": {"args": ["", "c"], "image": "b"}}]}


def test_number_or_text_is_kept_as_it_is() -> None:
    spec = spec_of(
        "spec: {templates: [{name: a, activeDeadlineSeconds: 5, retryStrategy: {limit: '2'}, container: {image: b}}]}"
    )
    assert spec["templates"][0]["activeDeadlineSeconds"] == 5
    assert spec["templates"][0]["retryStrategy"] == {"limit": "2"}


def test_items_keep_their_json() -> None:
    items = "[1, 2.0, yes, [x, null], {b: {c: null}, a: null}]"
    spec = spec_of(f"spec: {{templates: [{{name: a, steps: [[{{name: s, template: a, withItems: {items}}}]]}}]}}")
    assert spec["templates"][0]["steps"][0][0]["withItems"] == [1, 2, True, ["x", None], {"b": {}}]


def test_quantities_become_text() -> None:
    resources = "{limits: {cpu: 1, memory: 64Mi, gpu: 1e3}, requests: {cpu: 0.5}}"
    spec = spec_of(f"spec: {{templates: [{{name: a, container: {{image: b, resources: {resources}}}}}]}}")
    assert spec["templates"][0]["container"]["resources"] == {
        "limits": {"cpu": "1", "gpu": "1000", "memory": "64Mi"},
        "requests": {"cpu": "0.5"},
    }


def test_fields_stand_in_the_order_of_gos_structs_and_maps_by_key() -> None:
    spec = spec_of("spec: {nodeSelector: {b: '1', a: '2'}, arguments: {parameters: [{value: x, name: p}]}, entrypoint: m}")
    assert list(spec) == ["entrypoint", "arguments", "nodeSelector"]
    assert list(spec["nodeSelector"]) == ["a", "b"]
    assert list(spec["arguments"]["parameters"][0]) == ["name", "value"]


def test_names_of_the_object_are_read() -> None:
    (resource,) = load_documents(
        read_text("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w, namespace: ns}\n")
    )
    assert (resource.kind, resource.name, resource.generate_name, resource.namespace, resource.is_argo) == (
        "Workflow",
        "w",
        "",
        "ns",
        True,
    )


def test_other_kubernetes_objects_are_kept_untouched() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {unknown: 1}\n"
    (resource,) = load_documents(read_text(text))
    assert (resource.is_argo, resource.json["data"]) == (False, {"unknown": 1})


def test_place_of_a_part_of_a_text() -> None:
    text = (
        HEAD + "spec:\n  templates:\n  - name: a\n    script:\n      image: b\n      source: |\n        one\n        {{two}}\n"
    )
    (resource,) = load_documents(read_text(text, "f.yaml"))
    pos = resource.at(("spec", "templates", 0, "script", "source"), offset=4, length=7)
    assert (str(pos), pos.text, pos.width) == ("f.yaml:11:9", "        {{two}}", 7)


def test_all_problems_of_all_documents_are_raised_together() -> None:
    text = HEAD + "spec: {entrypont: a}\n---\n" + HEAD + "spec: {entrypoint: [a]}\n"
    with pytest.raises(SpecError) as caught:
        load_documents(read_text(text))
    assert [(one.pos.line, one.code) for one in caught.value.problems] == [(4, "unknown-field"), (9, "wrong-type")]


def test_field_that_says_nothing_is_not_refused() -> None:
    loaded = load_all(read_text(HEAD + "spec: {executorPlugins: [], templates: [{name: a, plugin: null}]}\n"))
    assert loaded.problems == ()
