"""Every workflow file in this folder and below is an Airflow DAG: drop YAML here."""

from argo_yaml_provider.airflow import load_dags

load_dags(globals())
