"""Steps and tasks: what they call, their names, their loops, their hooks.

In: `View`.  Out: problems.
Must not know: arguments, tags.
"""

from __future__ import annotations

import re

from argo_yaml_provider.resolve.checks.known import called, name_of
from argo_yaml_provider.resolve.checks.templates import name_problem
from argo_yaml_provider.resolve.checks.view import View, title
from argo_yaml_provider.resolve.references import LOCAL, holders_of, hooks_of, is_dynamic, key_of
from argo_yaml_provider.spec.problems import suggest
from argo_yaml_provider.spec.resource import Json, Path

WHERE = "; it is looked for in the file, its folder and --templates"
_OF_STEPS = re.compile(r"\{\{\s*(?:=|inputs\.parameters\.|workflow\.).*?\}\}")
"""Tags that the name of a step may hold. Argo: isValidStepName; a task has no such leave."""


def check_entrypoint(view: View) -> None:
    """A Workflow begins somewhere."""
    entrypoint = view.resolved.entrypoint
    local = [title(key) for key in view.resolved.templates if key.startswith(LOCAL)]
    if not entrypoint:
        if not view.is_library:
            help_text = f"write entrypoint: NAME under spec; defined here: {', '.join(local[:8]) or 'no template'}"
            view.report_spec(("spec", "entrypoint"), "missing-entrypoint", "spec.entrypoint is missing", help=help_text)
    elif entrypoint not in view.resolved.templates:
        message = f'the entrypoint "{title(entrypoint)}" is not defined'
        view.report_spec(
            ("spec", "entrypoint"), "unknown-template", message, help=suggest(title(entrypoint), local, label="defined here")
        )
    for path, holder in hooks_of(view.spec, ("spec",)):
        _check_reference(view, LOCAL, holder, path, what=f'the exit handler or hook "{path[-1]}"')


def check_references(view: View) -> None:
    """Every step, task and hook calls a template that is there."""
    for key, template in view.templates():
        for path, holder in holders_of(template):
            what = (
                f'{"task" if path[0] == "dag" else "step"} "{holder.get("name", "")}"'
                if "name" in holder
                else f'hook "{path[-1]}"'
            )
            _check_reference(view, key, holder, path, what=what)


def _check_reference(view: View, scope: str, holder: Json, path: Path, *, what: str) -> None:
    """One reference; with the scope `local//` it stands in the spec."""
    named, reference = holder.get("template"), holder.get("templateRef")
    value = path if path[-1] == "onExit" else (*path, "template")
    if named and reference:
        _say(view, scope, (*path, "templateRef"), "two-references", f"{what} has both template and templateRef", "keep one")
        return
    if reference is not None and not (reference.get("name") and reference.get("template")):
        message = f"the templateRef of {what} needs a name and a template"
        _say(view, scope, (*path, "templateRef"), "missing-field", message, "write name: RESOURCE and template: NAME")
        return
    if not named and not reference and holder.get("inline") is None:
        _say(
            view,
            scope,
            path,
            "no-template",
            f"{what} calls no template",
            "give it a template, a templateRef or an inline template",
        )
        return
    key = key_of(scope, holder)
    if key in view.resolved.templates:
        return
    if is_dynamic(key) and (reference or (scope != LOCAL and called(view, scope, holder) in view.resolved.templates)):
        return  # the spec's own names are never substituted
    if is_dynamic(key):
        message = f"{what} calls a template whose name holds a tag that does not name one here"
        help_text = "let {{workflow.parameters.…}} stand in it, with a template's name as its value, or choose with when"
        _say(view, scope, value, "dynamic-template", message, help_text)
        return
    if reference:
        _unknown_in_library(view, scope, (*path, "templateRef"), key, what)
        return
    known = [title(one) for one in view.resolved.templates if one.rpartition("/")[0] == key.rpartition("/")[0]]
    message = f'{what} calls template "{named}", which is not defined'
    _say(
        view,
        scope,
        value,
        "unknown-template",
        message,
        suggest(str(named), (name.rpartition("/")[2] for name in known), label="defined here"),
    )


def _unknown_in_library(view: View, scope: str, path: Path, key: str, what: str) -> None:
    where, owner, name = key.split("/", 2)
    kind, pool = (
        ("ClusterWorkflowTemplate", view.library.cluster)
        if where == "cluster"
        else ("WorkflowTemplate", view.library.namespaced)
    )
    if owner not in pool:
        message = f'{what} refers to {kind} "{owner}", which is not found'
        other = view.library.namespaced if where == "cluster" else view.library.cluster
        hint = (
            f"; there is one of the other kind: {'remove' if where == 'cluster' else 'add'} clusterScope: true"
            if owner in other
            else ""
        )
        _say(view, scope, (*path, "name"), "unknown-resource", message, suggest(owner, pool, label="found") + hint + WHERE)
        return
    known = [one.get("name", "") for one in (pool[owner].json.get("spec") or {}).get("templates") or ()]
    message = f'{what} calls template "{name}", which {kind} "{owner}" does not have'
    _say(view, scope, (*path, "template"), "unknown-template", message, suggest(name, known, label="it has"))


def _say(view: View, scope: str, path: Path, code: str, message: str, help_text: str) -> None:
    if scope == LOCAL:
        view.report_spec(path, code, message, help=help_text)
    else:
        view.report(scope, path, code, message, help=help_text)


def check_call_names(view: View) -> None:
    """Steps and tasks have names of their own within their template."""
    for key in view.resolved.templates:
        seen: dict[str, Path] = {}
        for path, call in view.calls(key):
            what = "task" if path[0] == "dag" else "step"
            name = name_of(view, key, call)
            problem = name_problem(_OF_STEPS.sub("x", name) if what == "step" else name, what)
            if "{{" in name and what == "task":
                message = f'the name of task "{name}" holds a tag whose value this file does not give'
                help_text = "let {{workflow.parameters.…}} stand in it, with a value under spec.arguments"
                view.report(key, (*path, "name"), "bad-name", message, help=help_text)
            elif problem:
                view.report(key, (*path, "name"), problem[0], problem[1], help=problem[2])
            elif name in seen:
                message = f'two {what}s of template "{title(key)}" are named "{name}"'
                view.report(key, (*path, "name"), "duplicate-name", message, help="rename one")
            seen.setdefault(name, path)


def check_loops(view: View) -> None:
    """At most one way to loop, with bounds that can be counted."""
    for key in view.resolved.templates:
        for path, call in view.calls(key):
            ways = [name for name in ("withItems", "withParam", "withSequence") if call.get(name) not in (None, "", [])]
            if len(ways) > 1:
                message = f'"{call.get("name")}" loops in two ways: {" and ".join(ways)}'
                view.report(key, (*path, ways[1]), "two-loops", message, help="keep one", within="key")
            _check_sequence(view, key, (*path, "withSequence"), call.get("withSequence") or {})


def _check_sequence(view: View, key: str, path: Path, sequence: Json) -> None:
    if sequence.get("count") is not None and sequence.get("end") is not None:
        message = "withSequence has both count and end"
        view.report(
            key, (*path, "end"), "bad-sequence", message, help="keep one: count is how many, end the last", within="key"
        )
    for name in ("count", "start", "end"):
        value = sequence.get(name)
        if isinstance(value, str) and "{{" not in value and not re.fullmatch(r"[+-]?[0-9]+", value):
            view.report(
                key,
                (*path, name),
                "bad-sequence",
                f'"{value}" is no whole number',
                help="write a number, or a {{tag}} that gives one",
            )


def check_hooks(view: View) -> None:
    """Hooks other than `exit` say when they run."""
    for name, hook in (view.spec.get("hooks") or {}).items():
        if name != "exit" and not hook.get("expression"):
            view.report_spec(("spec", "hooks", name), "missing-expression", _no_expression(name), help=_EXPRESSION)
    for key in view.resolved.templates:
        for path, call in view.calls(key):
            for name, hook in (call.get("hooks") or {}).items():
                if name != "exit" and not hook.get("expression"):
                    view.report(key, (*path, "hooks", name), "missing-expression", _no_expression(name), help=_EXPRESSION)


_EXPRESSION = 'write expression: steps["NAME"].status == "Failed", or the like; only the hook named exit needs none'


def _no_expression(name: str) -> str:
    return f'hook "{name}" has no expression: it would never run'
