"""The node tree, as Argo's status would hold it.

In: Engine.  Out: nodes as JSON objects, with names, types, phases, inputs, outputs and children.
Must not know: who reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.annotation import display_name
from argo_yaml_provider.flow.entries import Absent, Execution, Place
from argo_yaml_provider.flow.facts import Missing
from argo_yaml_provider.flow.identity import node_id, pod_name
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.flow.leaves import node_type
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.flow.results import FAILURES, Outputs, Result, of_attempt
from argo_yaml_provider.flow.tree import is_loop
from argo_yaml_provider.plan.nodes import CallKind, Json
from argo_yaml_provider.plan.templates import targets

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine


_OF_RUN = ("type", "phase", "message", "inputs", "outputs", "startedAt", "finishedAt")


def nodes_of(engine: Engine) -> list[Json]:
    """Every node, parents before children."""
    view = _View(engine)
    view.add(engine.root, "")
    for hook in (*engine.plan.hooks, *((engine.plan.on_exit,) if engine.plan.on_exit else ())):
        view.add(Place(hook, -1), "")
    return list(view.nodes.values())


def failed_nodes(engine: Engine, *, hooks: bool) -> list[Json]:
    """What `workflow.failures` lists. Argo: failedNodeStatus."""
    view = _View(engine)
    view.add(engine.root, "")
    for hook in engine.plan.hooks if hooks else ():
        view.add(Place(hook, -1), "")
    name = engine.facts.name
    return [
        {
            "displayName": node["displayName"],
            "message": node["message"],
            "templateName": node["template"],
            "phase": node["phase"],
            "podName": pod_name(name, node["name"], node["template"]),
            "finishedAt": node["finishedAt"] or None,
        }
        for node in view.nodes.values()
        if node["phase"] in FAILURES
    ]


class _View:
    """Nodes as they are found."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.nodes: dict[str, Json] = {}

    def add(self, place: Place, boundary: str) -> list[str]:
        """A call and all below it; gives the names of the nodes that what comes next hangs from."""
        engine = self._engine
        if is_loop(place.call, place.index):
            return self._loop(place, boundary)
        result = self._result(place)
        if result is None:
            return []
        found = engine.execution(place)
        if isinstance(found, Absent):
            return []
        node = self._node(found.node, place, result, boundary)
        out = [found.node]
        if isinstance(found, Execution) and result.type != "Skipped":
            self._inputs(node, found)
            if not found.wrong:
                node["displayName"] = display_name(found.template) or node["displayName"]
                out = self._below(place, found, node, result) or out
        for hook in place.call.hooks:
            self._hook(Place(hook, place.index), node, boundary)
        return out

    def _result(self, place: Place) -> Result | None:
        """The result, or None of a hook that still waits for its moment."""
        try:
            return self._engine.result(place)
        except Missing as missing:
            if missing.kind != "change":
                raise
            return None

    def _hook(self, place: Place, node: Json, boundary: str) -> None:
        if self.add(place, boundary):
            found = self._engine.execution(place)
            node["children"] += [] if isinstance(found, Absent) else [found.node]

    def _below(self, place: Place, found: Execution, node: Json, result: Result) -> list[str]:
        if place.call.kind is CallKind.STEPS:
            return self._steps(place, node)
        if place.call.kind is CallKind.DAG:
            return self._dag(place, node)
        if result.type == "Retry":
            return self._attempts(place, found, node, result)
        if place.call.kind is CallKind.CHILD:
            self._graft(place, node)
            return []
        if found.template.get("containerSet"):
            self._containers(found, node, result)
        return []

    def _node(self, name: str, place: Place, result: Result, boundary: str) -> Json:
        template = self._engine.plan.templates[place.call.template]
        node = self._record(name, result.type, result.phase, boundary, str(template.get("name") or ""))
        node |= {"message": result.message, "startedAt": result.started_at, "finishedAt": result.finished_at}
        node["outputs"] = outputs_json(result.outputs)
        return _with_stored(node, result.attempts if result.type != "Retry" else ())

    def _record(self, name: str, kind: str, phase: Phase, boundary: str, template: str) -> Json:
        short = name.removeprefix(boundary) if boundary else name
        node: Json = {
            "id": node_id(self._engine.facts.name, name),
            "name": name,
            "displayName": short.partition(".")[2] if short.startswith("[") and "." in short else short.removeprefix("."),
            "type": kind,
            "phase": phase.value,
            "template": template,
            "boundary": boundary,
            "message": "",
            "inputs": None,
            "outputs": None,
            "startedAt": "",
            "finishedAt": "",
            "children": [],
        }
        self.nodes[name] = node
        return node

    def _inputs(self, node: Json, found: Execution) -> None:
        inputs = found.template.get("inputs") or {}
        parameters = {p["name"]: any_string(p.get("value")) for p in inputs.get("parameters") or ()}
        artifacts = [artifact["name"] for artifact in inputs.get("artifacts") or ()]
        if parameters or artifacts:
            node["inputs"] = {"parameters": parameters, "artifacts": artifacts}

    def _loop(self, place: Place, boundary: str) -> list[str]:
        engine = self._engine
        instances = engine.composites.instances(place)
        if instances == [place]:
            return self._stopped_loop(place, boundary)
        out: list[str] = []
        parent = engine.tree.parent(place.call)
        group: Json | None = None
        if parent is not None and parent.kind is CallKind.DAG:
            result = engine.loop_name(place)
            node_result = engine.result(place)
            assert node_result is not None
            group = self._node(result, place, node_result, boundary)
        for turn in instances:
            out += self.add(turn, boundary)
            found = engine.execution(turn)
            if group is not None and not isinstance(found, Absent):
                group["children"].append(found.node)
        for hook in place.call.loop_hooks:
            if group is not None:
                self._hook(Place(hook, place.index), group, boundary)
        return out or ([group["name"]] if group else [])

    def _stopped_loop(self, place: Place, boundary: str) -> list[str]:
        result = self._engine.result(place)
        if result is None:
            return []
        name = self._engine.loop_name(place)
        node = self._node(name, place, result, boundary)
        for hook in place.call.loop_hooks:
            self._hook(Place(hook, place.index), node, boundary)
        return [name]

    def _steps(self, place: Place, node: Json) -> list[str]:
        frame = self._engine.frame(place)
        assert frame is not None
        last = [node["name"]]
        for number, group in enumerate(place.call.groups):
            end = self._engine.steps.end(frame, number)
            if end is None:
                break
            name = f"{frame.node}[{number}]"
            record = self._record(name, "StepGroup", end.phase, frame.node, "")
            record |= {"message": end.message, "startedAt": end.started_at, "finishedAt": end.finished_at}
            self._link(last, name)
            before = set(self.nodes)
            out: list[str] = []
            for member in group:
                out += self.add(Place(member, place.index), frame.node)
            self._link([name], *(n for n in self.nodes if n not in before and self._is_member(n, frame.node, name)))
            last = out or [name]
            if end.broken or end.phase is not Phase.SUCCEEDED:
                break
        return last

    def _is_member(self, name: str, boundary: str, group: str) -> bool:
        node = self.nodes[name]
        return (
            node["boundary"] == boundary
            and not node.get("hooked")
            and name.startswith(f"{group}.")
            and (not name.endswith(".onExit") and ".hooks." not in name.removeprefix(group) and not node.get("attempt"))
        )

    def _dag(self, place: Place, node: Json) -> list[str]:
        engine, frame = self._engine, self._engine.frame(place)
        assert frame is not None
        leaving: dict[str, list[str]] = {}
        try:
            without = engine.composites.branches.ends_without(frame)
        except ExprError:  # no order of its tasks, or a target that is none: the dag itself says so
            return []
        for name in engine.dags.wanted(frame):
            task = engine.dags.place(frame, name)
            if without and (result := self._result(task)) is not None and engine.dags.waits(task, result):
                continue
            leaving[name] = self.add(task, frame.node)
            needs = engine.dags.needs(frame, name)[0]
            above = [one for need in needs for one in leaving.get(need, ())] or [node["name"]]
            made = engine.loop_name(task) if task.call.loop else f"{frame.node}.{name}"
            if made in self.nodes:
                self._link(above, made)
        return [one for name in targets(frame.template) for one in leaving.get(name, ())]

    def _link(self, above: list[str], *names: str) -> None:
        for parent in dict.fromkeys(above):
            children = self.nodes[parent]["children"]
            children += [name for name in names if name not in children]

    def _attempts(self, place: Place, found: Execution, node: Json, result: Result) -> list[str]:
        kind = node_type(found.template, retried=False)
        last: list[str] = []
        for number, attempt in enumerate(result.attempts):
            name = f"{node['name']}({number})"
            record = self._record(name, kind, attempt.phase, node["boundary"], node["template"])
            record |= {"message": attempt.message, "startedAt": attempt.started_at, "finishedAt": attempt.finished_at}
            record |= {"inputs": node["inputs"], "outputs": outputs_json(of_attempt(attempt)), "attempt": True}
            _with_stored(record, (attempt,))
            node["children"].append(name)
            if found.template.get("containerSet"):
                self._containers(found, record, _as_result(attempt))
            if place.call.kind is CallKind.CHILD:
                self._graft_attempt(attempt, record)
            last = [name]
        return last

    def _graft_attempt(self, attempt: Attempt, record: Json) -> None:
        if attempt.child:
            self._graft_run(attempt.child, record)

    def _graft(self, place: Place, node: Json) -> None:
        outcome = self._engine.outcome_of(place)
        if outcome is not None and outcome.child:
            self._graft_run(outcome.child, node)

    def _graft_run(self, child: dict[str, str], node: Json) -> None:
        """The nodes of a child run in the place of its caller's."""
        for one in self._engine.source.child_nodes(child["dag_id"], child["run_id"]):
            if one["name"] != node["name"]:
                self.nodes[one["name"]] = one
                continue
            hooks = node["children"]
            node |= {field: one[field] for field in _OF_RUN}
            node["children"] = [*one["children"], *hooks]

    def _containers(self, found: Execution, node: Json, result: Result) -> None:
        """One node for each container of a set; without word of each, all are as the pod."""
        containers = found.template["containerSet"].get("containers") or ()
        ended = result.attempts[-1].containers if result.attempts else {}
        for container in containers:
            name = f"{node['name']}.{container['name']}"
            phase = Phase(ended.get(container["name"], result.phase))
            self._record(name, "Container", phase, node["name"], node["template"])
        for container in containers:
            name = f"{node['name']}.{container['name']}"
            above = [f"{node['name']}.{need}" for need in container.get("dependencies") or ()] or [node["name"]]
            self._link(above, name)


def _with_stored(node: Json, attempts: Sequence[Attempt]) -> Json:
    """The node, and where its pod's artifacts lie: only if it has any."""
    if attempts and attempts[-1].artifacts:
        node["stored"] = dict(attempts[-1].artifacts)
    return node


def _as_result(attempt: Attempt) -> Result:
    return Result(type="Pod", phase=attempt.phase, attempts=(attempt,))


def outputs_json(outputs: Outputs | None) -> Json | None:
    """Outputs as compare.py reads them."""
    if outputs is None:
        return None
    shown: dict[str, Any] = {"parameters": dict(outputs.parameters), "artifacts": sorted(outputs.artifacts)}
    return shown | {"result": outputs.result, "exitCode": outputs.exit_code}
