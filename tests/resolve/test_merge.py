from __future__ import annotations

from argo_yaml_provider.resolve.defaults import join_specs, with_pod_metadata, with_template_defaults
from argo_yaml_provider.resolve.merge import merge_lists
from argo_yaml_provider.spec.fields import type_of


def test_higher_spec_wins_and_empty_text_does_not() -> None:
    assert join_specs(
        {"entrypoint": "", "serviceAccountName": "own"}, {"entrypoint": "main", "serviceAccountName": "theirs"}
    ) == {
        "entrypoint": "main",
        "serviceAccountName": "own",
    }


def test_lists_with_a_merge_key_merge_by_it_others_are_replaced() -> None:
    low = {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b"}], "volumeClaimTemplates": [{"metadata": {"name": "x"}}]}
    high = {"volumes": [{"name": "b", "emptyDir": {}}], "volumeClaimTemplates": [{"metadata": {"name": "y"}}]}
    assert join_specs(high, low) == {
        "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}],
        "volumeClaimTemplates": [{"metadata": {"name": "y"}}],
    }


def test_order_of_merged_lists_is_gos() -> None:
    low = [{"name": name} for name in "abcd"]
    high = [{"name": name} for name in "xcb"]
    merged = merge_lists(low, high, type_of("[Parameter]@name"))
    assert [one["name"] for one in merged] == ["x", "a", "c", "b", "d"]


def test_parameter_is_taken_whole_from_the_highest_that_has_a_value() -> None:
    low = {"arguments": {"parameters": [{"name": "p", "value": "low", "enum": ["low"]}, {"name": "q", "value": "1"}]}}
    high = {"arguments": {"parameters": [{"name": "p", "default": "high"}, {"name": "q", "description": "text"}]}}
    assert join_specs(high, low)["arguments"]["parameters"] == [{"name": "p", "default": "high"}, {"name": "q", "value": "1"}]


def test_hooks_and_labels_from_merge_by_whole_entries() -> None:
    low = {"hooks": {"exit": {"template": "a", "expression": "x"}, "other": {"template": "b"}}}
    high = {"hooks": {"exit": {"template": "c"}}, "workflowMetadata": {"labelsFrom": {"l": {"expression": "1"}}}}
    assert join_specs(high, low) == {
        "hooks": {"exit": {"template": "c"}, "other": {"template": "b"}},
        "workflowMetadata": {"labelsFrom": {"l": {"expression": "1"}}},
    }


def test_suspend_is_the_workflows_own() -> None:
    assert join_specs({}, {"suspend": True, "entrypoint": "a"}) == {"entrypoint": "a"}


def test_artifact_of_the_same_store_keeps_what_is_left_open() -> None:
    low = {"arguments": {"artifacts": [{"name": "a", "s3": {"bucket": "b", "key": "low"}}]}}
    assert join_specs({"arguments": {"artifacts": [{"name": "a", "s3": {"key": "k"}}]}}, low)["arguments"]["artifacts"] == [
        {"name": "a", "s3": {"bucket": "b", "key": "k"}}
    ]
    assert join_specs({"arguments": {"artifacts": [{"name": "a", "raw": {"data": "d"}}]}}, low)["arguments"]["artifacts"] == [
        {"name": "a", "raw": {"data": "d"}}
    ]


def test_template_defaults_count_for_the_templates_own_type_only() -> None:
    defaults = {
        "timeout": "30s",
        "container": {"image": "busybox", "env": [{"name": "A", "value": "1"}]},
        "script": {"image": "python"},
    }
    template = {"name": "a", "container": {"env": [{"name": "B", "value": "2"}]}}
    assert with_template_defaults(template, defaults) == {
        "name": "a",
        "container": {"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}], "image": "busybox"},
        "timeout": "30s",
    }


def test_pod_metadata_fills_what_the_template_does_not_say() -> None:
    template = {"name": "a", "metadata": {"labels": {"x": "own"}}}
    assert with_pod_metadata(template, {"labels": {"x": "theirs", "y": "theirs"}, "annotations": {"z": "1"}}) == {
        "name": "a",
        "metadata": {"annotations": {"z": "1"}, "labels": {"x": "own", "y": "theirs"}},
    }
