"""A step without KubernetesPodOperator, where nobody asks for one: in the DAG processor, in task processes, in `argo-yaml run`.

In: what ArgoStepOperator takes.  Out: the same serialized task, without the import of KubernetesPodOperator.
Must not know: Kubernetes.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk.bases.operator import BaseOperator

from argo_yaml_provider.airflow.stepping import RunsStep


class DeclaredStep(RunsStep, BaseOperator):
    """One planned task. What is said of Kubernetes travels in the envelope, so it is not kept here."""

    # Whoever reads the serialized DAG must not see a difference: it would be a new version of the DAG.
    __module__ = "argo_yaml_provider.airflow.operators"

    def __init__(  # noqa: PLR0913 - as many as ArgoStepOperator is given
        self,
        *,
        argo_plan: str | None = None,
        index: int | None = None,
        in_triggerer: bool = False,
        kubernetes_conn_id: str | None = None,  # noqa: ARG002 - as ArgoStepOperator
        namespace: str | None = None,  # noqa: ARG002
        in_cluster: bool | None = None,  # noqa: ARG002
        cluster_context: str | None = None,  # noqa: ARG002
        config_file: str | None = None,  # noqa: ARG002
        service_account_name: str | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.argo_plan = argo_plan
        self.index = index
        if in_triggerer:
            self.start_in_triggerer()


DeclaredStep.__name__ = "ArgoStepOperator"
