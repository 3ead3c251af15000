"""What an image starts, asked of its registry: only for a supervised container without `command`.

In: an image name, credentials as a docker config.  Out: {"entrypoint", "cmd"}, or None where the registry says nothing.
Argo: workflow/controller/entrypoint/container_registry_index.go.
Must not know: pods, Airflow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    import aiohttp

Json = dict[str, Any]

_DOCKER_HUB = "registry-1.docker.io"
_ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
_SECONDS = 10.0


async def image_entrypoint(image: str, auths: Json | None = None) -> Json | None:
    """The image's entrypoint and command."""
    import aiohttp

    host, repository, reference = parse_image(image)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS), trust_env=True) as session:
            registry = _Registry(session, host, repository, _credentials(auths or {}, host))
            manifest = await registry.get(f"manifests/{reference}")
            if "manifests" in manifest:
                chosen = next((entry for entry in manifest["manifests"] if _fits(entry)), manifest["manifests"][0])
                manifest = await registry.get(f"manifests/{chosen['digest']}")
            blob = await registry.get(f"blobs/{manifest['config']['digest']}")
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError, IndexError):
        return None
    config = blob.get("config") or {}
    return {"entrypoint": config.get("Entrypoint") or [], "cmd": config.get("Cmd") or []}


def parse_image(image: str) -> tuple[str, str, str]:
    """Registry host, repository, and tag or digest."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    host, path = (first, rest) if slash and ("." in first or ":" in first or first == "localhost") else ("docker.io", name)
    path, _, tag = path.partition(":")
    if host == "docker.io":
        host, path = _DOCKER_HUB, path if "/" in path else f"library/{path}"
    return host, path, digest or tag or "latest"


class _Registry:
    """One repository of a registry."""

    def __init__(self, session: aiohttp.ClientSession, host: str, repository: str, basic: str) -> None:
        self._session, self._basic = session, basic
        self._scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
        self._url = f"{self._scheme}://{host}/v2/{repository}/"
        self._token = f"Basic {basic}" if basic else ""

    async def get(self, path: str) -> Json:
        """A manifest or a configuration; logs in where the registry says how."""
        for _ in range(2):
            headers = {"Accept": _ACCEPT, **({"Authorization": self._token} if self._token else {})}
            async with self._session.get(self._url + path, headers=headers) as reply:
                if reply.status == 401 and "Bearer" in reply.headers.get("WWW-Authenticate", ""):
                    self._token = await self._log_in(reply.headers["WWW-Authenticate"])
                    continue
                reply.raise_for_status()
                found: Json = await reply.json(content_type=None)
                return found
        raise KeyError(path)

    async def _log_in(self, challenge: str) -> str:
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = urlencode({name: fields[name] for name in ("service", "scope") if name in fields})
        headers = {"Authorization": f"Basic {self._basic}"} if self._basic else {}
        async with self._session.get(f"{fields['realm']}?{query}", headers=headers) as reply:
            reply.raise_for_status()
            answer = await reply.json(content_type=None)
            return f"Bearer {answer.get('token') or answer['access_token']}"


def _fits(entry: Json) -> bool:
    platform = entry.get("platform") or {}
    return platform.get("os") == "linux" and platform.get("architecture") == "amd64"


def _credentials(auths: Json, host: str) -> str:
    names = [host, f"https://{host}"]
    if host == _DOCKER_HUB:
        names += ["docker.io", "index.docker.io", "https://index.docker.io/v1/"]
    return next((str(auths[name]["auth"]) for name in names if auths.get(name, {}).get("auth")), "")
