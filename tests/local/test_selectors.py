from __future__ import annotations

import pytest

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.selectors import field_selector, label_selector

POD = {"metadata": {"name": "p", "labels": {"app": "web", "tier": "front"}}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("app=web", True),
        ("app==web,tier=back", False),
        ("app!=web", False),
        ("other!=x", True),
        ("app", True),
        ("!app", False),
        ("!other", True),
        ("app in (api, web),tier", True),
        ("app notin (web)", False),
        ("other notin (web)", True),
    ],
)
def test_label_selector(text: str, want: bool) -> None:
    assert label_selector(text)(POD) is want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("metadata.name=p", True),
        ("status.phase!=Running", False),
        ("metadata.name=p,status.phase=Running", True),
        ("spec.nodeName=", True),
    ],
)
def test_field_selector(text: str, want: bool) -> None:
    assert field_selector(text)(POD) is want


def test_a_selector_that_is_none_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        label_selector("a b c")
    assert str(caught.value) == "unable to parse requirement: 'a b c' is no label requirement"
