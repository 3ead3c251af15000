from __future__ import annotations

from pathlib import Path

from argo_yaml_provider.spec.codes import codes_table
from tests.conftest import Golden

README = Path(__file__).parent.parent / "README.md"


def test_readme_lists_every_error_code(golden: Golden) -> None:
    text = README.read_text(encoding="utf-8").rstrip("\n")
    before, rest = text.split("<!-- codes -->")
    after = rest.split("<!-- /codes -->")[1]
    golden.check(README, f"{before}<!-- codes -->\n{codes_table()}\n<!-- /codes -->{after}")
