from __future__ import annotations

from argo_yaml_provider.flow.identity import node_id, pod_name


def test_ids_are_argos() -> None:
    assert node_id("wf", "wf") == "wf"
    assert node_id("hello-world-1", "hello-world-1[0].a") == "hello-world-1-" + str(_fnv("hello-world-1[0].a"))
    assert pod_name("wf", "wf", "t") == "wf"
    assert pod_name("wf", "wf.a", "t") == f"wf-t-{_fnv('wf.a')}"
    assert len(pod_name("w" * 300, "x", "t")) <= 253


def _fnv(text: str) -> int:
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) % 2**32
    return value
