"""The containers of a containerSet.

In: a template with `containerSet`.  Out: its containers, and who depends on whom.
Must not know: in which order they run.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def build_set(template: Json) -> list[Json]:
    """The containers; the one named main, of which alone outputs are read, first."""
    written = template["containerSet"]
    shared = written.get("volumeMounts") or []
    containers = []
    for node in written.get("containers") or ():
        container = {field: value for field, value in node.items() if field != "dependencies"}
        if shared:
            container["volumeMounts"] = [*container.get("volumeMounts", []), *shared]
        containers.append(container)
    return sorted(containers, key=lambda container: container["name"] != "main")


def lead_of(template: Json) -> str:
    """The container that hands on what the step gives: main; in a set that has none, which gives logs alone, its first."""
    return str(build_set(template)[0]["name"]) if "containerSet" in template else "main"


def needed_by(template: Json) -> dict[str, tuple[str, ...]]:
    """For each container, those it depends on."""
    nodes = template["containerSet"].get("containers") or ()
    return {node["name"]: tuple(node.get("dependencies") or ()) for node in nodes}
