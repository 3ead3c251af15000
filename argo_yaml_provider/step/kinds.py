"""Where the API server keeps objects of a kind: its discovery documents.

In: a Kube, an apiVersion and kind, or a word as kubectl takes it (`configmap`, `deploy`, `jobs.batch`).  Out: Kind.
Must not know: Argo.
"""

from __future__ import annotations

from dataclasses import dataclass

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.kube import Json, Kube


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object, as the server serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """The path of one object, or of all."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{self.api_version}{scope}/{self.plural}" + (f"/{name}" if name else "")


async def find_kind(kube: Kube, api_version: str, kind: str, *, name: str = "") -> Kind:
    """The kind that a manifest names."""
    for entry in await _entries(kube, api_version):
        if entry["kind"] == kind and "/" not in entry["name"]:
            return _kind(api_version, entry)
    raise RunError(
        f'resource mapping not found for name: "{name}" namespace: "" from "/tmp/manifest.yaml": '
        f'no matches for kind "{kind}" in version "{api_version}"\nensure CRDs are installed first',
        help="call the other workflow's template by templateRef" if api_version.startswith("argoproj.io/") else "",
    )


async def find_word(kube: Kube, word: str) -> Kind:
    """The kind that a word on kubectl's command line means: plural, singular, kind or short name, with or without its group."""
    name, _, group = word.lower().partition(".")
    for api_version in ["v1", *await _preferred(kube)]:
        if group and not f"{api_version.partition('/')[0]}.".startswith(f"{group}."):
            continue
        for entry in await _entries(kube, api_version):
            names = (entry["name"], entry.get("singularName"), entry["kind"].lower(), *entry.get("shortNames", ()))
            if name in names:
                return _kind(api_version, entry)
    raise RunError(f'the server doesn\'t have a resource type "{word}"')


async def _preferred(kube: Kube) -> list[str]:
    groups = await kube.call("GET", "/apis")
    return [group["preferredVersion"]["groupVersion"] for group in groups["groups"]]


async def _entries(kube: Kube, api_version: str) -> list[Json]:
    root = "/api/" if "/" not in api_version else "/apis/"
    found = await kube.get(root + api_version) if api_version else None
    return list((found or {}).get("resources", ()))


def _kind(api_version: str, entry: Json) -> Kind:
    return Kind(api_version=api_version, kind=entry["kind"], plural=entry["name"], namespaced=entry["namespaced"])
