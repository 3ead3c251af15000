from __future__ import annotations

from pathlib import Path

from argo_yaml_provider.airflow.recommended import RECOMMENDED, recommended_environment

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_recommends_what_standalone_sets() -> None:
    table = README.read_text().partition("<!-- recommended -->")[2].partition("<!-- /recommended -->")[0]
    rows = [f"| `{option}` | `{value}` | {why} |" for option, (value, why) in RECOMMENDED.items()]
    assert table.strip().splitlines()[2:] == rows


def test_options_become_environment_variables() -> None:
    assert recommended_environment()["AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY"] == "512"
