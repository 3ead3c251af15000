from __future__ import annotations

import re

import pytest

from argo_yaml_provider.plan.names import Names, slug


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("train", "train", id="legal-names-stay"),
        pytest.param("a b/c", "a-b-c", id="what-airflow-refuses-becomes-a-dash"),
        pytest.param("größe", "gr-e", id="letters-beyond-ascii-too"),
        pytest.param("🙂", "step", id="nothing-left"),
    ],
)
def test_a_slug_is_legal(name: str, want: str) -> None:
    assert slug(name) == want


def test_tasks_and_groups_read_like_the_path() -> None:
    names = Names()
    assert names.task(("outer", "inner")) == "outer.inner"
    assert names.group(("outer", "inner")) == "outer__inner"
    assert names.beside("outer.inner", "items") == "outer.inner.items"


def test_names_that_would_clash_stay_apart_and_stable() -> None:
    one, two = Names(), Names()
    taken = [one.task(("a b",)), one.task(("a/b",)), one.task(("verdict",))]
    assert taken[0] == "a-b"
    assert len(set(taken)) == 3
    assert taken == [two.task(("a b",)), two.task(("a/b",)), two.task(("verdict",))]


def test_long_names_keep_within_airflows_limit() -> None:
    name = Names().task(("x" * 300, "y" * 300))
    assert len(name) <= 200
    assert re.fullmatch(r"[\w.-]+", name)
