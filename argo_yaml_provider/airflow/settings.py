"""What a deployment says: the `[argo_yaml]` section of Airflow's configuration, and which host runs steps.

In: airflow.cfg or AIRFLOW__ARGO_YAML__* variables.  Out: `Settings`, frozen; `Settings.pods` travels with every plan.
Must not know: workflows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.provider_info import OPTIONS

SECTION = "argo_yaml"
EXECUTOR = "argo_yaml_provider.airflow.executor.StepExecutor"
POOL = "argo_yaml"
"""The pool that StepExecutor creates at its start."""


class Execution(StrEnum):
    """Who runs steps."""

    AUTO = "auto"
    EXECUTOR = "executor"
    TRIGGERER = "triggerer"
    WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One deployment's options, with `execution` already resolved."""

    pods: PodSettings = field(default_factory=PodSettings)
    execution: Execution = Execution.WORKER
    fixed: bool = False
    """Whether no annotation may choose another host: the steps need this one, or there is no other."""
    workers: bool = True
    """Whether a worker may ever run a step. `argo-yaml run` has none."""
    pod_operator: bool = False
    """Whether a step must be a KubernetesPodOperator even where that costs: it has that operator's own callbacks."""
    pool: str | None = None
    """None: the executor's own pool under the executor, `default_pool` elsewhere. The triggerer knows no pools."""
    lost_host_retries: int = 3
    """How often a task is taken up again whose worker or executor died."""
    max_active_tasks: int = 10_000
    max_active_runs: int = 1_000
    templates: tuple[Path, ...] = ()
    """Where templates that a workflow refers to are looked for, beside its own folder."""
    cache_dir: Path | None = None
    """Where compiled workflows are kept; None: nowhere."""
    tags: tuple[str, ...] = ("argo",)

    def pool_under(self, execution: Execution) -> str | None:
        """The pool of a step that is run so; None leaves Airflow's default."""
        return self.pool or (POOL if execution is Execution.EXECUTOR else None)


def read_settings() -> Settings:
    """The `[argo_yaml]` section as it stands now."""
    return Settings(
        pods=read_pod_settings(),
        execution=resolve_execution(option("execution") or "auto"),
        pool=option("pool"),
        lost_host_retries=lost_host_retries(),
        max_active_tasks=_number("max_active_tasks"),
        max_active_runs=_number("max_active_runs"),
        templates=tuple(Path(part) for part in (option("templates") or "").split(":") if part),
        cache_dir=Path(
            option("cache_dir") or Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "argo_yaml_cache"
        ),
        tags=tuple(tag.strip() for tag in (option("tags") or "").split(",") if tag.strip()),
    )


def read_pod_settings() -> PodSettings:
    """What the section says of pods."""
    return PodSettings(
        conn_id=option("conn_id"),
        namespace=option("namespace") or "default",
        in_cluster=_truth("in_cluster"),
        cluster_context=option("cluster_context"),
        config_file=option("config_file"),
        service_account=option("service_account"),
        pod_template=_manifest("pod_template_file"),
        labels=_object("labels"),
        supervisor_image=option("supervisor_image") or "busybox",
        images=_object("images"),
        artifact_repository=artifact_repository(),
        artifact_images=_object("artifact_images"),
        artifact_env=_texts("artifact_env"),
        artifact_unpack_limit=_number("artifact_unpack_limit"),
        semaphores=_limits("semaphores"),
        max_depth=_number("max_depth"),
        on_finish_action=_choice("on_finish_action", ("delete_pod", "delete_succeeded_pod", "keep_pod")),
    )


def deadline_callbacks() -> Json:
    """What may be called for a run that is late, by the names that workflows know."""
    return _object("deadline_callbacks") or {}


def calls_back_nothing() -> bool:
    """Whether the executor that Airflow gives callbacks to, the first, is ours, which runs steps alone."""
    return _executors()[0] == EXECUTOR


def event_service_accounts() -> bool:
    """Whether Kubernetes is asked about the tokens that events bear."""
    return bool(_truth("event_service_accounts"))


def everybody_is_admin() -> bool:
    """Whether Airflow's API server gives each request a token of its own, beside what the sender bears."""
    from airflow.configuration import conf

    manager = conf.get("core", "auth_manager", fallback="")
    return manager.endswith(".SimpleAuthManager") and conf.getboolean("core", "simple_auth_manager_all_admins", fallback=False)


def executor_limit() -> int:
    """How many steps one StepExecutor runs at once."""
    return _number("executor_limit")


def scheduler_sleeps() -> bool:
    """Whether the scheduler itself rests when it has nothing to do."""
    from airflow.configuration import conf

    return bool(conf.getfloat("scheduler", "scheduler_idle_sleep_time") > 0)


def artifact_repository() -> Json | None:
    """A JSON object, or the URI of a store that an Airflow connection knows the way to."""
    text = option("artifact_repository")
    if text is None or text.lstrip().startswith("{") or "://" not in text:
        return _object("artifact_repository")
    from argo_yaml_provider.airflow.stores import repository_at

    try:
        return repository_at(text.strip())
    except ValueError as error:
        raise ValueError(f"[{SECTION}] artifact_repository: {error}") from None


def option(name: str) -> str | None:
    """An option's text, or its declared default; None where it is empty."""
    from airflow.configuration import conf

    return conf.get(SECTION, name, fallback=OPTIONS[name]["default"]) or None


_POD_ARGUMENTS = {
    "kubernetes_conn_id": "conn_id",
    "namespace": "namespace",
    "in_cluster": "in_cluster",
    "cluster_context": "cluster_context",
    "config_file": "config_file",
    "service_account_name": "service_account",
    "labels": "labels",
    "on_finish_action": "on_finish_action",
    "pod_template_dict": "pod_template",
}
"""KubernetesPodOperator's arguments -> PodSettings."""
_WORKER_ARGUMENTS = (
    "callbacks",
    "on_execute_callback",
    "on_success_callback",
    "on_failure_callback",
    "on_retry_callback",
    "on_skipped_callback",
    "email",
)
"""What only a worker can do: the author's Python, and mail."""


def with_default_args(settings: Settings, default_args: Mapping[str, Any]) -> Settings:
    """The settings under a DAG's `default_args`, which may name KubernetesPodOperator's own arguments.

    Steps whose Python callbacks must be called are run by a worker, for no other host has the DAG file.
    """
    pods = {ours: default_args[theirs] for theirs, ours in _POD_ARGUMENTS.items() if theirs in default_args}
    if path := default_args.get("pod_template_file"):
        pods["pod_template"] = _parsed("pod_template_file", Path(path).read_text(encoding="utf-8"), _yaml, "a pod manifest")
    by_worker = any(default_args.get(name) for name in _WORKER_ARGUMENTS)
    return replace(
        settings,
        pods=replace(settings.pods, **pods),
        execution=Execution.WORKER if by_worker else settings.execution,
        fixed=settings.fixed or by_worker,
        pod_operator=settings.pod_operator or bool(default_args.get("callbacks")),
        pool=default_args.get("pool") or settings.pool,
    )


def resolve_execution(wanted: str, where: str = f"[{SECTION}] execution") -> Execution:
    """`auto`: the executor where `core.executor` names it, else the triggerer where operators defer by default, else workers.

    An executor that is not configured would be an import error of the whole DAG file, so it is refused here, in words.
    """
    if wanted not in tuple(Execution):
        raise ValueError(f"{where} = {wanted}: choose one of {', '.join(Execution)}")
    execution = Execution(wanted)
    if execution is Execution.AUTO:
        if executor_configured():
            return Execution.EXECUTOR
        return Execution.TRIGGERER if defers_by_default() else Execution.WORKER
    if execution is Execution.EXECUTOR and not executor_configured():
        raise ValueError(
            f"{where} = executor, but [core] executor does not name it; "
            f"add {EXECUTOR} to that list, after the executor you have"
        )
    return execution


def executor_configured() -> bool:
    """Whether `core.executor` lists StepExecutor, with or without an alias."""
    return EXECUTOR in _executors()


def _executors() -> list[str]:
    """All that `core.executor` lists, of every team, without their aliases; never empty."""
    from airflow.configuration import conf

    listed = conf.get("core", "executor", fallback="")
    return [part.strip().split(":")[-1] for team in listed.split(";") for part in team.split("=")[-1].split(",")]


def defers_by_default() -> bool:
    """Whether the deployment says, as it does for all operators, that there is a triggerer, and that it is to be used."""
    from airflow.configuration import conf

    return conf.getboolean("operators", "default_deferrable", fallback=False)


def triggerer_limit() -> int:
    """How many steps have a pod at once in one triggerer."""
    return _number("triggerer_limit")


def lost_host_retries() -> int:
    """How often a step is taken up again that went wrong through no fault of its own."""
    return _number("lost_host_retries")


def _number(name: str) -> int:
    text = option(name)
    if text is None or not text.isdecimal():
        raise ValueError(f"[{SECTION}] {name} = {text}: a whole number is wanted, such as {OPTIONS[name]['default']}")
    return int(text)


def _limits(name: str) -> dict[str, int] | None:
    found = _object(name)
    if found is not None and any(type(limit) is not int or limit < 0 for limit in found.values()):
        raise ValueError(f"[{SECTION}] {name}: whole numbers are wanted, such as {OPTIONS[name]['example']}")
    return found


def _choice(name: str, choices: tuple[str, ...]) -> str:
    text = option(name)
    if text not in choices:
        raise ValueError(f"[{SECTION}] {name} = {text}: choose one of {', '.join(choices)}")
    return text


def _truth(name: str) -> bool | None:
    text = option(name)
    if text is None:
        return None
    if text.lower() not in ("true", "false"):
        raise ValueError(f"[{SECTION}] {name} = {text}: say true or false, or leave it empty")
    return text.lower() == "true"


def _object(name: str) -> Json | None:
    text = option(name)
    return None if text is None else _parsed(name, text, json.loads, "a JSON object")


def _texts(name: str) -> dict[str, str] | None:
    value = _object(name)
    if value is not None and not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"[{SECTION}] {name}: every value must be text, in quotes")
    return value


def _manifest(name: str) -> Json | None:
    path = option(name)
    if path is None:
        return None
    return _parsed(name, Path(path).read_text(encoding="utf-8"), _yaml, "a pod manifest")


def _yaml(text: str) -> object:
    import yaml

    return yaml.safe_load(text)


def _parsed(name: str, text: str, parse: Callable[[str], object], wanted: str) -> Json:
    try:
        value = parse(text)
    except Exception as error:  # noqa: BLE001 - whatever the parser says
        raise ValueError(f"[{SECTION}] {name}: {wanted} is wanted, and this does not parse: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"[{SECTION}] {name}: {wanted} is wanted, not {type(value).__name__}")  # noqa: TRY004 - a setting's value
    return value
