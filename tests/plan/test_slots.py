from __future__ import annotations

from argo_yaml_provider.plan.slots import Slots


def test_without_a_limit_nobody_waits() -> None:
    slots = Slots(None)
    slots.take(1, ("a",))
    assert slots.before(1) == ()


def test_the_third_of_two_slots_waits_for_the_first() -> None:
    slots = Slots(2)
    for name in "ab":
        assert slots.before(1) == ()
        slots.take(1, (name,))
    assert slots.before(1) == ("a",)
    slots.take(1, ("c",))
    assert slots.before(1) == ("b",)


def test_a_loop_takes_all_slots() -> None:
    slots = Slots(2)
    slots.take(1, ("a",))
    assert slots.before(5) == ("a",)
    slots.take(5, ("loop",))
    assert slots.before(1) == ("loop",)
