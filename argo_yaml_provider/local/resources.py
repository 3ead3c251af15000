"""The kinds of object the API serves: one table, and what custom resource definitions add to it.

In: nothing, or a CustomResourceDefinition.  Out: `Resource` by group, version and plural.
Must not know: HTTP, the store, pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of object and the words that address it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name Kubernetes uses in messages, such as `jobs.batch`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


# apiVersion plural Kind [cluster] [short,…]
_TABLE = """
v1 namespaces Namespace cluster ns
v1 nodes Node cluster no
v1 persistentvolumes PersistentVolume cluster pv
v1 pods Pod namespaced po
v1 configmaps ConfigMap namespaced cm
v1 secrets Secret
v1 services Service namespaced svc
v1 endpoints Endpoints namespaced ep
v1 serviceaccounts ServiceAccount namespaced sa
v1 persistentvolumeclaims PersistentVolumeClaim namespaced pvc
v1 events Event namespaced ev
v1 limitranges LimitRange namespaced limits
v1 resourcequotas ResourceQuota namespaced quota
v1 replicationcontrollers ReplicationController namespaced rc
v1 podtemplates PodTemplate
apps/v1 deployments Deployment namespaced deploy
apps/v1 replicasets ReplicaSet namespaced rs
apps/v1 statefulsets StatefulSet namespaced sts
apps/v1 daemonsets DaemonSet namespaced ds
batch/v1 jobs Job
batch/v1 cronjobs CronJob namespaced cj
policy/v1 poddisruptionbudgets PodDisruptionBudget namespaced pdb
coordination.k8s.io/v1 leases Lease
networking.k8s.io/v1 ingresses Ingress namespaced ing
networking.k8s.io/v1 networkpolicies NetworkPolicy namespaced netpol
rbac.authorization.k8s.io/v1 roles Role
rbac.authorization.k8s.io/v1 rolebindings RoleBinding
rbac.authorization.k8s.io/v1 clusterroles ClusterRole cluster
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding cluster
scheduling.k8s.io/v1 priorityclasses PriorityClass cluster pc
storage.k8s.io/v1 storageclasses StorageClass cluster sc
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition cluster crd,crds
"""
_IN_ALL = {"pods", "services", "deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs"}


def _parse(line: str) -> Resource:
    api_version, plural, kind, scope, short = (*line.split(), "", "")[:5]
    group, _, version = api_version.rpartition("/")
    return Resource(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        namespaced=scope != "cluster",
        short=tuple(filter(None, short.split(","))),
        categories=("all",) if plural in _IN_ALL else (),
    )


class Catalogue:
    """Every resource served, by (group, version, plural)."""

    def __init__(self) -> None:
        rows = [_parse(line) for line in _TABLE.strip().splitlines()]
        self._resources = {(r.group, r.version, r.plural): r for r in rows}

    def __iter__(self) -> Iterator[Resource]:
        return iter(tuple(self._resources.values()))

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._resources.get((group, version, plural))

    def find_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource an ownerReference names."""
        return next((r for r in self if r.api_version == api_version and r.kind == kind), None)

    def define(self, definition: Json) -> None:
        """Serve what a CustomResourceDefinition describes."""
        spec, names = definition["spec"], definition["spec"]["names"]
        for version in spec.get("versions", ()):
            resource = Resource(
                group=spec["group"],
                version=version["name"],
                plural=names["plural"],
                kind=names["kind"],
                namespaced=spec.get("scope", "Namespaced") == "Namespaced",
                short=tuple(names.get("shortNames", ())),
                categories=tuple(names.get("categories", ())),
            )
            self._resources[(resource.group, resource.version, resource.plural)] = resource

    def undefine(self, definition: Json) -> None:
        group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]
        for key in [k for k in self._resources if k[0] == group and k[2] == plural]:
            del self._resources[key]
