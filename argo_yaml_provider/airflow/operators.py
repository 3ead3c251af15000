"""The operator of every planned task that does something: a KubernetesPodOperator whose pod Argo's rules build.

In: which planned task it is, and (on one task of the plan) the envelope.  Out: an outcome, under XCom `argo`.
Must not know: Argo's YAML. No text of a workflow goes through KubernetesPodOperator's constructor or Jinja.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

from argo_yaml_provider.airflow.stepping import RunsStep


class ArgoStepOperator(RunsStep, KubernetesPodOperator):
    """One planned task. `index` exists only to be mapped over: a loop's turn is known by its map index."""

    template_fields: Sequence[str] = ()
    template_fields_renderers: ClassVar[dict[str, str]] = {}

    def __init__(
        self, *, argo_plan: str | None = None, index: int | None = None, in_triggerer: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.argo_plan = argo_plan
        self.index = index
        if in_triggerer:
            self.start_in_triggerer()
