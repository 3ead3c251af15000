"""A pod's volumes as folders of this machine.

In: a pod, a way to read ConfigMaps, Secrets and claims, a folder.  Out: folders, and the mounts of each container.
Must not know: processes.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from argo_yaml_provider.local.environment import ConfigError, Reader, expand, pod_field, resource_field
from argo_yaml_provider.local.resources import Json

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path


class MountError(Exception):
    """A volume cannot be set up yet; the kubelet tries again."""


class Volumes:
    """The volumes of one pod."""

    def __init__(self, pod: Json, folder: Path, read: Reader, *, token: dict[str, str], capacity: Json) -> None:
        self._pod, self._folder, self._read = pod, folder, read
        self._token, self._capacity = token, capacity
        self._folders: dict[str, Path] = {}
        self._readonly: set[str] = set()

    def prepare(self) -> None:
        """Make every volume, or raise MountError for the first that cannot be made."""
        for volume in self._pod["spec"].get("volumes") or ():
            name = volume["name"]
            if name not in self._folders:
                self._folders[name] = self._make(volume)

    def _make(self, volume: Json) -> Path:
        kinds = [kind for kind in volume if kind != "name"] or ["emptyDir"]
        source = volume.get(kinds[0]) or {}
        if kinds[0] in _SOURCES:
            return self._show(kinds[0], volume["name"], source)
        make = _MAKERS.get(kinds[0])
        if make is None:
            raise MountError(f'volume "{volume["name"]}": the embedded Kubernetes has no volumes of type {kinds[0]}')
        return make(self, volume["name"], source)

    def _empty(self, name: str, _: Json) -> Path:
        return self._new(name, 0o777)

    def _new(self, name: str, mode: int) -> Path:
        path = self._folder / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        return path

    def _host(self, name: str, source: Json) -> Path:
        path, kind = Path(source["path"]), source.get("type") or ""
        if kind == "DirectoryOrCreate":
            path.mkdir(parents=True, exist_ok=True)
        elif kind == "FileOrCreate" and not path.exists():
            path.touch()
        if kind == "" and not path.exists():
            path.mkdir(parents=True)
        wrong = (kind == "Directory" and not path.is_dir()) or (kind == "File" and not path.is_file())
        if wrong:
            why = f"hostPath type check failed: {path} is not a {kind.lower()}"
            raise MountError(f'MountVolume.SetUp failed for volume "{name}" : {why}')
        return path

    def _claim(self, name: str, source: Json) -> Path:
        claim = self._read("persistentvolumeclaims", source["claimName"])
        if claim is None:
            raise MountError(f'persistentvolumeclaim "{source["claimName"]}" not found')
        folder = self._folder.parent.parent / "claims" / str(claim["metadata"]["uid"])
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        if source.get("readOnly"):
            self._readonly.add(name)
        return folder

    def _show(self, kind: str, name: str, source: Json) -> Path:
        """A volume that shows files made from other objects."""
        self._readonly.add(name)
        folder = self._new(name, 0o755)
        mode = int(source.get("defaultMode") or 0o644)
        for path, (content, own) in _Files(self).of(kind, source).items():
            _write_file(folder / path, content, own or mode)
        return folder

    def mounts(self, container: Json, env: dict[str, str]) -> list[Json]:
        """What to bind into a container, outer paths first."""
        found = [self._mount(mount, env) for mount in container.get("volumeMounts") or ()]
        automount = self._pod["spec"].get("automountServiceAccountToken") is not False
        if automount and not any(m["target"] == TOKEN_PATH for m in found):
            found.append({"source": str(self._token_folder()), "target": TOKEN_PATH, "readonly": True})
        return sorted(found, key=lambda m: str(m["target"]).rstrip("/").count("/"))

    def _mount(self, mount: Json, env: dict[str, str]) -> Json:
        folder = self._folders[mount["name"]]
        sub = expand(mount["subPathExpr"], env) if mount.get("subPathExpr") else mount.get("subPath") or ""
        if sub.startswith("/") or ".." in sub.split("/"):
            raise ConfigError(f'volume mount "{mount["name"]}": subPath {sub!r} leaves the volume')
        source = folder / sub if sub else folder
        if sub and not source.exists():
            source.mkdir(parents=True)
            source.chmod(0o777)
        readonly = bool(mount.get("readOnly")) or mount["name"] in self._readonly
        return {"source": str(source), "target": mount["mountPath"], "readonly": readonly}

    def _token_folder(self) -> Path:
        folder = self._folder / ".token"
        if not folder.exists():
            self._new(".token", 0o755)
            for name, text in {**self._token, "namespace": self._pod["metadata"]["namespace"]}.items():
                _write_file(folder / name, text.encode(), 0o644)
        return folder

    def refresh(self, kind: str, name: str) -> None:
        """A ConfigMap or Secret has changed: so do the files that show it."""
        for volume in self._pod["spec"].get("volumes") or ():
            shown = volume.get("configMap") if kind == "configmaps" else volume.get("secret")
            named = (shown or {}).get("name") or (shown or {}).get("secretName")
            if named == name and volume["name"] in self._folders:
                self._make(volume)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    # what the files of a volume are made of
    def downward(self, item: Json) -> bytes:
        if reference := item.get("fieldRef"):
            return pod_field(self._pod, reference["fieldPath"]).encode()
        return resource_field(self._pod, {}, item["resourceFieldRef"], self._capacity).encode()

    def contents(self, plural: str, name: str, *, optional: bool) -> dict[str, bytes]:
        obj = self._read(plural, name)
        if obj is None:
            if optional:
                return {}
            word = "configmap" if plural == "configmaps" else "secret"
            raise MountError(f'{word} "{name}" not found')
        binary = {k: base64.b64decode(v) for k, v in (obj.get("binaryData") or {}).items()}
        data = obj.get("data") or {}
        if plural == "secrets":
            return {k: base64.b64decode(v) for k, v in data.items()}
        return {**{k: str(v).encode() for k, v in data.items()}, **binary}

    def token_text(self) -> bytes:
        return self._token["token"].encode()


class _Files:
    """The files of one volume: path -> (content, mode or 0)."""

    def __init__(self, volumes: Volumes) -> None:
        self._volumes = volumes

    def of(self, kind: str, source: Json) -> dict[str, tuple[bytes, int]]:
        return dict(_SOURCES[kind](self, source))

    def config_map(self, source: Json) -> Iterator[tuple[str, tuple[bytes, int]]]:
        yield from self._keyed("configmaps", source.get("name", ""), source)

    def secret(self, source: Json) -> Iterator[tuple[str, tuple[bytes, int]]]:
        yield from self._keyed("secrets", source.get("secretName") or source.get("name", ""), source)

    def _keyed(self, plural: str, name: str, source: Json) -> Iterator[tuple[str, tuple[bytes, int]]]:
        optional = bool(source.get("optional"))
        data = self._volumes.contents(plural, name, optional=optional)
        items = source.get("items")
        for item in items if items is not None else [{"key": key, "path": key} for key in data]:
            if item["key"] in data:
                yield item["path"], (data[item["key"]], int(item.get("mode") or 0))
            elif not optional:
                raise MountError(f"references non-existent {plural[:-1]} key: {item['key']}")

    def downward(self, source: Json) -> Iterator[tuple[str, tuple[bytes, int]]]:
        for item in source.get("items") or ():
            yield item["path"], (self._volumes.downward(item), int(item.get("mode") or 0))

    def projected(self, source: Json) -> Iterator[tuple[str, tuple[bytes, int]]]:
        for entry in source.get("sources") or ():
            for kind, inner in entry.items():
                yield from _SOURCES[kind](self, inner)

    def token(self, source: Json) -> Iterator[tuple[str, tuple[bytes, int]]]:
        yield source.get("path", "token"), (self._volumes.token_text(), 0)


_SOURCES: dict[str, Callable[[_Files, Json], Iterator[tuple[str, tuple[bytes, int]]]]] = {
    "configMap": _Files.config_map,
    "secret": _Files.secret,
    "downwardAPI": _Files.downward,
    "projected": _Files.projected,
    "serviceAccountToken": _Files.token,
}
_MAKERS: dict[str, Callable[[Volumes, str, Json], Path]] = {
    "emptyDir": Volumes._empty,  # noqa: SLF001 - its own table
    "hostPath": Volumes._host,  # noqa: SLF001
    "persistentVolumeClaim": Volumes._claim,  # noqa: SLF001
    "ephemeral": Volumes._empty,  # noqa: SLF001
}


def _write_file(path: Path, content: bytes, mode: int) -> None:
    """Written whole, then put in its place: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.replace(path)
