"""From an Airflow connection and the pod settings to a connected Kubernetes client.

In: PodSettings, the extras of the Kubernetes connection.  Out: `Kube`.
Must not know: who asked, a worker or an executor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.host import PodSettings

if TYPE_CHECKING:
    from kubernetes_asyncio.client import Configuration

DEFAULT_CONNECTION = "kubernetes_default"
_OLD_PREFIX = "extra__kubernetes__"


async def connection_extras(conn_id: str | None) -> dict[str, Any]:
    """The connection's extras, asked for through the Task SDK; the default connection need not exist."""
    if conn_id is None:
        return {}
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = await BaseHook.aget_connection(conn_id)
    except AirflowNotFoundException:
        if conn_id == DEFAULT_CONNECTION:
            return {}
        raise RunError(
            f"the Kubernetes connection {conn_id!r} does not exist",
            f"airflow connections add {conn_id} --conn-type kubernetes …, or set [argo_yaml] conn_id",
        ) from None
    return dict(connection.extra_dejson)


async def kube_configuration(pods: PodSettings, extras: Mapping[str, Any]) -> Configuration:
    """A client configuration, by the rules of KubernetesHook: what is set here wins over the connection."""
    from kubernetes_asyncio import config
    from kubernetes_asyncio.client import Configuration

    extra = _without_prefix(extras)
    configuration = Configuration()
    context = pods.cluster_context or extra.get("cluster_context")
    way, value = _way_in(pods, extra)
    if way == "in_cluster":
        config.load_incluster_config(client_configuration=configuration)
    elif way == "kube_config":
        content = value if isinstance(value, dict) else json.loads(value)
        await config.load_kube_config_from_dict(content, context=context, client_configuration=configuration)
    elif way == "kube_config_path":
        await config.load_kube_config(config_file=value, context=context, client_configuration=configuration)
    else:
        await _default_configuration(configuration, context)
    if extra.get("disable_verify_ssl"):
        configuration.verify_ssl = False
    return configuration


def _way_in(pods: PodSettings, extra: Mapping[str, Any]) -> tuple[str, Any]:
    """The one place that says where the cluster is: the settings, else the connection, else ('', None)."""
    if pods.in_cluster or pods.config_file:
        chosen = {"in_cluster": pods.in_cluster, "kube_config_path": pods.config_file}
    else:
        in_cluster = extra.get("in_cluster") if pods.in_cluster is None else None
        chosen = {"in_cluster": in_cluster, **{name: extra.get(name) for name in ("kube_config_path", "kube_config")}}
    set_ = [(name, value) for name, value in chosen.items() if value]
    if len(set_) > 1:
        names = " and ".join(name for name, _ in set_)
        raise RunError(f"{names} are both set for Kubernetes", "keep one of them, in [argo_yaml] or in the connection")
    return set_[0] if set_ else ("", None)


async def _default_configuration(configuration: Configuration, context: str | None) -> None:
    """The pod's own service account where there is one, else the user's kubeconfig."""
    from kubernetes_asyncio import config

    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        try:
            await config.load_kube_config(context=context, client_configuration=configuration)
        except config.ConfigException as error:
            raise RunError(
                f"no Kubernetes to run pods on: {error}",
                "add the connection kubernetes_default, or set [argo_yaml] config_file to a kubeconfig file",
            ) from None


def _without_prefix(extras: Mapping[str, Any]) -> dict[str, Any]:
    """Connections of before Airflow 2.3 have `extra__kubernetes__` before each name."""
    return {name.removeprefix(_OLD_PREFIX): value for name, value in extras.items() if value not in (None, "")}
