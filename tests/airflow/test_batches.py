"""Many are done at once, and each has its own answer or its own error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from argo_yaml_provider.airflow.batches import AT_ONCE, Batches


class Doubling:
    """Doubles numbers, zero excepted; `batches` are those that were asked for."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.doing = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.doing.set()
        await self.go_on.wait()
        if 0 in items:
            raise ValueError("zero")
        return [2 * item for item in items]


async def test_what_comes_while_a_batch_is_under_way_is_the_next_one() -> None:
    double = Doubling()
    batches = Batches(double)
    first = asyncio.create_task(batches.add(1))
    await double.doing.wait()
    others = [asyncio.create_task(batches.add(number)) for number in range(2, 3 + AT_ONCE)]
    await asyncio.sleep(0)
    double.go_on.set()
    assert await asyncio.gather(first, *others) == [2 * number for number in range(1, 3 + AT_ONCE)]
    assert double.batches == [[1], list(range(2, 2 + AT_ONCE)), [2 + AT_ONCE]]


async def test_one_that_cannot_be_done_keeps_no_other_from_it() -> None:
    double = Doubling()
    double.go_on.set()
    batches = Batches(double)
    answers = await asyncio.gather(*map(batches.add, (1, 0, 2)), return_exceptions=True)
    assert list(map(repr, answers)) == ["2", "ValueError('zero')", "4"]
    assert double.batches == [[1, 0, 2], [1], [0], [2]]


async def test_one_that_is_no_longer_wanted_is_not_done() -> None:
    double = Doubling()
    batches = Batches(double)
    first, second, third = (asyncio.create_task(batches.add(number)) for number in (1, 2, 3))
    await asyncio.sleep(0)
    second.cancel()
    await double.doing.wait()
    third.cancel()
    double.go_on.set()
    answers = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [answers[0], *map(type, answers[1:])] == [2, asyncio.CancelledError, asyncio.CancelledError]
    assert double.batches == [[1, 3]]
