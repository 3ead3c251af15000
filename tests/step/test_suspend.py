from __future__ import annotations

from typing import Any

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.suspend import Asked
from argo_yaml_provider.plan.nodes import CallKind, Json
from argo_yaml_provider.step.host import Question
from argo_yaml_provider.step.suspend import run_suspend
from tests.step.conftest import LocalHost


def suspend(duration: str | None, *, deadline: float | None = None, **fields: Any) -> Decision:
    template: Json = {"name": "main", "suspend": {} if duration is None else {"duration": duration}, **fields}
    return Decision(node="wf", kind=CallKind.SUSPEND, template=template, deadline_seconds=deadline)


DEFAULT = {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}, "default": "42"}}]}
OPEN = {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}}}]}
MISSING = "raw output parameter 'answer' has not been set and does not have a default value"


async def test_a_suspend_ends_by_itself_and_gives_its_defaults(host: LocalHost) -> None:
    attempt = await run_suspend(host, suspend("100ms", outputs=DEFAULT))
    assert (attempt.phase, attempt.parameters) == (Phase.SUCCEEDED, {"answer": "42"})


async def test_a_suspend_that_ends_by_itself_without_a_value_is_an_error(host: LocalHost) -> None:
    attempt = await run_suspend(host, suspend("10ms", outputs=OPEN))
    assert (attempt.phase, attempt.message) == (Phase.ERROR, MISSING)


async def test_a_suspend_goes_on_from_when_it_first_began(host: LocalHost) -> None:
    host.kept["suspend/main/-1/0/0"] = "2026-01-01T00:00:00Z"
    attempt = await run_suspend(host, suspend("3600"))
    assert (attempt.phase, attempt.started_at) == (Phase.SUCCEEDED, "2026-01-01T00:00:00Z")


async def test_a_deadline_ends_a_suspend_before_its_duration(host: LocalHost) -> None:
    attempt = await run_suspend(host, suspend("3600", deadline=0.05))
    assert (attempt.phase, attempt.message) == (Phase.FAILED, "Step exceeded its deadline")


async def test_what_a_person_supplies_becomes_the_outputs(host: LocalHost) -> None:
    host.answers.append({"answer": "41"})
    attempt = await run_suspend(host, suspend(None, outputs=DEFAULT))
    assert (attempt.phase, attempt.parameters) == (Phase.SUCCEEDED, {"answer": "41"})
    assert host.questions == [(Question(node="wf", asked=(Asked(name="answer", default="42", proposed="42"),)), None)]


async def test_a_person_is_asked_again_until_all_is_there(host: LocalHost) -> None:
    host.answers.extend([{}, {"answer": "yes"}])
    attempt = await run_suspend(host, suspend(None, outputs=OPEN))
    assert (attempt.phase, attempt.parameters) == (Phase.SUCCEEDED, {"answer": "yes"})
    assert [question.problem for question, _ in host.questions] == ["", MISSING]


async def test_nobody_answers_before_the_deadline(host: LocalHost) -> None:
    host.answers.append(None)
    attempt = await run_suspend(host, suspend(None, deadline=5))
    assert (attempt.phase, attempt.message) == (Phase.FAILED, "Step exceeded its deadline")
    assert [wait for _, wait in host.questions] == [5]


async def test_after_the_deadline_nobody_is_asked(host: LocalHost) -> None:
    attempt = await run_suspend(host, suspend(None, deadline=0))
    assert (attempt.phase, host.questions) == (Phase.FAILED, [])
