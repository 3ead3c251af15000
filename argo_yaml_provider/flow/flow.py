"""What tasks ask: what to do, what to map over, whether to try again, how the workflow ended.

In: Plan, RunFacts, Source.  Out: Decision, Retry, Outcome, and the node tree.
Must not know: Airflow, Kubernetes, who asks. A question that needs more than the source holds raises `Missing`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.flow import retry as retries
from argo_yaml_provider.flow.clock import SECOND, nanoseconds
from argo_yaml_provider.flow.composites import FAIL_FAST
from argo_yaml_provider.flow.decision import Decision, Retry
from argo_yaml_provider.flow.decisions import Decider
from argo_yaml_provider.flow.engine import Engine
from argo_yaml_provider.flow.entries import Absent, Execution, Expanded, Place, Stopped
from argo_yaml_provider.flow.facts import RunFacts, Source
from argo_yaml_provider.flow.ground import Ground
from argo_yaml_provider.flow.hooks import workflow_phase
from argo_yaml_provider.flow.measuring import measure_attempt, measure_run, measure_running, measure_step
from argo_yaml_provider.flow.metrics import Measured
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.results import Result
from argo_yaml_provider.flow.shutdown import may_run, shut_down, stopped
from argo_yaml_provider.flow.start import ASKED, refused
from argo_yaml_provider.flow.variables import WrongLabel
from argo_yaml_provider.flow.view import nodes_of
from argo_yaml_provider.plan.names import START
from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind, Plan, PlannedTask, TaskKind
from argo_yaml_provider.plan.templates import waits_for_end

DEEPEST_RUN = 100
"""Child runs inside child runs. Argo's own bound on nested templates is 100 too."""
_BEFORE = {"before": True, "raised": False}
_DEEPEST = 200_000
"""Python frames: a chain of a thousand composites is asked from its end to its beginning."""


class Flow:
    """One run of one plan.

    `live`: for looking at a run that goes on; a task without an outcome has not ended yet. `deepest`: where recursion ends.
    `ground`: what other flows of the run have worked out.
    """

    def __init__(
        self,
        plan: Plan,
        facts: RunFacts,
        source: Source,
        *,
        live: bool = False,
        deepest: int = DEEPEST_RUN,
        ground: Ground | None = None,
    ) -> None:
        self._deepest = deepest
        self._plan, self._facts, self._source = plan, facts, source
        self._engine = Engine(ground or Ground(plan=plan, facts=facts), source, live=live)

    def decide(self, task_id: str, map_index: int = -1, attempts: tuple[Attempt, ...] = ()) -> Decision:
        """What a task should do now that all before it has ended."""
        task = self._engine.tree.tasks[task_id]
        engine = self._engine_for(task)
        place = Place(engine.tree.stands[task.call].call, map_index)
        with _deep():
            if unstarted := self._unstarted():
                return Decision(outcome=Outcome(phase=Phase.ABSENT, message=unstarted.message))
            found = engine.execution(place)
            if not isinstance(found, Execution):
                return Decision(outcome=_before(found))
            if found.wrong:
                return Decision(outcome=Outcome(phase=Phase.ERROR, message=found.wrong, values={"raised": True}))
            if found.place.call.kind is CallKind.CHILD and self._facts.depth >= self._deepest:
                return Decision(outcome=Outcome(phase=Phase.ERROR, message=_too_deep(self._deepest), values=_BEFORE))
            if engine.turn_failed_fast(place):
                return Decision(outcome=Outcome(phase=Phase.ABSENT, message=FAIL_FAST))
            return self._shut_down(engine, found, attempts) or Decider(engine).decision(found, attempts)

    def _shut_down(self, engine: Engine, found: Execution, attempts: tuple[Attempt, ...]) -> Decision | None:
        """The end of a leaf that does not begin, for the run is stopped; a child run finds out for itself."""
        decider, kind = Decider(engine), found.place.call.kind
        if kind is CallKind.CHILD or may_run(self._facts.shutdown, exits=decider.in_exit_handler(found.place)):
            return None
        retried = engine.strategy(found.place) is not None
        return Decision(outcome=shut_down(self._facts.shutdown, kind, attempts, retried=retried))

    def node_of(self, task_id: str, map_index: int = -1) -> str:
        """The name of the node that a task makes; '' if it makes none."""
        with _deep():
            if self._unstarted():
                return ""
            task = self._engine.tree.tasks[task_id]
            found = self._engine.execution(Place(self._engine.tree.stands[task.call].call, map_index))
            return "" if isinstance(found, Absent) else found.node

    def exits(self, task_id: str) -> bool:
        """Whether a task belongs to an exit handler."""
        task = self._engine.tree.tasks[task_id]
        return Decider(self._engine).in_exit_handler(Place(self._engine.tree.stands[task.call].call, -1))

    def fan_out(self, task_id: str, map_index: int = -1) -> tuple[Outcome, list[int]]:
        """A loop's items, as indices to map over; never an error, for a fan-out must succeed."""
        task = self._engine.tree.tasks[task_id]
        place = Place(self._engine.tree.stands[task.call].call, map_index)
        with _deep():
            if unstarted := self._unstarted():
                return Outcome(phase=Phase.ABSENT, message=unstarted.message, items=0), []
            found = self._engine.expanded(place)
        if isinstance(found, Expanded):
            return Outcome(phase=Phase.SUCCEEDED, items=len(found.turns)), list(range(len(found.turns)))
        outcome = _before(found)
        return Outcome(phase=outcome.phase, message=outcome.message, values=outcome.values, items=0), []

    def turn(self, task_id: str, map_index: int) -> str:
        """What Argo calls the turn that a mapped task is one of: `(0:item)`; '' where there is no such turn."""
        call: Call | None = self._engine.tree.stands[self._engine.tree.tasks[task_id].call].call
        while call is not None and call.loop is not LoopKind.MAPPED:
            call = self._engine.tree.parent(call)
        with _deep():
            return "" if call is None or self._broken() else self._engine.turn_mark(Place(call, map_index))

    def retry(self, task_id: str, map_index: int, attempts: tuple[Attempt, ...]) -> Retry:
        """What follows an attempt that failed."""
        task = self._engine.tree.tasks[task_id]
        engine = self._engine_for(task)
        place = Place(engine.tree.stands[task.call].call, map_index)
        last = attempts[-1]
        over = Outcome(phase=last.phase, message=last.message, attempts=attempts)
        with _deep():
            found = engine.execution(place)
            strategy = Decider(engine).strategy(found) if isinstance(found, Execution) else None
            if strategy is None:
                return Retry(delay=None, outcome=over)
            if self._facts.shutdown:
                return Retry(delay=None, outcome=replace(over, message=stopped(self._facts.shutdown)))
            try:
                return _judged(strategy, attempts, Decider(engine).workflow_deadline(place))
            except ExprError as error:
                wrong = Outcome(phase=Phase.ERROR, message=error.message, attempts=attempts, values={"raised": True})
                return Retry(delay=None, outcome=wrong)

    def verdict(self) -> Outcome:
        """The workflow's phase, message and outputs."""
        with _deep():
            if unstarted := self._unstarted():
                phase, message = unstarted.phase, unstarted.message
                return Outcome(phase=phase, message=message, values={"phase": phase.value, "message": message})
            return self._verdict()

    def _verdict(self) -> Outcome:
        engine = self._engine
        root = engine.result(engine.root)
        assert root is not None
        phase, message = workflow_phase(root.phase), root.message
        if root.raised and not self._facts.node:
            message = f"error in entry template execution: {message}"
        elif root.failed and self._facts.shutdown:
            message = stopped(self._facts.shutdown)
        on_exit = self._on_exit()
        if on_exit is not None and on_exit.raised:
            phase, message = Phase.ERROR, f"error in exit template execution : {on_exit.message}"
        elif phase is Phase.SUCCEEDED and on_exit is not None and on_exit.failed:
            phase, message = on_exit.phase, on_exit.message
        wrong = engine.hooks.wrong_of_workflow()
        if wrong and phase in (Phase.SUCCEEDED, Phase.FAILED):
            phase, message = Phase.ERROR, wrong
        if phase not in (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR) and not engine.live:
            phase, message = Phase.ERROR, message or "the workflow waits for something that never comes"
        found = engine.globals.all()
        values: Json = {
            "phase": phase.value,
            "message": message,
            "outputs": {"parameters": found.parameters, "artifacts": sorted(found.artifacts)},
            "globals": {"parameters": found.parameters, "artifacts": found.artifacts},
            "root": _root_outputs(root),
        }
        if self._facts.shutdown:
            values["shutdown"] = self._facts.shutdown
        if self._facts.node:
            values["leaving"] = engine.composites.branches.leaving_root(engine.root)
            values["broke"] = root.raised
        return Outcome(phase=phase, message=message, values=values)

    def _on_exit(self) -> Result | None:
        """What came of the exit handler, hooks of the workflow included in the waiting."""
        return None if self._plan.on_exit is None else self._engine.result(Place(self._plan.on_exit, -1))

    def measure(self, task_id: str, map_index: int, outcome: Outcome, *, again: bool) -> Measured:
        """What a step's metrics say of its end, or (`again`) of its last attempt, which another follows."""
        engine, place = self._stands(task_id, map_index)
        with _deep():
            return measure_attempt(engine, place, outcome.attempts[-1]) if again else measure_step(engine, place, outcome)

    def measure_running(self, task_id: str, map_index: int, since: float) -> Measured:
        """What realtime metrics say now of a step that runs since then, and of all around it."""
        engine, place = self._stands(task_id, map_index)
        with _deep():
            return measure_running(engine, place, since)

    def measure_run(self, verdict: Outcome) -> Measured:
        """What the metrics of composites and of the workflow say at its end."""
        with _deep():
            return Measured() if self._broken() else measure_run(self._engine, verdict)

    def _stands(self, task_id: str, map_index: int) -> tuple[Engine, Place]:
        """Where a task stands, and who may be asked about it."""
        task = self._engine.tree.tasks[task_id]
        engine = self._engine_for(task)
        return engine, Place(engine.tree.stands[task.call].call, map_index)

    def lock_spec(self) -> Json:
        """What the workflow as a whole holds, to be given back at its end."""
        return self._filled("synchronization", "priority")

    def start_spec(self) -> Json:
        """What must hold before the first node."""
        return self._filled("artifactRepositoryRef", "suspend")

    def _filled(self, *names: str) -> Json:
        """Fields of the spec, their tags replaced."""
        spec = self._engine.spec
        held = {name: spec[name] for name in names if spec.get(name) is not None}
        return {} if self._broken() else dict(replace_json(held, self._engine.variables))

    def nodes(self) -> list[Json]:
        """Argo's node tree."""
        with _deep():
            return [] if self._unstarted() else nodes_of(self._engine)

    def result(self) -> Json:
        """The whole: name, phase, outputs, nodes."""
        verdict = self.verdict()
        outputs = verdict.values.get("outputs") or {"parameters": {}, "artifacts": []}
        return {
            "name": self._facts.name,
            "phase": verdict.phase.value,
            "message": verdict.message,
            "outputs": outputs,
            "nodes": self.nodes(),
        }

    def _unstarted(self) -> Outcome | None:
        """How the workflow ended, or waits, before its first node; None: it has started."""
        engine = self._engine
        if any(task.kind is TaskKind.START for task in self._plan.tasks[:1]):
            outcome = engine.source.outcome(START, -1)
            if outcome is None:
                lost = Outcome(phase=Phase.ERROR, message="the workflow was never told to start")
                return Outcome(phase=Phase.RUNNING) if engine.live else lost
            if outcome.phase is not Phase.SUCCEEDED:
                return outcome
        if broken := self._broken():
            return broken
        return engine.share("refused", lambda: refused(self._filled(*ASKED), self._facts, engine.source))

    def _broken(self) -> Outcome | None:
        """How a workflow ends that cannot start at all; None: it can."""
        try:
            _ = self._engine.variables
        except WrongLabel as error:
            return Outcome(phase=Phase.ERROR, message=error.message)
        except ExprError as error:
            return Outcome(phase=Phase.FAILED, message=f"failed to set global parameters: {error.message}")
        return None

    def _engine_for(self, task: PlannedTask) -> Engine:
        """A hook that watches a step looks at it while it runs; every other task comes after all it looks at."""
        call = self._engine.tree.stands[task.call].call
        while (stand := self._engine.tree.stands[call.id]).parent is not None:
            if stand.role == "hook" and call.source.get("expression") and not waits_for_end(call.source):
                return Engine(Ground(plan=self._plan, facts=self._facts), self._source, live=True)
            call = stand.parent
        if call in self._plan.hooks and not waits_for_end(call.source):
            return Engine(Ground(plan=self._plan, facts=self._facts), self._source, live=True)
        return self._engine


def _too_deep(deepest: int) -> str:
    return f"child runs are nested more than {deepest} deep: does the recursion ever end?"


def _before(found: Stopped | Absent) -> Outcome:
    """The outcome of a task that runs nothing."""
    if isinstance(found, Absent):
        return Outcome(phase=Phase.ABSENT, message=found.reason)
    return Outcome(phase=found.phase, message=found.message, values={"before": True, "raised": found.raised})


def _judged(strategy: Json, attempts: tuple[Attempt, ...], workflow_deadline: int | None) -> Retry:
    tries = [
        retries.Try(
            phase=attempt.phase,
            message=attempt.message,
            exit_code=attempt.exit_code,
            started=nanoseconds(attempt.started_at),
            finished=nanoseconds(attempt.finished_at),
            daemoned=attempt.daemoned,
        )
        for attempt in attempts
    ]
    now = time.time_ns()
    found = retries.decide(strategy, tries, now, workflow_deadline=workflow_deadline)
    outcome = Outcome(phase=attempts[-1].phase, message=found.message or attempts[-1].message, attempts=attempts)
    if found.next is retries.Next.RETRY:
        return Retry(delay=0.0, outcome=outcome)
    if found.next is retries.Next.WAIT:
        waited = now - (tries[-1].finished or now)
        left = max(0, (found.wait or 0) - waited) / SECOND
        ahead = retries.decide(strategy, tries, now + (found.wait or 0) + 1, workflow_deadline=workflow_deadline)
        end = (
            outcome
            if ahead.next is retries.Next.RETRY
            else Outcome(phase=ahead.phase, message=ahead.message, attempts=attempts)
        )
        return Retry(delay=left if ahead.next is retries.Next.RETRY else None, outcome=end)
    return Retry(delay=None, outcome=Outcome(phase=found.phase, message=found.message, attempts=attempts))


def _root_outputs(root: Result) -> Json:
    if root.outputs is None:
        return {}
    outputs = root.outputs
    return {
        "parameters": dict(outputs.parameters),
        "artifacts": dict(outputs.artifacts),
        "result": outputs.result,
        "exitCode": outputs.exit_code,
    }


@contextmanager
def _deep() -> Iterator[None]:
    """Room for long chains; never lowered again, for other threads may be deep as well."""
    if sys.getrecursionlimit() < _DEEPEST:
        sys.setrecursionlimit(_DEEPEST)
    yield
