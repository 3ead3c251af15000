from __future__ import annotations

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.tags import Tag, find_tags


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("no tags", [], id="none"),
        pytest.param("{x}} }}", [], id="closing-braces-alone-are-text"),
        pytest.param("a{{x}}b{{ y }}", [(1, 6, "x", False), (7, 14, " y ", False)], id="offsets-and-blanks"),
        pytest.param("{{}}", [(0, 4, "", False)], id="empty"),
        pytest.param("{{=}}", [(0, 5, "", True)], id="empty-expression"),
        pytest.param("{{=1 + 1}}", [(0, 10, "1 + 1", True)], id="expression"),
        pytest.param("{{ =1}}", [(0, 7, " =1", False)], id="a-blank-before-the-sign-makes-it-simple"),
        pytest.param("{{a{{b}}c}}", [(0, 8, "a{{b", False)], id="ends-at-the-first-closing-braces"),
        pytest.param("{{={a: {b: 1}}}}", [(0, 14, "{a: {b: 1", True)], id="braces-of-a-map-close-a-tag-too"),
        pytest.param("{{{x}}}", [(0, 6, "{x", False)], id="three-braces"),
    ],
)
def test_finds_tags_with_offsets(text: str, want: list[tuple[int, int, str, bool]]) -> None:
    assert find_tags(text) == tuple(Tag(start=s, end=e, inner=i, expression=x) for s, e, i, x in want)


def test_a_tag_that_is_not_closed_is_an_error_at_its_place() -> None:
    with pytest.raises(ExprError) as caught:
        find_tags('{{a}} "{{x')
    want = r'Cannot find end tag="}}" in the template="{{a}} \"{{x" starting from "x"'
    assert (caught.value.message, caught.value.offset, caught.value.length) == (want, 7, 2)


def test_an_endless_text_is_not_repeated_in_the_message() -> None:
    with pytest.raises(ExprError) as caught:
        find_tags("{{" + "x" * 1_000_000)
    assert len(caught.value.message) < 1000
