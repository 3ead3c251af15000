"""The workflows of example_specs/, which lies beside this folder, as Airflow DAGs."""

from pathlib import Path

from argo_yaml_provider.airflow import load_dags

EXAMPLES = Path(__file__).parent.parent / "example_specs"

if EXAMPLES.is_dir():
    load_dags(globals(), EXAMPLES)
