"""`workflow.status` as a workflow begins: what Argo calls before any pod has run knows no status yet.

In: places.  Out: the variables with which their templates are filled in.
Must not know: hooks, whose expressions are asked once it is Running. Argo: setGlobalRuntimeParameters, markWorkflowRunning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.flow.entries import Place
from argo_yaml_provider.flow.frames import Frame
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.plan.nodes import Call, Json, TaskKind
from argo_yaml_provider.plan.templates import COMPOSITES, kind_of

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

STATUS = "workflow.status"
RUNNING = {STATUS: Phase.RUNNING.value}
Variables = Mapping[str, Any]
_AT_ONCE = (Phase.SKIPPED, Phase.OMITTED, Phase.ABSENT)


class Beginnings:
    """Who is called in Argo's first pass over a workflow."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def variables(self, place: Place, template: Json, known: Variables) -> Variables:
        """`workflow.*` for what is called here. A composite's members are asked each for itself."""
        if kind_of(template) in COMPOSITES and place.call.kind in COMPOSITES:
            return known
        return self._seen(place, known) if STATUS in gojson.dumps(template) else known

    def for_template(self, template: Json, known: Variables) -> Variables:
        """The same without what a composite's members see each in its own time."""
        if kind_of(template) not in COMPOSITES or STATUS not in gojson.dumps(template):
            return known
        return {name: value for name, value in known.items() if name != STATUS}

    def of_member(self, frame: Frame, call: Call, text: str) -> Variables:
        """`workflow.*` for the arguments and conditions of a member."""
        return self._seen(Place(call, frame.place.index), frame.variables) if STATUS in text else frame.variables

    def _seen(self, place: Place, known: Variables) -> Variables:
        return {**known, STATUS: ""} if known.get(STATUS) == Phase.RUNNING and self._at_once(place) else known

    def _at_once(self, place: Place) -> bool:
        engine = self._engine
        if engine.spec.get("suspend") or engine.facts.globals.get(STATUS):
            return False
        before = engine.globals.tasks_before(place.call)
        steps = [task.id for task in engine.plan.tasks if task.id in before and task.kind is TaskKind.STEP]
        return all(self._took_no_time(task, place) for task in steps)

    def _took_no_time(self, task: str, place: Place) -> bool:
        outcome = self._engine.source.outcome(task, -1) or self._engine.source.outcome(task, place.index)
        return outcome is not None and (outcome.phase in _AT_ONCE or bool(outcome.values.get("before")))
