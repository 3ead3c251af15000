"""The one place that knows where Airflow keeps the names that move between its releases.

Only what has moved, or is likely to, is here; everything else is imported where it is used.
"""

from __future__ import annotations

from airflow.sdk.definitions._internal.expandinput import DictOfListsExpandInput
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.definitions.taskgroup import MappedTaskGroup

__all__ = ["DictOfListsExpandInput", "MappedTaskGroup", "RetryDecision", "RetryPolicy"]
