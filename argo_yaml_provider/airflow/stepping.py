"""What an operator needs to run a planned task in a worker, whether it is a KubernetesPodOperator or the light one.

In: an operator in its task process.  Out: execute, resume, on_kill; or a start in the triggerer.
Must not know: KubernetesPodOperator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argo_yaml_provider.airflow.choice import TRIGGER
from argo_yaml_provider.airflow.envelope import ATTRIBUTE


class RunsStep:
    """Mixed into an operator, before Airflow's own class."""

    stop: Callable[[], object] | None = None
    """Ends the step that runs, and its pod; set while one does."""
    event: Any = None
    """What the task waited for, once it is resumed."""
    moved: Any = None
    """The Moves of the step's pod and the Outcome, once it has run; None: there is no pod."""

    ui_color = "#e8f1fb"

    @classmethod
    def get_serialized_fields(cls) -> frozenset[str]:
        """The plan travels in the serialized DAG, so that a host needs no DAG file."""
        operator: Any = super()
        return frozenset({*operator.get_serialized_fields(), ATTRIBUTE})

    def start_in_triggerer(self) -> None:
        """The scheduler defers the task at once; a worker sees it only where the trigger hands it over."""
        from airflow.triggers.base import StartTriggerArgs

        operator: Any = self
        operator.start_from_trigger = True
        operator.start_trigger_args = StartTriggerArgs(
            trigger_cls=TRIGGER, next_method="resume", trigger_kwargs={}, next_kwargs={}
        )

    def execute(self, context: Any) -> list[int] | None:
        """Run the step in this worker."""
        from argo_yaml_provider.airflow.hosts.worker import run_in_worker

        return run_in_worker(self, context)

    def resume(self, context: Any, event: Any) -> list[int] | None:
        """Go on after a wait: a step finds everything that it had begun; but a worker cannot look up what a person answered."""
        self.event = event
        return self.execute(context)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002 - what the listener calls
        """The artifacts, as datasets; also of a step that failed."""
        from argo_yaml_provider.airflow.lineage import lineage_of

        return lineage_of(self)

    def on_kill(self) -> None:
        """Airflow ends the task: its pod goes with it."""
        if self.stop is not None:
            self.stop()
