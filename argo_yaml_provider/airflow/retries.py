"""How a worker tells Airflow what follows a failed step.

The flow has decided by Argo's rules; the decision travels on the exception, and the policy only repeats it.
Must not know: retryStrategy.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from argo_yaml_provider.airflow.compat import RetryDecision, RetryPolicy

MANY = 10_000
"""`retries` where only the flow knows the limit (no limit, or a tag): Airflow's own count must not end it."""


class StepFailed(Exception):
    """A step's attempt failed. With `retry_after`, another follows after so many seconds; without, this was the last."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.message, self.retry_after = message, retry_after
        super().__init__(message)

    def __reduce__(self) -> tuple[type[StepFailed], tuple[str, float | None]]:
        return type(self), (self.message, self.retry_after)


class ArgoRetryPolicy(RetryPolicy):
    """Retries what the flow says is to be retried, fails what it says has failed; anything else is a lost host.

    But for a step that hangs beyond its execution_timeout: nobody could ask the flow, and the next host would hang as well.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002
        context: Any = None,  # noqa: ARG002
    ) -> RetryDecision:
        from airflow.sdk.exceptions import AirflowTaskTimeout

        if isinstance(exception, AirflowTaskTimeout):
            return RetryDecision.fail()
        if not isinstance(exception, StepFailed):
            return RetryDecision.retry(delay=timedelta(seconds=5), reason="the step was interrupted, its pod is taken up again")
        if exception.retry_after is None:
            return RetryDecision.fail()
        return RetryDecision.retry(delay=timedelta(seconds=exception.retry_after), reason=exception.message)

    def serialize(self) -> dict[str, Any]:
        """Nothing to keep."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ArgoRetryPolicy:  # noqa: ARG003 - Airflow's signature
        return cls()
