from __future__ import annotations

from argo_yaml_provider.airflow.hosts.turns import Turn, Turns


def granted(*turns: Turn) -> list[bool]:
    return [turn.granted.is_set() for turn in turns]


def test_as_many_have_a_turn_as_there_is_room_for_and_the_next_follows_in_order() -> None:
    turns = Turns()
    first, second, third = (turns.ask({"all": 1}) for _ in range(3))
    assert granted(first, second, third) == [True, False, False]
    turns.end(first)
    assert granted(second, third) == [True, False]


def test_priority_goes_before_order() -> None:
    turns = Turns()
    first, low, high = (turns.ask({"all": 1}, priority=priority) for priority in (1, 1, 2))
    turns.end(first)
    assert granted(low, high) == [False, True]


def test_who_waits_for_a_share_of_its_own_holds_up_nobody() -> None:
    turns = Turns()
    one, two = turns.ask({"all": 2, "run a": 1}), turns.ask({"all": 2, "run a": 1})
    other = turns.ask({"all": 2, "run b": 1})
    assert granted(one, two, other) == [True, False, True]
    turns.end(other)
    assert granted(two) == [False]
    turns.end(one)
    assert granted(two) == [True]


def test_what_has_begun_already_has_its_turn_and_counts() -> None:
    turns = Turns()
    first, found, next_one = (turns.ask({"all": 1}) for _ in range(3))
    turns.force(found)
    turns.end(first)
    assert granted(found, next_one) == [True, False]
    turns.end(found)
    assert granted(next_one) == [True]


def test_one_that_gives_up_waiting_is_forgotten() -> None:
    turns = Turns()
    first, second, third = (turns.ask({"all": 1}) for _ in range(3))
    turns.end(second)
    turns.end(first)
    assert granted(second, third) == [False, True]
