from __future__ import annotations

from pathlib import Path

import pytest

from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.resolve.files import resolve_file
from tests.conftest import Golden

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("err/*.yaml")), ids=lambda path: path.stem)
def test_bad_file_says_what_is_wrong(path: Path, golden: Golden) -> None:
    with pytest.raises(SpecError) as caught:
        resolve_file(path, shown_as=path.name)
    golden.check(path.with_suffix(".out"), str(caught.value))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("ok/*.yaml")), ids=lambda path: path.stem)
def test_good_file_is_taken_without_a_word(path: Path) -> None:
    assert resolve_file(path)
