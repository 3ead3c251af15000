from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """Compares a text with the one in a file; `pytest --update-golden` writes it there instead."""

    update: bool

    def check(self, path: Path, text: str) -> None:
        if self.update:
            path.write_text(text + "\n", encoding="utf-8")
        assert path.exists(), f"{path} is missing; write it by: pytest --update-golden"
        assert text + "\n" == path.read_text(encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected texts under tests/golden")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(update=bool(request.config.getoption("--update-golden")))
