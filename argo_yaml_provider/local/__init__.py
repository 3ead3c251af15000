"""A Kubernetes without a cluster: its API on loopback, its pods as sandboxed processes of this machine.

In: nothing.  Out: `EmbeddedKubernetes`, which any client of Kubernetes can talk to.
Must not know: workflows, Airflow. It isolates files, not trust.

Read in this order: resources, store, objects, api (what is asked); kubelet, pod, container, processes (what is done);
launcher, sandbox, linux (how a process is put into a container).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argo_yaml_provider.local.embedded import EmbeddedKubernetes as EmbeddedKubernetes

__all__ = ["EmbeddedKubernetes"]


def __getattr__(name: str) -> object:
    """Imported when asked for: the launcher, which is forked for every container, must stay small."""
    if name == "EmbeddedKubernetes":
        from argo_yaml_provider.local.embedded import EmbeddedKubernetes

        return EmbeddedKubernetes
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
