"""Random workflows: the plan run with instant pods gives the nodes that the model of Argo's rules gives."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.compile import compile_text
from tests.flow.model import Controller, Dag, Json, Leaf, Member, Steps, Term
from tests.flow.simulate import Run, facts_of

EXAMPLES = int(os.environ.get("FLOW_EXAMPLES", "150"))
HOW = ("Succeeded", "Succeeded", "Succeeded", "Failed", "Error")
RESULTS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted")
Template = Leaf | Steps | Dag


@st.composite
def templates(draw: st.DrawFn, depth: int) -> Template:
    """A leaf, or, as deep as allowed, steps or a dag."""
    kind = draw(st.sampled_from(("leaf", "leaf", "steps", "dag"))) if depth else "leaf"
    if kind == "steps":
        return draw(steps(depth - 1))
    if kind == "dag":
        return draw(dags(depth - 1))
    return Leaf(draw(st.sampled_from(HOW)))


@st.composite
def steps(draw: st.DrawFn, depth: int) -> Steps:
    """Up to three groups of up to three steps."""
    groups: list[list[Member]] = []
    known: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        group = []
        for index in range(draw(st.integers(1, 3))):
            member = draw(members(f"s{number}-{index}", depth, known))
            member.continue_failed, member.continue_error = draw(st.booleans()), draw(st.booleans())
            group.append(member)
        groups.append(group)
        known += [member.name for member in group]
    return Steps(groups)


@st.composite
def dags(draw: st.DrawFn, depth: int) -> Dag:
    """Up to five tasks; with `depends`, or with `dependencies` and `continueOn`."""
    tasks: list[Member] = []
    with_depends = draw(st.booleans())
    for number in range(draw(st.integers(1, 5))):
        needs = draw(st.lists(st.sampled_from(tasks), max_size=3, unique_by=lambda task: task.name)) if tasks else []
        member = draw(members(f"t{number}", depth, [task.name for task in needs]))
        if with_depends:
            member.any_of = draw(st.booleans())
            member.depends = [draw(terms(task)) for task in needs]
        else:
            member.continue_failed, member.continue_error = draw(st.booleans()), draw(st.booleans())
            member.depends = [Term(task.name) for task in needs]
        tasks.append(member)
    return Dag(tasks, fail_fast=draw(st.sampled_from((None, True, False))), by_depends=with_depends)


@st.composite
def terms(draw: st.DrawFn, task: Member) -> Term:
    """A condition on a task."""
    of_items = ("AnySucceeded", "AllFailed") if task.items is not None else ()
    return Term(task.name, tuple(draw(st.lists(st.sampled_from(RESULTS + of_items), max_size=2, unique=True))))


@st.composite
def members(draw: st.DrawFn, name: str, depth: int, known: list[str]) -> Member:
    """A step or task, perhaps with a loop, a condition, an exit handler."""
    member = Member(name, draw(templates(depth)))
    if draw(st.integers(0, 3)) == 0:
        choice: tuple[str, ...] = HOW if isinstance(member.template, Leaf) else ("a", "b")
        member.mapped = draw(st.booleans())
        member.items = draw(st.lists(st.sampled_from(choice), min_size=0 if member.mapped else 1, max_size=3))
    if draw(st.integers(0, 4)) == 0:
        member.when = draw(st.booleans())
        if draw(st.booleans()) and known:
            member.when = (draw(st.sampled_from(known)), draw(st.sampled_from(("Succeeded", "Failed", "Skipped"))))
    if draw(st.integers(0, 9)) == 0:
        member.exits = draw(st.sampled_from(HOW))
    return member


class Writer:
    """The workflow as a file would have it."""

    def __init__(self) -> None:
        leaf = {
            "name": "leaf",
            "inputs": {"parameters": [{"name": "how"}]},
            "container": {"image": "busybox", "command": ["true"]},
        }
        self.templates: list[Json] = [leaf]
        self.parameters: list[Json] = []

    def workflow(self, template: Template) -> str:
        """The whole."""
        arguments = {"parameters": [{"name": "how", "value": template.phase}]} if isinstance(template, Leaf) else {}
        entrypoint = self.template(template)
        arguments = {"parameters": [*arguments.get("parameters", []), *self.parameters]}
        spec = {"entrypoint": entrypoint, "arguments": arguments, "templates": self.templates}
        return json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "wf"}, "spec": spec})

    def template(self, template: Template) -> str:
        """Its name, once it is written."""
        if isinstance(template, Leaf):
            return "leaf"
        written: Json = {"name": f"template-{len(self.templates)}"}
        self.templates.append(written)
        if isinstance(template, Steps):
            written["steps"] = [[self.member(member, "steps") for member in group] for group in template.groups]
        else:
            written["dag"] = {
                "tasks": [self.member(member, "tasks") | self.depends(member, template) for member in template.tasks]
            }
            if template.fail_fast is not None:
                written["dag"]["failFast"] = template.fail_fast
        return str(written["name"])

    def member(self, member: Member, which: str) -> Json:
        """One step or task."""
        written: Json = {"name": member.name, "template": self.template(member.template)}
        if isinstance(member.template, Leaf):
            how = member.template.phase if member.items is None else "{{item}}"
            written["arguments"] = {"parameters": [{"name": "how", "value": how}]}
        if member.items is not None:
            written |= self.loop(member)
        if isinstance(member.when, bool):
            written["when"] = "1 == 1" if member.when else "1 == 2"
        elif member.when:
            written["when"] = f"{{{{{which}.{member.when[0]}.status}}}} == {member.when[1]}"
        if member.continue_failed or member.continue_error:
            written["continueOn"] = {"failed": member.continue_failed, "error": member.continue_error}
        if member.exits:
            arguments = {"parameters": [{"name": "how", "value": member.exits}]}
            written["hooks"] = {"exit": {"template": "leaf", "arguments": arguments}}
        return written

    def loop(self, member: Member) -> Json:
        """Items in the file, or in a parameter."""
        if not member.mapped:
            return {"withItems": member.items}
        name = f"items-{len(self.parameters)}"
        self.parameters.append({"name": name, "value": json.dumps(member.items)})
        return {"withParam": f"{{{{workflow.parameters.{name}}}}}"}

    @staticmethod
    def depends(member: Member, dag: Dag) -> Json:
        """`dependencies` where `continueOn` may be, else `depends`."""
        if not member.depends:
            return {}
        if not dag.by_depends:
            return {"dependencies": [term.task for term in member.depends]}
        parts = [
            f"({' || '.join(f'{term.task}.{result}' for result in term.results)})" if term.results else term.task
            for term in member.depends
        ]
        return {"depends": (" || " if member.any_of else " && ").join(parts)}


def leaf(decision: Decision) -> Attempt:
    """Ends as its input says."""
    how = next(p["value"] for p in decision.template["inputs"]["parameters"] if p["name"] == "how")
    return Attempt(phase=Phase(how), exit_code="0" if how == "Succeeded" else "1")


def shown(nodes: dict[str, Any]) -> str:
    """Nodes for a failure's message."""
    return "\n".join(f"{name}: {kind} {phase}" for name, (kind, phase) in sorted(nodes.items()))


@pytest.mark.filterwarnings("ignore:The recursion limit will not be reset")
@pytest.mark.timeout(400 + EXAMPLES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(template=templates(3))
def test_gives_the_nodes_of_the_model(template: Template) -> None:
    plan = compile_text(Writer().workflow(template))[0]
    facts = facts_of(plan)
    flow = Run(plan, facts, leaf).go()
    controller = Controller()
    phase = controller.run(facts.name, template)
    assume(not controller.chance)
    want = {name: (node.type, node.phase) for name, node in controller.nodes.items()}
    have = {node["name"]: (node["type"], node["phase"]) for node in flow.nodes()}
    assert shown(have) == shown(want)
    assert flow.verdict().phase.value == phase
