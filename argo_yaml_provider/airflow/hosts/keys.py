"""Where hosts keep what the next try, the next task or another kind of host must find under the same name."""

from __future__ import annotations

from argo_yaml_provider.plan.nodes import Plan


def attempts_key(generation: int) -> str:
    """Task state store of the task: its ended attempts. A clear starts a generation of its own."""
    return f"argo.attempts.{generation}"


def once_key(key: str) -> str:
    """XCom of `once_task`: {"value": what was computed once for the whole run}."""
    return f"argo.once.{key}"


def once_task(plan: Plan) -> str:
    """The planned task that carries what a run computes once: its first, which is never mapped and exists from the start."""
    return plan.tasks[0].id
