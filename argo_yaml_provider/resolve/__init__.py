"""Joins what refers to each other: templateRef, workflowTemplateRef, inline, templateDefaults, arguments; then checks it all.

In: spec.Resource and a Library.  Out: `Resolved`.
Must not know: Airflow, Kubernetes, how it will run.
"""
