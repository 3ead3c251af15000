"""Argo Workflows YAML as Apache Airflow DAGs.

The folders are the data flow; read them in this order: diagnostics, source, expr, spec, resolve, plan, flow, artifacts, pods,
step, status, airflow, commands. `local` is the embedded Kubernetes. Importing this package imports none of them.
"""

__version__ = "0.1.0"
