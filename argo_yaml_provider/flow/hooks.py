"""Hooks: exit handlers, hooks that start on an expression, and the workflow's own of both kinds.

In: places of hook calls.  Out: how they are entered; which variables of the workflow they see.
Must not know: what tasks are. Argo: exit_handler.go, hooks.go, the end of operate().
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.quote import quote
from argo_yaml_provider.expr.template import replace_json, replace_json_strict
from argo_yaml_provider.flow import clock
from argo_yaml_provider.flow.beginnings import RUNNING, STATUS
from argo_yaml_provider.flow.entries import Absent, Entry, Place, Started
from argo_yaml_provider.flow.facts import Missing
from argo_yaml_provider.flow.frames import Frame
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.references import with_artifacts
from argo_yaml_provider.flow.results import Outputs, Result
from argo_yaml_provider.flow.scope import Scope, mark_absent
from argo_yaml_provider.flow.shutdown import TERMINATE, may_run, stopped
from argo_yaml_provider.flow.tree import hooks_of, is_loop
from argo_yaml_provider.flow.variables import submitted_arguments
from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind
from argo_yaml_provider.plan.templates import COMPOSITES, exit_hook, expression_hooks

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

EXIT, HOOKS = "onExit", "hooks."


class HookRules:
    """Who is called when something ends, or comes to a status."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def entry(self, place: Place) -> Entry:
        """A hook of a step or task."""
        parent = self._engine.parent(place)
        assert parent is not None
        frame = self._engine.frame_of(place)
        if frame is None:
            return Absent(reason="the template it lies in does not run")
        if is_loop(parent.call, parent.index):
            hooked = self._engine.loop_name(parent)
        else:
            entry = self._engine.entry(parent)
            if isinstance(entry, Absent):
                return entry
            hooked = entry.node
        node = f"{hooked}.{place.call.name}"
        result = self._engine.own_result(parent)
        if result is None:
            return Absent(reason=f"{hooked} does not exist")
        hook = self._hook(place.call, frame, parent)
        if hook is None or (result.raised and frame.place.call.kind is CallKind.STEPS):
            return Absent(reason=f"{hooked} did not run, or broke its group")
        if why := self._left_out(place, frame, parent):
            return Absent(reason=why)
        try:
            with clock.fixed(self._engine.facts, node):
                if place.call.name == EXIT:
                    if self._too_late(frame, parent, result):
                        return Absent(reason=f"nothing else was left to do when {hooked} turned out not to run")
                    return self._exit(hook, node, frame, parent, result)
                return self._on_expression(hook, node, frame, parent, result)
        except ExprError as error:
            return Absent(reason=f"{node}: {error.message}", wrong=True)

    def _hook(self, call: Call, frame: Frame, parent: Place) -> Json | None:
        """A hook as the filled-in template has it; in a steps template with the item of its loop. None: its step has none.

        Argo: nodeSteps of executeStepGroup, which holds the steps that were called; executeDAGTask takes the task as written.
        """
        if frame.place.call.kind is CallKind.DAG:
            step = self._engine.dags.tasks(frame)[self._task_name(frame, parent)]
        else:
            entry = self._engine.entry(parent)
            if not isinstance(entry, Started):
                return None
            step = entry.step
        return exit_hook(step) if call.name == EXIT else expression_hooks(step).get(call.name.removeprefix(HOOKS))

    def _too_late(self, frame: Frame, parent: Place, result: Result) -> bool:
        """Whether a dag was over before it came to the exit handler of a task that did not run. Argo: executeDAGTask."""
        unrun = result.type == "Skipped" or (result.raised and not result.attempts and parent.call.kind not in COMPOSITES)
        if frame.place.call.kind is not CallKind.DAG or not unrun:
            return False
        return self._engine.dags.ends_with(frame, self._task_name(frame, parent), result)

    def _left_out(self, place: Place, frame: Frame, parent: Place) -> str:
        """Why Argo never comes to this hook: another of its step is wrong, or its group breaks before. '' if it does."""
        exits = place.call.name == EXIT
        if exits and self.terminated(place):
            return stopped(TERMINATE)
        if exits and (why := self.wrong(parent, exits=False)):
            return why
        if frame.place.call.kind is CallKind.DAG:
            return ""
        group, own = self._group(parent), self._position(frame, parent)
        if why := self._engine.steps.begun_broken(frame, group):
            return why
        key = ("wrong hook", frame.key, group)
        after, why = self._engine.remember(key, lambda: self._wrong_from_the_start(frame, group))
        return why if exits or own > after else ""

    def _wrong_from_the_start(self, frame: Frame, group: int) -> tuple[int, str]:
        """The first member of a group with a hook whose expression cannot be evaluated even as it begins, and why."""
        for position, call in enumerate(frame.place.call.groups[group]):
            for place, _ in self._engine.steps.beginnings(frame, group, call):
                for hook in (hook for hook in place.call.hooks if hook.name != EXIT):
                    if why := self._wrong_as_it_begins(hook, frame, place):
                        return position, why
        return len(frame.place.call.groups[group]), ""

    def _wrong_as_it_begins(self, call: Call, frame: Frame, parent: Place) -> str:
        hook = self._hook(call, frame, parent)
        if hook is None:
            return ""
        try:
            self._holds(hook, self._scope(hook, frame, parent, Phase.PENDING.value), frame.variables)
        except ExprError as error:
            return error.message
        return ""

    def _position(self, frame: Frame, place: Place) -> int:
        """Where a member stands in its group."""
        stand = self._engine.tree.stands[place.call.id]
        call = stand.parent if stand.role == "turn" and stand.parent is not None else place.call
        return [member.id for member in frame.place.call.groups[self._group(place)]].index(call.id)

    def terminated(self, place: Place) -> bool:
        """Whether an exit handler is not begun, for the run was terminated before."""
        engine = self._engine
        if may_run(engine.facts.shutdown, exits=True):
            return False
        outcomes = [engine.source.outcome(task, place.index) for task in engine.tree.tasks_of(place.call)]
        return not any(outcome is not None and outcome.phase is not Phase.ABSENT for outcome in outcomes)

    def _exit(self, hook: Json, node: str, frame: Frame, parent: Place, result: Result) -> Entry:
        if not result.completed:
            return Absent(reason=f"its step is {result.phase.value}")
        scope = self._scope(hook, frame, parent, result.phase.value)
        if hook.get("expression") and not self._holds(hook, scope, frame.variables):
            return Absent(reason=f"its expression is false: {hook['expression']}")
        arguments = self._arguments(hook)
        resolved = self._resolved(arguments, frame, parent, result.outputs, scope) if arguments else arguments
        return Started(node=node, step={**_called(hook), "arguments": resolved})

    def _on_expression(self, hook: Json, node: str, frame: Frame, parent: Place, result: Result) -> Entry:
        """It starts once its expression holds: while the step runs, or when it has ended."""
        looped = is_loop(parent.call, parent.index)
        ran = result.type == "TaskGroup" if looped else isinstance(self._engine.entry(parent), Started)
        phases = ([Phase.RUNNING] if ran else []) + ([result.phase] if result.fulfilled else [])
        for phase in phases:
            scope = self._scope(hook, frame, parent, phase.value)
            if self._holds(hook, scope, frame.variables):
                arguments = hook.get("arguments") or {}
                outputs = result.outputs if phase is result.phase else None
                if arguments and outputs is not None:
                    arguments = self._resolved(arguments, frame, parent, outputs, scope)
                return Started(node=node, step={**_called(hook), "arguments": arguments})
        self._wait_for(parent.call, result)
        return Absent(reason=f"its expression never held: {hook.get('expression')}")

    def _wait_for(self, call: Call, result: Result) -> None:
        """A hook that watches a step is asked again when that has moved on."""
        if self._engine.live and not result.fulfilled:
            raise Missing("change", *self._engine.tree.tasks_of(call))

    def _holds(self, hook: Json, scope: Scope, variables: Mapping[str, Any]) -> bool:
        from argo_yaml_provider.expr.evaluator import evaluate_bool

        return evaluate_bool(hook.get("expression") or "", scope.params(variables))

    def _scope(self, hook: Json, frame: Frame, parent: Place, status: str) -> Scope:
        """What the step around could speak of, and the step's own status."""
        text = gojson.dumps(hook)
        if frame.place.call.kind is CallKind.DAG:
            name = self._task_name(frame, parent)
            scope = self._engine.dags.scope(frame, name, text)
            scope.values[f"tasks.{name}.status"] = status
            return scope
        scope = self._engine.steps.scope(frame, self._group(parent), text)
        scope.values[f"steps.{self._engine.turn_name(parent)}.status"] = status
        return scope

    def _task_name(self, frame: Frame, place: Place) -> str:
        """The name of the task, without that of its item."""
        above = self._engine.tree.parent(place.call)
        turned = above is not None and above.loop is LoopKind.UNROLLED
        return self._engine.dags.name_of(frame, above if above is not None and turned else place.call)

    def _group(self, place: Place) -> int:
        stand = self._engine.tree.stands[place.call.id]
        return self._engine.tree.stands[stand.parent.id].group if stand.role == "turn" and stand.parent else stand.group

    def _resolved(self, arguments: Json, frame: Frame, parent: Place, outputs: Outputs | None, scope: Scope) -> Json:
        """Arguments, which may speak of the step's own outputs. Argo: resolveExitTmplArgument."""
        which = "tasks" if frame.place.call.kind is CallKind.DAG else "steps"
        name = self._task_name(frame, parent) if which == "tasks" else self._engine.turn_name(parent)
        for parameter, value in (outputs.parameters if outputs else {}).items():
            scope.values[f"{which}.{name}.outputs.parameters.{parameter}"] = value or ""
        for artifact, found in (outputs.artifacts if outputs else {}).items():
            scope.values[f"{which}.{name}.outputs.artifacts.{artifact}"] = found
        marked = mark_absent(arguments, scope)
        resolved = replace_json_strict(marked, scope.params(frame.variables), prefixes=())
        return dict(with_artifacts({"arguments": resolved}, scope, dag=False)["arguments"])

    def _arguments(self, hook: Json) -> Json:
        """An exit handler's own arguments, else the workflow's."""
        own: Json = hook.get("arguments") or {}
        if own.get("parameters") or own.get("artifacts"):
            return own
        return submitted_arguments(self._engine.plan, self._engine.facts)

    def workflow_entry(self, place: Place) -> Entry:
        """The workflow's exit handler or one of its hooks."""
        node = f"{self._engine.facts.name}.{place.call.name}"
        result = self._engine.result(self._engine.root)
        if result is None or result.raised:
            return Absent(reason="the entrypoint could not be called")
        if place.call.name == EXIT:
            if not result.fulfilled:
                return Absent(reason="the workflow is not over")
            if self.terminated(place):
                return Absent(reason=stopped(TERMINATE))
            return Started(node=node, step={"arguments": self._arguments(place.call.source)})
        try:
            with clock.fixed(self._engine.facts, node):
                return self._workflow_hook(place, node, result)
        except ExprError as error:
            return Absent(reason=f"{node}: {error.message}", wrong=True)

    def _workflow_hook(self, place: Place, node: str, result: Result) -> Entry:
        base = self._engine.variables
        moments: list[dict[str, str]] = [base]
        if result.fulfilled:
            moments.append(base | self.final_variables())
        for variables in moments:
            hook = self._of_spec(place.call)
            if self._holds(hook, Scope(), variables):
                return Started(node=node, step={"arguments": hook.get("arguments") or {}})
        self._wait_for(self._engine.plan.root, result)
        return Absent(reason=f"its expression never held: {place.call.source.get('expression')}")

    def _of_spec(self, hook: Call) -> Json:
        """A hook of the workflow, as the spec has it once its tags are replaced. Argo: substituteGlobalVariables."""
        known = {name: value for name, value in self._engine.variables.items() if name != STATUS}
        return self._engine.remember(("spec hook", hook.id), lambda: dict(replace_json(hook.source, known)))

    def variables(self, place: Place) -> Mapping[str, str]:
        """`workflow.*` as a call sees it."""
        return self._engine.remember(("variables", place.key), lambda: self._variables(place))

    def _variables(self, place: Place) -> Mapping[str, str]:
        top = place.call
        while (above := self._engine.tree.parent(top)) is not None:
            top = above
        variables = self._engine.variables
        if not variables[STATUS]:
            variables = variables | RUNNING
        found = self._engine.globals.parameters(place)
        if found:
            variables = variables | found
        if top is self._engine.plan.root:
            return variables
        result = self._engine.result(self._engine.root)
        if result is None or not result.fulfilled or (top in self._engine.plan.hooks and self._began_early(top)):
            return variables
        return variables | self.final_variables(hooks=top is self._engine.plan.on_exit)

    def _began_early(self, hook: Call) -> bool:
        """Whether a hook of the workflow has begun while that ran."""
        return self._holds(self._of_spec(hook), Scope(), self._engine.variables)

    def final_variables(self, *, hooks: bool = False) -> dict[str, str]:
        """What is known once the entrypoint is over; `hooks`: once the workflow's hooks are, too."""
        return self._engine.remember(("final variables", hooks), lambda: self._final_variables(hooks=hooks))

    def _final_variables(self, *, hooks: bool) -> dict[str, str]:
        result = self._engine.result(self._engine.root)
        assert result is not None
        seconds = 0.0
        if result.finished_at:
            begun = self._engine.facts.restarted_at or self._engine.facts.created_at
            seconds = (clock.nanoseconds(result.finished_at) - clock.nanoseconds(begun)) / clock.SECOND
        return {
            "workflow.status": workflow_phase(result.phase).value,
            "workflow.failures": quote(gojson.dumps(self._engine.failures(hooks=hooks) or None)),
            "workflow.duration": f"{max(seconds, 0.0):f}",
        }

    def wrong(self, place: Place, *, exits: bool) -> str:
        """What is wrong with a hook of this step (`exits`: its exit handler included); '' if nothing is."""
        for hook in hooks_of(place.call, place.index):
            entry = self._entry_now(Place(hook, place.index)) if exits or hook.name != EXIT else None
            if isinstance(entry, Absent) and entry.wrong:
                return entry.reason
        return ""

    def wrong_of_workflow(self) -> str:
        """What is wrong with a hook of the workflow; '' if nothing is."""
        entries = [self._entry_now(Place(hook, -1)) for hook in self._engine.plan.hooks]
        return next((entry.reason for entry in entries if isinstance(entry, Absent) and entry.wrong), "")

    def _entry_now(self, place: Place) -> Entry | None:
        """How a hook was entered; None: it still waits for its moment."""
        try:
            return self._engine.entry(place)
        except Missing as missing:
            if missing.kind != "change":
                raise
            return None

    def unfinished(self, place: Place) -> bool:
        """Whether a hook of this step still runs: then the step counts as not over."""
        call = place.call
        if not (call.hooks or call.loop_hooks or any(turn.hooks for turn in call.turns)):
            return False
        instances = self._engine.composites.instances(place)
        return any(self._unfinished(one) for one in (instances if instances == [place] else [*instances, place]))

    def _unfinished(self, place: Place) -> bool:
        for hook in hooks_of(place.call, place.index):
            try:
                result = self._engine.result(Place(hook, place.index))
            except Missing as missing:
                if missing.kind != "change":
                    raise
                continue
            if result is not None and not result.fulfilled:
                return True
        return False


def _called(hook: Json) -> Json:
    """What names the template that a hook calls."""
    return {field: hook[field] for field in ("template", "templateRef") if field in hook}


def workflow_phase(phase: Phase) -> Phase:
    """The workflow's phase for that of its root node."""
    return Phase.SUCCEEDED if phase in (Phase.SKIPPED, Phase.OMITTED) else phase
