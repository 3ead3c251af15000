"""Everything a pod needs, once it is clear that it runs.

In: an Execution, the attempts so far.  Out: Decision.
Must not know: gates; how pods are built.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.flow import clock
from argo_yaml_provider.flow import retry as retries
from argo_yaml_provider.flow.affinity import avoiding
from argo_yaml_provider.flow.beginnings import RUNNING
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.entries import Execution, Place
from argo_yaml_provider.flow.identity import pod_name
from argo_yaml_provider.flow.inputs import substitute_params
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.scope import Scope
from argo_yaml_provider.plan.nodes import CallKind, Json

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

_OF_BOUNDARY = ("nodeSelector", "tolerations", "affinity")


class Decider:
    """Fills in what is left for an attempt."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def decision(self, found: Execution, attempts: tuple[Attempt, ...]) -> Decision:
        """What the next attempt runs."""
        engine, call = self._engine, found.place.call
        strategy = self.strategy(found)
        node = found.node if strategy is None else f"{found.node}({len(attempts)})"
        try:
            template = found.template if strategy is None else self._for_attempt(found, node, attempts)
            if ((strategy or {}).get("affinity") or {}).get("nodeAntiAffinity") is not None:
                template = {**template, "affinity": avoiding(self._affinity(found, template), attempts)}
            deadline = self._seconds_left(found, template, strategy, attempts)
            workflow = self._workflow(found)
        except ExprError as error:
            return Decision(outcome=Outcome(phase=Phase.ERROR, message=error.message, values={"before": True}))
        if deadline is not None and deadline <= 0:
            if strategy is not None and not attempts:
                attempts = (Attempt(phase=Phase.FAILED, message="Step exceeded its deadline"),)
            return Decision(outcome=Outcome(phase=Phase.FAILED, message="Step exceeded its deadline", attempts=attempts))
        includes = "data" in template or engine.composites.includes_result(found.place)
        return Decision(
            kind=call.kind,
            node=node,
            template=template,
            workflow=workflow,
            variables=dict(found.variables),
            boundary=self._boundary(found.place),
            include_result=includes,
            attempt=len(attempts),
            deadline_seconds=deadline,
            child=call.child or engine.plan.dynamic.get(engine.called(found.place, found.step), ""),
            child_conf=self._child_conf(found, node, template, _tries(attempts) if strategy is not None else {})
            if call.kind is CallKind.CHILD
            else {},
        )

    def strategy(self, found: Execution) -> Json | None:
        """The retryStrategy with its tags replaced."""
        written = self._engine.strategy(found.place)
        if written is None:
            return None
        own: Json | None = found.template.get("retryStrategy")
        return dict(replace_json(written, found.variables)) if own is None else own

    def _for_attempt(self, found: Execution, node: str, attempts: tuple[Attempt, ...]) -> Json:
        """The template with `retries`, `lastRetry.*` and `pod.name` replaced. Argo: executeTemplate."""
        known = _tries(attempts)
        if found.place.call.kind in (CallKind.POD, CallKind.RESOURCE):
            known["pod.name"] = pod_name(self._engine.facts.name, node, str(found.template.get("name") or ""))
        with clock.fixed(self._engine.facts, node):
            return substitute_params(found.template, found.variables, known)

    def _workflow(self, found: Execution) -> Json:
        """The spec with the workflow's variables in place; volumes may also speak of steps."""
        engine = self._engine
        key = ("spec", tuple(sorted(found.variables)) if found.variables is not engine.variables else ())
        spec: Json = engine.share(key, lambda: replace_json(engine.spec, found.variables), of=found.variables)
        text = gojson.dumps(spec.get("volumes"))
        if "{{" not in text:
            return spec
        volumes = replace_json(spec["volumes"], self._around(found.place, text).params(found.variables))
        return {**spec, "volumes": volumes}

    def _around(self, place: Place, text: str) -> Scope:
        """What the composite around a call lets it speak of. Argo: substituteParamsInVolumes."""
        engine = self._engine
        frame = engine.frame_of(place)
        if frame is None:
            return Scope()
        above = place
        while engine.tree.stands[above.call.id].role != "member":
            parent = engine.parent(above)
            if parent is None:
                return Scope()
            above = parent
        if frame.place.call.kind is CallKind.DAG:
            return engine.dags.scope(frame, engine.dags.name_of(frame, above.call), text)
        return engine.steps.scope(frame, engine.tree.stands[above.call.id].group, text)

    def _boundary(self, place: Place) -> Json:
        frame = self._engine.frame_of(place)
        if frame is None:
            return {}
        return {field: frame.template[field] for field in _OF_BOUNDARY if frame.template.get(field)}

    def _affinity(self, found: Execution, template: Json) -> Json | None:
        """The pod's affinity: the template's, else the composite's around it, else the workflow's."""
        around = self._boundary(found.place)
        written: Json | None = template.get("affinity") or around.get("affinity") or self._engine.spec.get("affinity")
        return written

    def _child_conf(self, found: Execution, node: str, template: Json, tries: dict[str, str]) -> Json:
        """What a child run takes over."""
        inputs: Json = template.get("inputs") or {}
        return {
            "inputs": {name: inputs.get(name) or [] for name in ("parameters", "artifacts")},
            "globals": dict(found.variables) | (RUNNING if tries.get("retries", "0") != "0" else {}),
            **({"locals": tries} if tries else {}),
            "node": node,
            "depth": self._engine.facts.depth + 1,
            **({"result": True} if self._engine.composites.includes_result(found.place) else {}),
            **({"restarted": restarted} if (restarted := self._engine.facts.restarted_at) else {}),
            **({"shutdown": shutdown} if (shutdown := self._engine.facts.shutdown) else {}),
            **({"submissions": submissions} if (submissions := self._engine.facts.submissions) else {}),
        }

    def workflow_deadline(self, place: Place) -> int | None:
        """When the workflow's time is up, in nanoseconds; exit handlers are exempt."""
        seconds = self._engine.spec.get("activeDeadlineSeconds")
        if seconds is None or self.in_exit_handler(place):
            return None
        facts = self._engine.facts
        return clock.nanoseconds(facts.restarted_at or facts.created_at) + int(seconds) * clock.SECOND

    def in_exit_handler(self, place: Place) -> bool:
        """Whether it is an exit handler, of the workflow or of a step, or belongs to one."""
        call = place.call
        while (stand := self._engine.tree.stands[call.id]).parent is not None:
            if stand.role == "hook" and call.name == "onExit":
                return True
            call = stand.parent
        return call is self._engine.plan.on_exit or ".onExit" in self._engine.facts.node

    def _seconds_left(
        self, found: Execution, template: Json, strategy: Json | None, attempts: tuple[Attempt, ...]
    ) -> float | None:
        """The least of the template's, the retry's and the workflow's time."""
        now = time.time_ns()
        limits: list[float] = []
        if found.place.call.kind is not CallKind.CHILD:
            own: Any = template.get("activeDeadlineSeconds")
            if own is not None:
                limits.append(float(retries.whole(own) or 0))
            if template.get("timeout"):
                limits = [retries.parse_duration(str(template["timeout"])) / clock.SECOND]
        end = self.workflow_deadline(found.place)
        if end is not None:
            limits.append((end - now) / clock.SECOND)
        longest = (strategy or {}).get("backoff", {}).get("maxDuration")
        if longest and attempts:
            started = clock.nanoseconds(attempts[0].started_at)
            limits.append((started + retries.parse_duration(str(longest)) - now) / clock.SECOND)
        return min(limits, default=None)


def _tries(attempts: tuple[Attempt, ...]) -> dict[str, str]:
    """`retries` and `lastRetry.*`, as the next attempt sees them."""
    from argo_yaml_provider.expr.rendering import render_go

    last = attempts[-1] if attempts else None
    seconds = 0.0
    if last is not None and last.finished_at:
        seconds = (clock.nanoseconds(last.finished_at) - clock.nanoseconds(last.started_at)) / clock.SECOND
    return {
        "retries": str(len(attempts)),
        "lastRetry.exitCode": (last.exit_code if last is not None else None) or "0",
        "lastRetry.status": last.phase.value if last is not None else "",
        "lastRetry.duration": render_go(seconds) if last is not None else "0",
        "lastRetry.message": last.message if last is not None else "",
    }
