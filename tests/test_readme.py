from __future__ import annotations

import re
from pathlib import Path

from argo_yaml_provider.spec.codes import codes_table
from tests.conftest import Golden

README = Path(__file__).parent.parent / "README.md"


def test_readme_lists_every_error_code(golden: Golden) -> None:
    text = README.read_text(encoding="utf-8").rstrip("\n")
    before, rest = text.split("<!-- codes -->")
    after = rest.split("<!-- /codes -->")[1]
    golden.check(README, f"{before}<!-- codes -->\n{codes_table()}\n<!-- /codes -->{after}")


def test_every_row_of_what_is_supported_names_a_test_that_is_there() -> None:
    table = README.read_text(encoding="utf-8").split("<!-- support -->")[1].split("<!-- /support -->")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ")][1:]
    shown_by = {row: re.findall(r"\]\((tests/[^)]+)\)", row) for row in rows}
    assert [row for row, paths in shown_by.items() if not paths] == []
    linked = [README.parent / path for paths in shown_by.values() for path in paths]
    assert [path for path in linked if not path.is_file() and path.name != "parity"] == []
