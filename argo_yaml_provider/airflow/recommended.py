"""Airflow settings that make a difference to workflows, each with what it brings.

In: nothing.  Out: environment variables. `standalone` sets them; the README recommends them.
Must not know: this package's own options.
"""

from __future__ import annotations

RECOMMENDED: dict[str, tuple[str, str]] = {
    "core.max_active_tasks_per_dag": ("10000", "the limit of a run is the workflow's own parallelism, not 16"),
    "core.max_map_length": ("100000", "run-time loops of more than 1,024 items"),
    "scheduler.max_tis_per_query": ("512", "a loop of hundreds of steps starts in one go, not 16 at a time"),
    "scheduler.max_dagruns_per_loop_to_schedule": (
        "200",
        "child runs and parallel runs move on in every turn of the scheduler",
    ),
    "scheduler.max_dagruns_to_create_per_loop": ("100", "as many runs start at once"),
    "scheduler.scheduler_idle_sleep_time": (
        "0",
        "only beside StepExecutor, which waits in its place, not once a step has ended: 0.1 s a step in a chain, not 0.9",
    ),
    "scheduler.job_heartbeat_sec": ("2", "a dead scheduler is noticed sooner"),
    "scheduler.scheduler_health_check_threshold": ("15", "the steps of a dead scheduler are taken over after 15 s, not 30"),
    "scheduler.orphaned_tasks_check_interval": ("10", "and looked for every 10 s, not every 5 minutes"),
    "scheduler.use_job_schedule": ("True", "CronWorkflows"),
    "triggerer.job_heartbeat_sec": ("2", "a dead triggerer is noticed sooner"),
    "triggerer.triggerer_health_check_threshold": ("15", "the steps of a dead triggerer go on in the next after 15 s, not 30"),
    "workers.execution_api_retries": ("20", "steps in workers outlast an API server that is away for a minute, not 10 s"),
    "workers.execution_api_retry_wait_max": ("5", "and are back within 5 s of it, not 90"),
}
"""Option -> value, and why."""


def as_environment(options: dict[str, str]) -> dict[str, str]:
    """`section.option` as Airflow's environment variables."""
    return {f"AIRFLOW__{section.upper()}__{name.upper()}": value for (section, name), value in _split(options).items()}


def recommended_environment() -> dict[str, str]:
    """The table above as environment variables."""
    return as_environment({option: value for option, (value, _) in RECOMMENDED.items()})


def _split(options: dict[str, str]) -> dict[tuple[str, str], str]:
    return {(option.partition(".")[0], option.partition(".")[2]): value for option, value in options.items()}
