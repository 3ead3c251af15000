"""Argo's own identifiers: of nodes, and of the pods it would have made.

In: names.  Out: ids.
Must not know: templates.
"""

from __future__ import annotations

_OFFSET, _PRIME = 0x811C9DC5, 0x01000193
_MOST_PREFIX = 253 - 10


def hash32(text: str) -> int:
    """FNV-1a, 32 bits."""
    value = _OFFSET
    for byte in text.encode():
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return value


def node_id(workflow: str, node: str) -> str:
    """`{{steps.x.id}}`. Argo: Workflow.NodeID."""
    return workflow if workflow == node else f"{workflow}-{hash32(node)}"


def pod_name(workflow: str, node: str, template: str) -> str:
    """`{{pod.name}}`. Argo: workflow/util/pod_name.go."""
    if workflow == node:
        return workflow
    prefix = f"{workflow}-{template}" if template else workflow
    return f"{prefix[: _MOST_PREFIX - 1]}-{hash32(node)}"
