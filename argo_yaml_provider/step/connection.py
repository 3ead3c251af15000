"""An HTTP session with one API server: address, trust, credentials, one connection pool.

In: a kubeconfig, a pod's own service account, or an ApiClient of kubernetes_asyncio that somebody else configured.
Plain credentials are read here, because kubernetes_asyncio takes two seconds to import; it is used only for
what needs a login of its own (exec plugins, auth providers).
Must not know: pods, Argo, Airflow.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    import aiohttp

Json = dict[str, Any]
Headers = Callable[[], Awaitable[dict[str, str]]]

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a request needs beside its path."""

    url: str
    session: aiohttp.ClientSession
    headers: Headers
    options: Json = field(default_factory=dict)
    """For aiohttp: proxy, server_hostname."""

    async def close(self) -> None:
        """Ends all requests."""
        await self.session.close()


async def connect(
    config_file: str | None = None, context: str | None = None, *, in_cluster: bool | None = None, token: str | None = None
) -> Connection:
    """The API server that a kubeconfig names, or the one whose pod this process lives in.

    A `token` is shown instead of every credential of one's own: client certificates above all, which would be looked at first.
    """
    path = _kubeconfig(config_file)
    if in_cluster or (in_cluster is None and path is None and _in_a_pod()):
        return _in_cluster(token)
    if path is None:
        raise RunError(
            "no way to Kubernetes: no kubeconfig, and this is no pod of a cluster",
            help="set KUBECONFIG, the connection's kube_config_path or in_cluster, or [argo_yaml] config_file",
        )
    config = _read_yaml(path)
    name = context or config.get("current-context")
    if not name:
        raise RunError(f"the kubeconfig {path} has no current-context", help="choose one: kubectl config use-context NAME")
    chosen = _named(config, "contexts", name, path)["context"]
    user = {"token": token} if token else _user(config, chosen, path)
    if "exec" in user or "auth-provider" in user:
        return await _by_client(path, context)
    return _static(_named(config, "clusters", chosen["cluster"], path)["cluster"], user, path.parent)


def from_client(client: Any) -> Connection:
    """Through an ApiClient of kubernetes_asyncio, and its refreshed credentials."""

    async def headers() -> dict[str, str]:
        given: dict[str, str] = {}
        await client.update_params_for_auth(given, [], ["BearerToken"])
        return given

    rest = client.rest_client
    options = {"proxy": rest.proxy, "proxy_headers": rest.proxy_headers, "server_hostname": rest.server_hostname}
    return Connection(
        url=client.configuration.host.rstrip("/"),
        session=rest.pool_manager,
        headers=headers,
        options={key: value for key, value in options.items() if value},
    )


async def _by_client(path: Path, context: str | None) -> Connection:
    from kubernetes_asyncio import client, config

    configuration = client.Configuration()
    configuration.connection_pool_maxsize = 0
    await config.load_kube_config(config_file=str(path), context=context, client_configuration=configuration)
    return from_client(client.ApiClient(configuration))


def _in_a_pod() -> bool:
    return (SERVICE_ACCOUNT / "token").is_file()


def _in_cluster(token: str | None) -> Connection:
    async def headers() -> dict[str, str]:
        # The kubelet renews the token in place.
        return {"Authorization": "Bearer " + (token or (SERVICE_ACCOUNT / "token").read_text().strip())}

    host = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    trust = ssl.create_default_context(cafile=str(SERVICE_ACCOUNT / "ca.crt"))
    url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return Connection(url=url, session=_session(trust), headers=headers)


def _static(cluster: Json, user: Json, folder: Path) -> Connection:
    async def headers() -> dict[str, str]:
        if token_file := user.get("tokenFile"):
            return {"Authorization": "Bearer " + (folder / token_file).read_text().strip()}
        if user.get("token"):
            return {"Authorization": f"Bearer {user['token']}"}
        if user.get("username"):
            pair = f"{user['username']}:{user.get('password', '')}"
            return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        return {}

    proxy = cluster.get("proxy-url") or _proxy(cluster["server"])
    options = {"proxy": proxy, "server_hostname": cluster.get("tls-server-name")}
    return Connection(
        url=cluster["server"].rstrip("/"),
        session=_session(_trust(cluster, user, folder)),
        headers=headers,
        options={key: value for key, value in options.items() if value},
    )


def _session(trust: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    import aiohttp

    # Each follower of a log holds a connection: no limit. A watch event may hold a whole object: 2 MiB.
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=trust), read_bufsize=2**21)


def _proxy(url: str) -> str | None:
    """What HTTPS_PROXY and NO_PROXY say, asked once; aiohttp would ask, and read .netrc in a thread, at every request."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _trust(cluster: Json, user: Json, folder: Path) -> ssl.SSLContext | bool:
    if not cluster["server"].startswith("https:"):
        return True
    authority = _bytes(cluster, "certificate-authority", folder)
    trust = ssl.create_default_context(cadata=authority.decode() if authority else None)
    # Kubernetes' own authorities often lack what the strict check of Python 3.13 asks for.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if cluster.get("insecure-skip-tls-verify"):
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    certificate, key = _bytes(user, "client-certificate", folder), _bytes(user, "client-key", folder)
    if certificate and key:
        # ssl reads key pairs from files only.
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(certificate + b"\n" + key)
            pair.flush()
            trust.load_cert_chain(pair.name)
    return trust


def _bytes(entry: Json, name: str, folder: Path) -> bytes | None:
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data)
    return (folder / entry[name]).read_bytes() if entry.get(name) else None


def _kubeconfig(given: str | None) -> Path | None:
    """The given file, else the first that is there of KUBECONFIG's, else the one at home."""
    if given:
        return Path(given).expanduser()
    places = [place for place in os.environ.get("KUBECONFIG", "").split(os.pathsep) if place] or ["~/.kube/config"]
    return next((path for place in places if (path := Path(place).expanduser()).is_file()), None)


def _read_yaml(path: Path) -> Json:
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        config = yaml.safe_load(path.read_text())
    except OSError as error:
        raise RunError(f"the kubeconfig {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise RunError(f"the kubeconfig {path}{at} is not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(config, dict):
        raise RunError(f"the kubeconfig {path} is not a map")
    return config


def _user(config: Json, chosen: Json, path: Path) -> Json:
    return _named(config, "users", chosen["user"], path).get("user") or {} if chosen.get("user") else {}


def _named(config: Json, kind: str, name: str | None, path: Path) -> Json:
    for entry in config.get(kind) or []:
        if entry.get("name") == name:
            return dict(entry)
    known = ", ".join(sorted(entry.get("name", "?") for entry in config.get(kind) or [])) or "none"
    raise RunError(f"the kubeconfig {path} has no {kind.removesuffix('s')} {name!r}", help=f"it has: {known}")
