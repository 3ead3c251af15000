from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from argo_yaml_provider.cli import main
from argo_yaml_provider.plan.serialize import loads

PLANS = Path(__file__).parent.parent / "golden" / "plans"


def test_shows_the_tree() -> None:
    shown = CliRunner().invoke(main, ["plan", str(PLANS / "diamond.yaml")])
    assert (shown.exit_code, shown.output.splitlines()[:3]) == (
        0,
        ["diamond  diamond", "├─ a  thrice", "│  └─ say  echo (3 items)"],
    )


def test_gives_the_plan_as_json() -> None:
    shown = CliRunner().invoke(main, ["plan", str(PLANS / "diamond.yaml"), "--output", "json"])
    assert loads(shown.output).name == "diamond"


def test_a_wrong_file_exits_2(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("kind: [")
    assert CliRunner().invoke(main, ["plan", str(tmp_path / "wrong.yaml")]).exit_code == 2
