from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.plan.sequence import sequence


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        ({"count": 3}, ["0", "1", "2"]),
        ({"count": "+2", "start": "5"}, ["5", "6"]),
        ({"count": 0}, []),
        ({"count": -2}, ["0", "-1", "-2", "-3"]),
        ({"start": "5", "end": 3}, ["5", "4", "3"]),
        ({"start": "01", "end": "02", "format": "f%02d"}, ["f01", "f02"]),
        ({"count": 1, "end": 1}, ["0", "1"]),
    ],
)
def test_counts_as_argo_does(spec: Any, want: list[str]) -> None:
    assert sequence(spec) == want


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"start": 1}, "neither end nor count was specified in withSequence"),
        ({"count": "x"}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ({"count": "1.5"}, 'strconv.Atoi: parsing "1.5": invalid syntax'),
        ({"end": "9" * 30}, f'strconv.Atoi: parsing "{"9" * 30}": value out of range'),
        ({"count": 1000, "format": "%1000000d"}, "withSequence gives more than 64 MiB of text: 1000 items as %1000000d"),
        ({"count": 10**9}, "withSequence has 1000000000 items; 100000 are the most that one loop may have"),
    ],
)
def test_says_what_it_cannot_count(spec: Any, message: str) -> None:
    with pytest.raises(ExprError) as caught:
        sequence(spec)
    assert caught.value.message == message
