"""A DAG bundle in which every workflow file is a DAG file of its own: own import error, own source, own version.

    dag_bundle_config_list = [{"name": "workflows",
        "classpath": "argo_yaml_provider.airflow.bundle.ArgoDagBundle", "kwargs": {"path": "/opt/workflows"}}]

or, in place of `path`, `"bundle": {"classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": {…}}`.
In: a folder, or another bundle.  Out: a mirror of its workflow files with a DAG file beside each.
Must not know: what a workflow is.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion
from airflow.dag_processing.bundles.local import LocalDagBundle
from airflow.sdk.exceptions import AirflowException

from argo_yaml_provider.airflow.mirror import Files, Mirror, Source, Store
from argo_yaml_provider.airflow.settings import read_settings

Json = dict[str, Any]
_NEEDED = (
    "airflow.providers.standard.operators.trigger_dagrun",
    "argo_yaml_provider.airflow.bindings",
    "argo_yaml_provider.airflow.dags",
    "argo_yaml_provider.airflow.declared",
    "argo_yaml_provider.airflow.placeholder",
    "argo_yaml_provider.plan.compile",
    "argo_yaml_provider.plan.serialize",
)


class ArgoDagBundle(BaseDagBundle):
    """The workflow files (.yaml, .yml, .json) of `path` (the dags folder by default), or of another bundle.

    Versions are those of the other bundle where it has any; a folder's are its content, and are kept on this machine.
    """

    supports_versioning = True

    def __init__(self, *, path: str | None = None, bundle: Json | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if path and bundle:
            raise AirflowException(f"the bundle {self.name} is given both path and bundle; choose one")
        self._inner = _inner(f"{self.name}-source", path, bundle, self.version)
        self._store = Store(folder=self.base_dir / "kept")
        self._source: Source | None = None
        self._mirror = Mirror(target=self.path)
        self._current = ""
        self._behind = True
        """Whether the mirror may not be what the source is: also after a refresh that failed, on a full disk perhaps."""

    def initialize(self) -> None:
        """Airflow: before the files are used."""
        with self.lock():
            self._inner.initialize()
            if self.version is None:
                _import_ahead()
                self._take_over()
            elif not self._done.is_file():
                self._mirror.show(self._files_of(self.version))
                self._done.touch()
        super().initialize()

    @property
    def path(self) -> Path:
        """The mirror; of a run that keeps an older version, the mirror of that."""
        return self.versions_dir / self.version if self.version else self.base_dir / "tracking"

    def refresh(self) -> None:
        """Only what changed is written, so that only that is parsed again."""
        with self.lock():
            self._inner.refresh()
            self._take_over()

    def get_current_version(self) -> BundleVersion:
        """A content hash, or what the other bundle says."""
        return BundleVersion(version=self.version or self._current)

    def view_url_template(self) -> str | None:
        """The other bundle's."""
        return super().view_url_template() or self._inner.view_url_template()

    @property
    def _done(self) -> Path:
        """Stands in the mirror of an older version once that is whole: a process may be killed as it writes one."""
        return self.path / ".done"

    def _take_over(self) -> None:
        if self._source is None or self._source.folder != self._inner.path:
            self._source = Source(folder=self._inner.path, beside=read_settings().templates)
        self._behind = self._source.changed() or self._behind
        if self._behind:
            self._mirror.show(self._source.files)
        if self._behind or self._inner.supports_versioning:
            self._current = _version(self._inner) or self._store.keep(self._source.files, self.path)
        self._behind = False

    def _files_of(self, version: str) -> Files:
        files = self._inner_files() if self._inner.supports_versioning else self._store.files(version)
        if files is None:
            raise AirflowException(
                f"version {version} of the bundle {self.name} is not on this machine: "
                "share [dag_processor] dag_bundle_storage_path with the dag processor, or keep the workflows in git"
            )
        return files

    def _inner_files(self) -> Files:
        source = Source(folder=self._inner.path)
        source.changed()
        return source.files


def _import_ahead() -> None:
    """What every file needs, once: a dag processor forks for each."""
    for name in _NEEDED:
        import_module(name)


def _inner(name: str, path: str | None, bundle: Json | None, version: str | None) -> BaseDagBundle:
    if bundle is None:
        return LocalDagBundle(name=name, path=path)
    module, _, attribute = bundle["classpath"].rpartition(".")
    made: Callable[..., BaseDagBundle] = getattr(import_module(module), attribute)
    return made(name=name, version=version if getattr(made, "supports_versioning", False) else None, **bundle.get("kwargs", {}))


def _version(inner: BaseDagBundle) -> str | None:
    found = inner.get_current_version() if inner.supports_versioning else None
    return found.version if isinstance(found, BundleVersion) else found
