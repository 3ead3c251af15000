"""Simple tags: every name that a `{{…}}` refers to is there, where it is referred to.

In: `View`.  Out: problems.
Must not know: values. Argo: resolveAllVariables, addOutputsToScope, validateSteps, validateDAG. As in Argo, only names that
begin with one of `PREFIXES` are looked at, and never what stands in `{{=…}}`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.tags import find_tags
from argo_yaml_provider.resolve.checks.dags import ancestors, tasks_of
from argo_yaml_provider.resolve.checks.known import known_tasks, name_of
from argo_yaml_provider.resolve.checks.view import PODS, View, is_leaf, texts, title, type_of
from argo_yaml_provider.resolve.checks.visits import OUTPUTS, TARGET, Visits, has_exit_hook
from argo_yaml_provider.resolve.references import key_of
from argo_yaml_provider.spec.problems import suggest
from argo_yaml_provider.spec.resource import Json, Path

PREFIXES = ("item.", "steps.", "inputs.", "outputs.", "pod.", "workflow.", "tasks.")
_LATE = (
    "outputs.",
    "workflow.creationTimestamp",
    "workflow.scheduledTime",
    "workflow.duration",
    "tasks.name",
    "steps.name",
    "node.name",
)
_FIXED = (
    *("workflow.name", "workflow.namespace", "workflow.uid", "workflow.serviceAccountName"),
    *("workflow.mainEntrypoint", "workflow.status"),
    *("workflow.annotations", "workflow.annotations.json", "workflow.labels", "workflow.labels.json"),
)
_DECLARED = {
    "inputs.parameters.": "the template has no such inputs.parameters: declare it there",
    "inputs.artifacts.": "the template has no such inputs.artifacts: declare it there",
    "workflow.parameters.": "the workflow has no parameters: declare it under spec.arguments.parameters",
    "workflow.outputs.parameters.": "nothing that is called before has an output parameter of this globalName",
    "workflow.outputs.artifacts.": "nothing that is called before has an output artifact of this globalName",
    "workflow.labels.": "the workflow has no labels of its own: set it under metadata.labels",
    "workflow.annotations.": "the workflow has no annotations of its own: set it under metadata.annotations",
    "item.": "it is known only in a step or task that loops over maps",
}
"""What to say where nothing of the kind is there."""
_OF_EVERY_CALL = ("id", "startedAt", "finishedAt", "hostNodeName")


Names = Collection[str]
Outputs = tuple[set[str], tuple[str, ...]]
"""Names, and prefixes below which any name may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What can be referred to at one place, in layers, so that thousands of steps can share what they all see."""

    layers: tuple[Names, ...]
    open: tuple[str, ...] = ()
    """Prefixes below which any name may come at run time."""
    visits: Visits | None = None
    """What global outputs are known where; None: all are everywhere."""

    def plus(self, names: Names, open_: tuple[str, ...] = ()) -> Scope:
        """A wider one."""
        return Scope(layers=(*self.layers, names), open=(*self.open, *open_), visits=self.visits)

    def at(self, key: str, path: Path) -> Scope:
        """With the global outputs that are known at a place of a template."""
        return self if self.visits is None else self.plus(*self.visits.at(key, path))

    def holds(self, name: str) -> bool:
        """Whether the name can be referred to."""
        return any(name in layer for layer in self.layers) or name.startswith(self.open)

    @property
    def names(self) -> set[str]:
        """All that is known, for suggestions."""
        return {name for layer in self.layers for name in layer}


@dataclass(slots=True)
class _Seen:
    """The outputs of the steps that came before; it grows from group to group."""

    names: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)

    def add(self, outputs: Outputs, status: str) -> None:
        self.names |= outputs[0] | {status}
        self.open |= set(outputs[1])


class _Upstream(Collection[str]):
    """What a DAG task sees of its ancestors."""

    def __init__(self, mask: int, bits: dict[str, int], outputs: dict[str, Outputs]) -> None:
        self._mask, self._bits, self._outputs = mask, bits, outputs

    def __contains__(self, name: object) -> bool:
        task = str(name).split(".")[1] if str(name).startswith("tasks.") else ""
        if not self._mask & self._bits.get(task, 0):
            return False
        names, open_ = self._outputs[task]
        return name in names or name == f"tasks.{task}.status" or str(name).startswith(open_)

    def __iter__(self) -> Iterator[str]:
        for task, bit in self._bits.items():
            if self._mask & bit:
                yield from self._outputs[task][0]
                yield f"tasks.{task}.status"

    def __len__(self) -> int:
        return sum(1 for _ in self)


def check_tags(view: View) -> None:
    """Every tag of every template."""
    world = _global_scope(view)
    for key, template in view.templates():
        if "/inline/" not in key:
            _check_template(view, key, template, world)


def _check_template(view: View, key: str, template: Json, above: Scope) -> None:
    scope = above.plus(_input_names(template))
    if type_of(template) in PODS:
        scope = scope.plus({"pod.name"})
    if template.get("steps") is not None:
        scope = _check_steps(view, key, template, scope)
    elif template.get("dag") is not None:
        scope = _check_dag(view, key, template, scope)
    else:
        inner = {
            name: value for name, value in template.items() if name not in {"outputs", "metrics", "memoize", "synchronization"}
        }
        _check_texts(view, key, inner, (), scope.at(key, ()))
    _check_texts(view, key, template.get("outputs") or {}, OUTPUTS, scope.at(key, OUTPUTS))


def _check_steps(view: View, key: str, template: Json, scope: Scope) -> Scope:
    """Steps in order; a step sees those of the groups before it, and of itself its status.

    Its hooks see its outputs, too, if one of them is an exit handler: HasExitHook.
    """
    everyone = {name_of(view, key, step) for _, step in view.calls(key)}
    seen, items = _Seen(), _Seen()
    for index, group in enumerate(template["steps"]):
        before = scope.plus(seen.names, tuple(seen.open)).plus(items.names, tuple(items.open))
        ended = []
        for at, step in enumerate(group):
            status, own = f"steps.{name_of(view, key, step)}.status", _output_names(view, key, step, "steps")
            path: Path = ("steps", index, at)
            here = before.plus({status}).plus(*_item_names(step)).at(key, path)
            in_hooks = here.plus(*own) if has_exit_hook(step) else here
            _check_call(view, key, step, path, _Places(here=here, in_hooks=in_hooks, others=everyone, word="steps"))
            ended.append((own, status, _item_names(step)))
        for own, status, item in ended:
            seen.add(own, status)
            items.add(item, status)
    return scope.plus(seen.names, tuple(seen.open))


def _check_dag(view: View, key: str, template: Json, scope: Scope) -> Scope:
    """Tasks see their ancestors; the template's outputs see all tasks."""
    tasks = {task.get("name", ""): task for task in tasks_of(template)}
    outputs = {name: _output_names(view, key, task, "tasks") for name, task in tasks.items()}
    bits = {name: 1 << index for index, name in enumerate(tasks)}
    masks = ancestors({task.get("name", ""): task for task in known_tasks(view, key)}, bits)
    _check_texts(view, key, (template.get("dag") or {}).get("target") or "", TARGET, scope.at(key, TARGET))
    for index, task in enumerate(tasks_of(template)):
        name, path = task.get("name", ""), ("dag", "tasks", index)
        here = scope.plus(_Upstream(masks[name], bits, outputs)).plus(*_item_names(task)).at(key, path)
        in_hooks = here.plus(*outputs[name]).plus({f"tasks.{name_of(view, key, task)}.status"})
        _check_own_name(view, key, task, index)
        _check_call(view, key, task, path, _Places(here=here, in_hooks=in_hooks, others=tasks, word="tasks"))
    return scope.plus(_Upstream((1 << len(tasks)) - 1, bits, outputs))


def _check_own_name(view: View, key: str, task: Json, index: int) -> None:
    """Argo takes the word behind `{{tasks.` at an argument's beginning for a task: validateDAGTaskArgumentDependency."""
    for number, parameter in enumerate((task.get("arguments") or {}).get("parameters") or ()):
        if str(parameter.get("value") or "").startswith("{{tasks.name}}"):
            path = ("dag", "tasks", index, "arguments", "parameters", number, "value")
            message = (
                f'argument "{parameter.get("name", "")}" cannot begin with {{{{tasks.name}}}}: it is taken for a task "name"'
            )
            view.report(key, path, "unknown-step", message, help=f"write the name itself: {task.get('name', '')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Scopes of one step or task."""

    here: Scope
    in_hooks: Scope
    others: Names
    """The names of all steps or tasks of the template."""
    word: str


def _check_call(view: View, key: str, call: Json, path: Path, places: _Places) -> None:
    for name, value in call.items():
        if name == "inline":
            inline = key_of(key, call)
            _check_template(view, inline, view.raw(inline), places.here)
        elif name in {"hooks", "onExit"}:
            _check_texts(view, key, value, (*path, name), places.in_hooks, places)
        else:
            _check_texts(view, key, value, (*path, name), places.here, places)


def _check_texts(view: View, key: str, value: Any, path: Path, scope: Scope, places: _Places | None = None) -> None:
    for where, text in texts(value, path):
        for name, offset, length in _names_in(text):
            if not scope.holds(name):
                code, message, help_text = _explain(key, name, scope, places)
                view.report(key, where, code, message, help=help_text, within=(offset, length))


def _names_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Names to be checked, each with the place of its tag."""
    if "{{" not in text:
        return
    try:
        tags = find_tags(text)
    except ExprError:
        return
    for tag in tags:
        name = tag.inner.strip()
        if not tag.expression and name.startswith(PREFIXES) and not name.startswith(_LATE) and "{{" not in name:
            yield name, tag.start, tag.end - tag.start


def _explain(key: str, name: str, scope: Scope, places: _Places | None) -> tuple[str, str, str]:
    """Code, message and help for a name that is not there."""
    word, _, rest = name.partition(".")
    call = rest.partition(".")[0]
    if places and word == places.word and call in places.others:
        one = word.removesuffix("s")
        known = [known for known in scope.names if known.startswith(f"{word}.{call}.")]
        if set(known) - {f"{word}.{call}.status"}:
            return (
                "unknown-tag",
                f'{one} "{call}" has no {rest.partition(".")[2]}',
                suggest(name, sorted(known), label="it has"),
            )
        wait = "it must stand in an earlier group" if word == "steps" else "add it to depends or dependencies"
        return "not-upstream", f'{{{{{name}}}}}: {one} "{call}" has not ended when this runs', wait
    if places and word == places.word:
        return (
            "unknown-step",
            f'{{{{{name}}}}}: no {word.removesuffix("s")} is named "{call}"',
            suggest(call, sorted(places.others), label=word),
        )
    kind = next((one for one in _DECLARED if name.startswith(one)), f"{word}.")
    known = sorted(one for one in scope.names if one.startswith(kind) and not one.endswith(".json"))
    message = f'{{{{{name}}}}} refers to nothing in template "{title(key)}"'
    if not known and kind in _DECLARED:
        return "unknown-tag", message, _DECLARED[kind]
    return "unknown-tag", message, suggest(name, known, label="known here")


def _input_names(template: Json) -> set[str]:
    inputs = template.get("inputs") or {}
    names = {f"inputs.parameters.{one.get('name')}" for one in inputs.get("parameters") or ()}
    names.add("inputs.parameters")
    for one in inputs.get("artifacts") or ():
        names.add(f"inputs.artifacts.{one.get('name')}")
        if is_leaf(template):
            names.add(f"inputs.artifacts.{one.get('name')}.path")
    return names


def _item_names(call: Json) -> Outputs:
    """`{{item.…}}` of a loop; that of withParam is known only at run time."""
    if call.get("withParam"):
        return set(), ("item.",)
    names: set[str] = set()
    for item in call.get("withItems") or ():
        if isinstance(item, dict):
            names |= {f"item.{key}" for key in item}
        elif isinstance(item, list):
            names |= {f"item.[{index}]" for index in range(len(item))}
    return names, ()


def _output_names(view: View, key: str, call: Json, word: str) -> Outputs:
    """What others can refer to of a step or task; all, where its template is known only at run time."""
    prefix = f"{word}.{name_of(view, key, call)}"
    names = {f"{prefix}.{one}" for one in _OF_EVERY_CALL}
    target = key_of(key, call)
    if target not in view.resolved.templates:
        return names, (f"{prefix}.",)
    template = view.resolved.templates[target]
    looped = bool(call.get("withItems") or call.get("withParam") or call.get("withSequence"))
    if template.get("daemon"):
        names.add(f"{prefix}.ip")
    if _has_result(template) or (looped and type_of(template) in {"script", "containerSet"}):
        names |= {f"{prefix}.outputs.result", f"{prefix}.exitCode"}
    for what in ("parameters", "artifacts"):
        names |= {f"{prefix}.outputs.{what}.{one.get('name')}" for one in (template.get("outputs") or {}).get(what) or ()}
    if looped:
        names.add(f"{prefix}.outputs.parameters")
    return names, ()


def _has_result(template: Json) -> bool:
    """Argo: Template.HasOutput."""
    inner = (template.get("containerSet") or {}).get("containers") or ()
    return any(template.get(one) is not None for one in ("container", "script", "data", "http", "plugin")) or any(
        one.get("name") == "main" for one in inner
    )


def _global_scope(view: View) -> Scope:
    """`workflow.…`: what is fixed, what the object declares, what templates publish by globalName."""
    names = set(_FIXED)
    for one in (view.spec.get("arguments") or {}).get("parameters") or ():
        names |= {f"workflow.parameters.{one.get('name')}", "workflow.parameters", "workflow.parameters.json"}
    metadata, more = view.resolved.workflow.get("metadata") or {}, view.spec.get("workflowMetadata") or {}
    for what in ("annotations", "labels"):
        names |= {f"workflow.{what}.{one}" for one in {**(metadata.get(what) or {}), **(more.get(what) or {})}}
    names |= {f"workflow.labels.{one}" for one in more.get("labelsFrom") or ()}
    names |= {"workflow.priority"} if view.spec.get("priority") is not None else set()
    if not view.is_library:
        return Scope(layers=(names,), visits=Visits(view))
    published, open_ = _published(view)
    return Scope(layers=(names | published,), open=(*open_, "workflow.parameters"))


def _published(view: View) -> tuple[set[str], tuple[str, ...]]:
    """Global names of all that a library has: who calls it is not known."""
    named = {
        f"workflow.outputs.{what}.{one.get('globalName') or ''}"
        for _, template in view.templates()
        for what in ("parameters", "artifacts")
        for one in (template.get("outputs") or {}).get(what) or ()
    }
    tagged = {name.partition("{{")[0] for name in named if "{{" in name}
    return {name for name in named if "{{" not in name}, tuple(sorted(tagged))
