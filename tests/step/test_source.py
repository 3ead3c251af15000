from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from argo_yaml_provider.flow.facts import Missing
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.step import source
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.source import Loaded

DONE = Outcome(phase=Phase.SUCCEEDED)


class Outcomes:
    """A host that has only outcomes, and remembers how often it was asked."""

    def __init__(self, outcomes: dict[tuple[str, int], Outcome]) -> None:
        self.outcomes = outcomes
        self.asked: list[tuple[str, int]] = []

    async def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        self.asked.append((task_id, map_index))
        await asyncio.sleep(0)
        return self.outcomes.get((task_id, map_index))


def loaded(host: Outcomes) -> Loaded:
    return Loaded(cast("Host", host))


async def test_what_is_missing_is_fetched_once_and_the_question_asked_again() -> None:
    host = Outcomes({("a", -1): DONE})
    known = loaded(host)
    assert await known.complete(lambda: known.outcome("a", -1)) == DONE
    assert await known.complete(lambda: (known.outcome("a", -1), known.outcome("b", -1))) == (DONE, None)
    assert host.asked == [("a", -1), ("b", -1)]


async def test_all_that_is_known_to_be_missing_is_fetched_at_once() -> None:
    host = Outcomes({("a", index): DONE for index in range(100)})
    known = loaded(host)
    rounds = 0

    def question() -> list[Outcome | None]:
        nonlocal rounds
        rounds += 1
        missing, found = [], []
        for index in range(100):
            try:
                found.append(known.outcome("a", index))
            except Missing as one:
                missing.append(one)
        if missing:
            raise Missing.all(missing)
        return found

    assert await known.complete(question) == [DONE] * 100
    assert (rounds, len(host.asked)) == (2, 100)


async def test_a_hook_that_watches_looks_again_at_what_has_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_GLANCE", 0.01)
    host = Outcomes({("ended", -1): DONE})
    known = loaded(host)

    def question() -> Any:
        known.outcome("ended", -1)
        if (watched := known.outcome("watched", -1)) is None:
            host.outcomes |= {("watched", -1): DONE} if len(host.asked) > 3 else {}
            raise Missing("change", "watched")
        return watched

    assert await known.complete(question) == DONE
    assert host.asked.count(("ended", -1)) == 1
