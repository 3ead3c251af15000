"""A small model of Argo's control flow, written from its rules as a controller would play them: node by node, forwards.

In: a workflow of templates (`Leaf`, `Steps`, `Dag`).  Out: the nodes Argo would have, each with type and phase.
It shares nothing with the flow: that asks backwards from a task, this walks forwards from the root.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
FAILURES = ("Failed", "Error")
COMPLETED = ("Succeeded", *FAILURES)
SKIPPED = ("Skipped", "Omitted")


@dataclass
class Leaf:
    """A pod that ends so."""

    phase: str


@dataclass
class Term:
    """One condition of a `depends`: the task's result is one of these; () stands for the bare name."""

    task: str
    results: tuple[str, ...] = ()


@dataclass
class Member:
    """A step or task."""

    name: str
    template: Leaf | Steps | Dag
    items: list[str] | None = None
    """Of a loop over `Leaf`s: how each turn ends."""
    when: tuple[str, str] | bool | None = None
    """(step, phase): the step has ended so. Or simply true or false."""
    mapped: bool = False
    """The loop's items come from a parameter."""
    continue_failed: bool = False
    continue_error: bool = False
    depends: list[Term] = field(default_factory=list)
    any_of: bool = False
    """The terms are joined by `||`."""
    exits: str = ""
    """How its exit handler ends; '' if it has none."""


@dataclass
class Steps:
    """Groups of members."""

    groups: list[list[Member]]


@dataclass
class Dag:
    """Tasks, each after those it depends on."""

    tasks: list[Member]
    fail_fast: bool | None = None
    by_depends: bool = False
    """Written with `depends`, not `dependencies`."""


@dataclass
class Node:
    """A node of the status."""

    type: str
    phase: str
    children: list[str] = field(default_factory=list)
    outbound: list[str] = field(default_factory=list)
    hooked: bool = False


class Controller:
    """Argo's controller, playing one workflow to its end."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.chance = False
        """Whether a phase hung on which of two branches of the same length Argo looks at first: it walks a Go map."""

    def run(self, name: str, template: Leaf | Steps | Dag) -> str:
        """Call a template under a node name; gives the node's phase."""
        if isinstance(template, Leaf):
            self.nodes[name] = Node("Pod", template.phase)
        elif isinstance(template, Steps):
            self._steps(name, template)
        else:
            self._dag(name, template)
        return self.nodes[name].phase

    def _hook(self, name: str, member: Member) -> None:
        """A member's exit handler, once the node has completed."""
        if member.exits and self.nodes[name].phase in COMPLETED:
            self.run(f"{name}.onExit", Leaf(member.exits))
            self.nodes[f"{name}.onExit"].hooked = True
            self.nodes[name].children.append(f"{name}.onExit")

    def _steps(self, name: str, template: Steps) -> None:
        node = self.nodes[name] = Node("Steps", "Running")
        statuses: dict[str, str] = {}
        last: list[str] = [name]
        for number, group in enumerate(template.groups):
            group_name = f"{name}[{number}]"
            group_node = self.nodes[group_name] = Node("StepGroup", "Running")
            for one in last:
                self.nodes[one].children.append(group_name)
            ended: list[tuple[str, Member]] = []
            for member in group:
                if member.items == []:
                    self.nodes[f"{group_name}.{member.name}"] = Node("Skipped", "Skipped")
                    group_node.children.append(f"{group_name}.{member.name}")
                for child, how in self._turns(f"{group_name}.{member.name}", member):
                    if self._holds(member, statuses):
                        self.run(child, how)
                        self._hook(child, member)
                    else:
                        self.nodes[child] = Node("Skipped", "Skipped")
                    group_node.children.append(child)
                    ended.append((child, member))
            failed = [child for child, member in ended if self._counts(self.nodes[child].phase, member)]
            group_node.phase = "Failed" if failed else "Succeeded"
            last = [one for child in group_node.children for one in self.outbound(child)] or [group_name]
            for member in group:
                own = f"{group_name}.{member.name}"
                statuses[member.name] = self.nodes[own].phase if own in self.nodes else group_node.phase
            if failed:
                node.phase, node.outbound = "Failed", last
                return
        node.phase, node.outbound = "Succeeded", last

    @staticmethod
    def _turns(name: str, member: Member) -> list[tuple[str, Leaf | Steps | Dag]]:
        if member.items is None:
            return [(name, member.template)]
        if not isinstance(member.template, Leaf):
            return [(f"{name}({i}:{item})", member.template) for i, item in enumerate(member.items)]
        return [(f"{name}({i}:{item})", Leaf(item)) for i, item in enumerate(member.items)]

    @staticmethod
    def _holds(member: Member, statuses: dict[str, str]) -> bool:
        if member.when is None or isinstance(member.when, bool):
            return member.when is not False
        return statuses[member.when[0]] == member.when[1]

    @staticmethod
    def _counts(phase: str, member: Member) -> bool:
        """Whether a failure is not overlooked."""
        overlooked = (phase == "Failed" and member.continue_failed) or (phase == "Error" and member.continue_error)
        return phase in FAILURES and not overlooked

    def _dag(self, name: str, template: Dag) -> None:
        node = self.nodes[name] = Node("DAG", "Running")
        members = {member.name: member for member in template.tasks}
        for member in template.tasks:
            self._task(name, member, members)
        depended = {term.task for member in template.tasks for term in member.depends}
        targets = sorted(member.name for member in template.tasks if member.name not in depended)
        phases = self._branches(name, targets)
        node.phase = "Succeeded"
        for target in targets:
            if phases[target] in FAILURES and self._counts(phases[target], members[target]):
                node.phase = phases[target]
                if template.fail_fast is not False:
                    break
        node.outbound = [one for target in targets for one in self.outbound(f"{name}.{target}")]

    def _task(self, dag: str, member: Member, members: dict[str, Member]) -> None:
        name = f"{dag}.{member.name}"
        above = [one for term in member.depends for one in self.outbound(f"{dag}.{term.task}")] or [dag]
        verdicts = [self._satisfied(self.nodes[f"{dag}.{term.task}"], term, members) for term in member.depends]
        if verdicts and not (any(verdicts) if member.any_of else all(verdicts)):
            self._hang(above, name, Node("Skipped", "Omitted"))
            return
        statuses = {other: self.nodes[f"{dag}.{other}"].phase for other in members if f"{dag}.{other}" in self.nodes}
        if member.items is None:
            self._task_node(above, name, member, member.template, statuses)
            return
        if not member.items:
            self._hang(above, name, Node("Skipped", "Skipped"))
            return
        group = Node("TaskGroup", "Succeeded")
        self._hang(above, name, group)
        for child, how in self._turns(name, member):
            self._task_node([name], child, member, how, statuses)
            if self.nodes[child].phase in FAILURES:
                group.phase = self.nodes[child].phase
        self._hook(name, member)

    def _task_node(
        self, above: list[str], name: str, member: Member, template: Leaf | Steps | Dag, statuses: dict[str, str]
    ) -> None:
        if not self._holds(member, statuses):
            self._hang(above, name, Node("Skipped", "Skipped"))
            return
        self.run(name, template)
        self._hook(name, member)
        self._hang(above, name, self.nodes[name])

    def _hang(self, above: list[str], name: str, node: Node) -> None:
        self.nodes[name] = node
        for one in above:
            if name not in self.nodes[one].children:
                self.nodes[one].children.append(name)

    def _satisfied(self, node: Node, term: Term, members: dict[str, Member]) -> bool:
        allowed = term.results
        if not allowed:
            member = members[term.task]
            allowed = ("Succeeded", "Skipped")
            allowed += ("Errored",) * member.continue_error + ("Failed",) * member.continue_failed
        turns = [self.nodes[child].phase for child in node.children] if node.type == "TaskGroup" else []
        named = {"Errored" if node.phase == "Error" else node.phase}
        named |= {"AnySucceeded"} if "Succeeded" in turns else set()
        named |= {"AllFailed"} if turns and all(turn == "Failed" for turn in turns) else set()
        return bool(named & set(allowed))

    def _branches(self, dag: str, targets: list[str]) -> dict[str, str]:
        """The phase of each target, found by walking the nodes from the dag down. Argo: assessDAGPhase."""
        phases = {f"{dag}.{target}": "" for target in targets}
        queue = [(child, "Succeeded", 0) for child in self.nodes[dag].children]
        seen = {(name, phase) for name, phase, _ in queue}
        first: dict[str, int] = {}
        while queue:
            name, phase, depth = queue.pop(0)
            node = self.nodes[name]
            if node.phase in COMPLETED:
                phase = node.phase
            if name in phases and phases[name] not in FAILURES:
                phases[name] = phase
                first[name] = depth
            elif name in phases and phase in FAILURES and phase != phases[name] and first[name] == depth:
                self.chance = True
            for child in node.children:
                if (child, phase) not in seen:
                    seen.add((child, phase))
                    queue.append((child, phase, depth + 1))
        return {target: phases[f"{dag}.{target}"] for target in targets}

    def outbound(self, name: str) -> list[str]:
        """The nodes that what comes after a node hangs from. Argo: getOutboundNodes."""
        node = self.nodes[name]
        if node.type in ("Pod", "Skipped"):
            return [name]
        if node.type == "TaskGroup":
            return [one for child in node.children for one in self.outbound(child)]
        return node.outbound
