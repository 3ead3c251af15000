from __future__ import annotations

import asyncio

import pytest

from argo_yaml_provider.step.turnstile import Turnstile


async def test_those_who_waited_go_on_in_turns_of_the_loop_of_their_own_and_in_order() -> None:
    turn, passed = 0, []
    awaited = asyncio.get_running_loop().create_future()
    turnstile = Turnstile()

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def wait(name: int) -> None:
        passed.append((name, await turnstile.after(awaited), turn))

    counting = asyncio.create_task(count())
    waiting = [asyncio.create_task(wait(name)) for name in range(50)]
    await asyncio.sleep(0)
    awaited.set_result("there")
    await asyncio.gather(*waiting)
    counting.cancel()
    assert [(name, value) for name, value, _ in passed] == [(name, "there") for name in range(50)]
    assert len({turn for _, _, turn in passed}) == 50


async def test_who_comes_later_does_not_wait() -> None:
    awaited = asyncio.get_running_loop().create_future()
    awaited.set_result("there")
    with pytest.raises(StopIteration, match="there"):
        Turnstile().after(awaited).send(None)


async def test_one_who_no_longer_waits_ends_it_for_nobody_else() -> None:
    awaited = asyncio.get_running_loop().create_future()
    turnstile = Turnstile()
    leaves, stays = (asyncio.create_task(turnstile.after(awaited)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.sleep(0)
    awaited.set_result("there")
    assert await stays == "there"
    assert leaves.cancelled()


async def test_what_cannot_be_had_is_told_to_all() -> None:
    awaited = asyncio.get_running_loop().create_future()
    turnstile = Turnstile()
    waiting = [asyncio.create_task(turnstile.after(awaited)) for _ in range(3)]
    await asyncio.sleep(0)
    awaited.set_exception(LookupError("gone"))
    assert [str(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == ["gone"] * 3
