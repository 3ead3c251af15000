"""From an Airflow connection and the pod settings to a connected Kubernetes client.

In: PodSettings, the extras of the Kubernetes connection.  Out: `Kube`, by the rules of Airflow's KubernetesHook, with the
deployment's `pod_mutation_hook` applied to every pod it makes.
Must not know: who asked, a worker or an executor.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.host import PodSettings
from argo_yaml_provider.step.kube import Kube

DEFAULT_CONNECTION = "kubernetes_default"
_OLD_PREFIX = "extra__kubernetes__"


def connection_extras(conn_id: str | None) -> dict[str, Any]:
    """The connection's extras, asked for through the Task SDK; the default connection need not exist."""
    from airflow.sdk import BaseHook

    return _extras(conn_id, BaseHook.get_connection)


def stored_extras(conn_id: str | None) -> dict[str, Any]:
    """The same beside the scheduler, where no task asks: from the secrets backends and the database."""
    from airflow.models.connection import Connection

    return _extras(conn_id, Connection.get_connection_from_secrets)


def stored_connection(conn_id: str) -> Any:
    """A connection as the secrets backends and the database have it."""
    from airflow.models.connection import Connection

    return Connection.get_connection_from_secrets(conn_id)


def task_connection(conn_id: str) -> Any:
    """A connection, asked for through the Task SDK."""
    from airflow.sdk import BaseHook

    return BaseHook.get_connection(conn_id)


async def _store_options(read: Callable[[str], Any], conn_id: str) -> dict[str, str]:
    """What a pod may know of a connection: only of the one that the deployment has named for artifacts."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from argo_yaml_provider.airflow.settings import artifact_repository
    from argo_yaml_provider.airflow.stores import connection_in, options_of

    if conn_id != connection_in(artifact_repository()):
        raise RunError(
            f"artifacts are at the connection {conn_id!r}, which [argo_yaml] artifact_repository does not name",
            "name it there",
        )
    try:
        return options_of(await asyncio.to_thread(read, conn_id))
    except AirflowNotFoundException:
        raise RunError(
            f"the connection {conn_id!r}, which [argo_yaml] artifact_repository names, does not exist",
            f"airflow connections add {conn_id} …",
        ) from None


def _extras(conn_id: str | None, read: Callable[[str], Any]) -> dict[str, Any]:
    from airflow.sdk.exceptions import AirflowNotFoundException

    if conn_id is None:
        return {}
    try:
        return dict(read(conn_id).extra_dejson)
    except AirflowNotFoundException:
        if conn_id == DEFAULT_CONNECTION:
            return {}
        raise RunError(
            f"the Kubernetes connection {conn_id!r} does not exist",
            f"airflow connections add {conn_id} --conn-type kubernetes …, or set [argo_yaml] conn_id",
        ) from None


@asynccontextmanager
async def open_kube(
    pods: PodSettings, extras: Mapping[str, Any], *, shared: bool = True, read: Callable[[str], Any] | None = None
) -> AsyncIterator[Kube]:
    """A client of the cluster that the settings name, or else the connection; `read` finds the one that knows the artifacts."""
    kube = await _open(pods, extras, shared=shared)
    if has_mutation_hook():
        kube = MutatingKube(kube.connection, shared=shared)
    kube.read_connection = partial(_store_options, read or stored_connection)
    try:
        yield kube
    finally:
        await kube.close()


@asynccontextmanager
async def open_kube_as(token: str, pods: PodSettings, extras: Mapping[str, Any]) -> AsyncIterator[Kube]:
    """The same cluster, as whoever has the token sees it: with nothing of the connection's own credentials."""
    kube = await _open(pods, extras, shared=False, token=token)
    try:
        yield kube
    finally:
        await kube.close()


async def _open(pods: PodSettings, extras: Mapping[str, Any], *, shared: bool, token: str | None = None) -> Kube:
    extra = _without_prefix(extras)
    context = pods.cluster_context or extra.get("cluster_context")
    way, value = _way_in(pods, extra)
    if way == "in_cluster":
        return await Kube.open(in_cluster=True, shared=shared, token=token)
    if way == "kube_config":
        config = value if isinstance(value, dict) else json.loads(value)
        _verify(config, verify=not extra.get("disable_verify_ssl"))
        return await _open_inline(config, context, shared=shared, token=token)
    return await Kube.open(value, context, shared=shared, token=token)


def _way_in(pods: PodSettings, extra: Mapping[str, Any]) -> tuple[str, Any]:
    """The one thing that says where the cluster is: in the settings, else in the connection, else ('', None)."""
    if pods.in_cluster or pods.config_file:
        chosen = {"in_cluster": pods.in_cluster, "config_file": pods.config_file}
    else:
        in_cluster = extra.get("in_cluster") if pods.in_cluster is None else None
        chosen = {"in_cluster": in_cluster, **{name: extra.get(name) for name in ("kube_config_path", "kube_config")}}
    given = [(name, value) for name, value in chosen.items() if value]
    if len(given) > 1:
        names = " and ".join(name for name, _ in given)
        raise RunError(f"{names} are both set for Kubernetes", "keep one of them, in [argo_yaml] or in the connection")
    return given[0] if given else ("", None)


def _verify(config: Json, *, verify: bool) -> None:
    for cluster in () if verify else config.get("clusters") or ():
        cluster["cluster"] = {**cluster["cluster"], "insecure-skip-tls-verify": True}


async def _open_inline(config: Json, context: str | None, *, shared: bool, token: str | None) -> Kube:
    """A kubeconfig that the connection itself holds: it is a secret, and is on disk only while it is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config), encoding="utf-8")
        return await Kube.open(str(path), context, shared=shared, token=token)


def _without_prefix(extras: Mapping[str, Any]) -> dict[str, Any]:
    """Connections of before Airflow 2.3 have `extra__kubernetes__` before each name."""
    return {name.removeprefix(_OLD_PREFIX): value for name, value in extras.items() if value not in (None, "")}


def has_mutation_hook() -> bool:
    """Whether the deployment defines `pod_mutation_hook`; without one no pod goes through the synchronous client's models."""
    from airflow.settings import get_policy_plugin_manager

    return bool(get_policy_plugin_manager().hook.pod_mutation_hook.get_hookimpls())


class MutatingKube(Kube):
    """A client whose pods pass through `pod_mutation_hook`, as those of KubernetesPodOperator do."""

    async def create_pod(self, manifest: Json) -> tuple[Json, bool]:
        """The pod, made from what the hook left of the manifest."""
        return await super().create_pod(mutated(manifest))


def mutated(manifest: Json) -> Json:
    """The manifest after the deployment's `pod_mutation_hook`."""
    from airflow.settings import pod_mutation_hook

    pod = to_model(manifest)
    pod_mutation_hook(pod)  # type: ignore[no-untyped-call]
    return from_model(pod, name=manifest["metadata"]["name"])


def to_model(manifest: Json) -> Any:
    """A pod's JSON as the V1Pod that Airflow's hooks and callbacks know."""
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator

    return PodGenerator.deserialize_model_dict(manifest)


def from_model(pod: Any, *, name: str) -> Json:
    """A V1Pod's JSON; its name stays as it was, or the pod would not be found again."""
    from kubernetes.client import ApiClient  # type: ignore[import-untyped]

    manifest: Json = ApiClient().sanitize_for_serialization(pod)
    manifest["metadata"] = {**manifest.get("metadata", {}), "name": name}
    return manifest
