"""`load_dags(globals())`: the one line of a loader file in the dags folder.

In: a folder of workflow files.  Out: DAGs in the loader's namespace, one for each workflow and each of its child plans. A file
that is wrong becomes a DAG that shows its error and touches no other; two workflows that claim one dag_id likewise.
Must not know: how plans are made.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.cache import Cache, content_key, templates_key
from argo_yaml_provider.airflow.envelope import child_dag_id
from argo_yaml_provider.airflow.files import SUFFIXES, workflow_files
from argo_yaml_provider.airflow.settings import Settings, read_settings
from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.plan.nodes import Json, Plan

if TYPE_CHECKING:
    from airflow.sdk import DAG

DAG_ID = "argo-yaml/dag-id"
"""The annotation that names a workflow's DAG."""
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+")
_INDEX = "paths by dag_id"
_MAX_ID = 200
"""Of Airflow's 250: the rest is for the keys of child plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One workflow of one file, or (with `error`) one file that is wrong."""

    dag_id: str
    path: Path
    place: str
    """The path as messages show it, with the number of the document where the file holds several."""
    by_path: str
    """The dag_id to take where a generated name is not the only one of its kind."""
    fixed: bool = True
    """Whether the name was chosen by the author (annotation or metadata.name), not generated."""
    text: str = ""
    """The plan, as plan.serialize wrote it."""
    binding: Json | None = None
    """Of a WorkflowEventBinding: what `resolve.bindings` read."""
    children: tuple[str, ...] = ()
    error: str = ""


def load_dags(namespace: MutableMapping[str, Any], folder: str | Path | None = None, **dag_kwargs: Any) -> None:
    """Put the DAGs of all workflow files under `folder` (the loader's own by default) into the loader's namespace.

    In a task process only the DAG that is asked for is built. More keywords go to every DAG, such as `default_args`.
    """
    from airflow.sdk import get_parsing_context

    here = Path(namespace["__file__"])
    for dag in folder_dags(Path(folder) if folder else here.parent, only=get_parsing_context().dag_id, **dag_kwargs):
        dag.fileloc = str(here)
        namespace[f"dag {dag.dag_id}"] = dag


def load_file(namespace: MutableMapping[str, Any], *dag_ids: str) -> None:
    """Put the DAGs of the workflow file beside this DAG file (`train.yaml.py`: of `train.yaml`) into its namespace.

    Its workflows get these ids, in order. A file that is wrong is an import error.
    """
    from dataclasses import replace

    from airflow.sdk import get_parsing_context

    path = Path(namespace["__file__"]).with_suffix("")
    settings, only = read_settings(), get_parsing_context().dag_id
    for entry, dag_id in zip(Folder(folder=path.parent, settings=settings).read(path), dag_ids, strict=True):
        if entry.error:
            raise WrongWorkflowError(entry.error)
        for dag in entry_dags(replace(entry, dag_id=dag_id), settings, only=only):
            namespace[f"dag {dag.dag_id}"] = dag


def show_error(error: str) -> None:
    """Let a file that is wrong be an import error."""
    raise WrongWorkflowError(error.strip())


class WrongWorkflowError(Exception):
    """A workflow file cannot become DAGs; Airflow shows the text as an import error."""


def folder_dags(folder: Path, *, only: str | None = None, **dag_kwargs: Any) -> Iterator[DAG]:
    """The DAGs of a folder; with `only`, that one alone."""
    settings = read_settings()
    loader = Folder(folder=folder.resolve(), settings=settings)
    if only is not None and (entry := loader.remembered(only)):
        yield from _shown(entry, settings, only=only, **dag_kwargs)
        return
    for entry in loader.entries():
        yield from _shown(entry, settings, only=only, **dag_kwargs)


def _shown(entry: Entry, settings: Settings, *, only: str | None, **dag_kwargs: Any) -> list[DAG]:
    """Its DAGs. What the author wants and this deployment has not, an annotation's executor or callback, is its error alone."""
    from argo_yaml_provider.airflow.placeholder import build_placeholder

    try:
        return list(entry_dags(entry, settings, only=only, **dag_kwargs))
    except ValueError as error:
        return [build_placeholder(entry.dag_id, f"{entry.place}: {error}", settings)]


def entry_dags(entry: Entry, settings: Settings, *, only: str | None = None, **dag_kwargs: Any) -> Iterator[DAG]:
    """The entry's DAG and those of its child plans, or the DAG that shows its error."""
    from argo_yaml_provider.airflow.bindings import build_binding
    from argo_yaml_provider.airflow.dags import build_child, build_dag
    from argo_yaml_provider.airflow.placeholder import build_placeholder
    from argo_yaml_provider.plan.serialize import loads

    if entry.error:
        if only in (None, entry.dag_id):
            yield build_placeholder(entry.dag_id, entry.error, settings)
        return
    if entry.binding is not None:
        if only in (None, entry.dag_id):
            yield build_binding(entry.dag_id, entry.binding, settings, source=_source(entry.path))
        return
    child_ids = {key: child_dag_id(entry.dag_id, key) for key in entry.children}
    if only is not None and only != entry.dag_id and only not in child_ids.values():
        return
    plan = loads(entry.text)
    if only in (None, entry.dag_id):
        yield build_dag(plan, settings, dag_id=entry.dag_id, source=_source(entry.path), **dag_kwargs)
    for key, dag_id in child_ids.items():
        if only in (None, dag_id):
            yield build_child(plan, settings, family=entry.dag_id, key=key, default_args=dag_kwargs.get("default_args"))


@dataclass(kw_only=True)
class Folder:
    """One folder's workflow files, compiled or remembered."""

    folder: Path
    settings: Settings
    held: Mapping[str, bytes] | None = None
    """What the folder holds, by the paths within, where that is known; else it is read."""

    @cached_property
    def cache(self) -> Cache:
        return Cache(folder=self.settings.cache_dir)

    @cached_property
    def templates(self) -> str:
        """A key of everything that workflows here may refer to."""
        held = ((f"{self.folder}/{name}", raw) for name, raw in (self.held or {}).items() if name.endswith(SUFFIXES))
        homes = self.settings.templates if self.held is not None else (self.folder, *self.settings.templates)
        return templates_key(chain(held, *map(_contents, homes)))

    def entries(self) -> list[Entry]:
        """Every workflow of the folder under the dag_id it gets; remembered for `remembered`."""
        with self.cache.open():
            found = named([entry for entries in self.by_path().values() for entry in entries])
            index = {dag_id: str(entry.path) for entry in found if not entry.error for dag_id in _ids(entry)}
            self.cache.write(self._index, _INDEX, index)
        return found

    def by_path(self) -> dict[Path, list[Entry]]:
        """The entries of each file, under the ids they ask for."""
        return {path: self.read(path) for path in workflow_files(self.folder)}

    def key(self, raw: bytes) -> str:
        """Changes with a file's content, and with the templates here if it refers to any."""
        return content_key(raw, lambda: self.templates)

    def remembered(self, dag_id: str) -> Entry | None:
        """The entry of a dag_id, if its file is as it was when the folder was last read."""
        with self.cache.open():
            path = (self.cache.read(self._index, _INDEX) or {}).get(dag_id)
            entries = [entry for entry in self.read(Path(path)) if dag_id in _ids(entry)] if path else []
        return entries[0] if len(entries) == 1 else None

    def read(self, path: Path) -> list[Entry]:
        """One file's entries, under the ids they ask for."""
        try:
            raw = path.read_bytes()
        except OSError as error:
            return [self._broken(path, f"{self._place(path)}: the file cannot be read: {error.strerror}")]
        try:
            value = self.cache.look_up(path, self.key(raw), lambda: self.compile(path))
        except Exception as error:  # noqa: BLE001 - a bug of ours, and not the file's: it must not hide the others, nor be remembered
            return [self._broken(path, f"{self._place(path)}: {type(error).__name__}: {error}", _wanted_name(path))]
        if "error" in value:
            return [self._broken(path, value["error"], value["name"])]
        several = len(value["plans"]) > 1
        plans = [self._entry(path, plan, number if several else None) for number, plan in enumerate(value["plans"])]
        return [*plans, *(self._bound(path, binding) for binding in value["bindings"])]

    def compile(self, path: Path) -> Json:
        """What is kept of a file: its plans with their names, or its error."""
        from argo_yaml_provider.plan.compile import compile_file
        from argo_yaml_provider.plan.serialize import dumps
        from argo_yaml_provider.resolve.files import bindings_of

        try:
            plans = compile_file(path, library_paths=self.settings.templates, shown_as=self._place(path))
        except SpecError as error:
            return {"error": str(error), "name": _wanted_name(path)}
        bindings = [binding.to_json() for binding in bindings_of(path, shown_as=self._place(path))]
        return {"plans": [{"text": dumps(plan), **_names(plan)} for plan in plans], "bindings": bindings}

    @property
    def _index(self) -> Path:
        return self.folder / ".index"

    def _place(self, path: Path) -> str:
        return str(path).removeprefix(f"{self.folder}/")

    def _path_id(self, path: Path) -> str:
        return slug(str(Path(self._place(path)).with_suffix("")).replace("/", "."))

    def _broken(self, path: Path, error: str, name: str = "") -> Entry:
        by_path = self._path_id(path)
        return Entry(
            dag_id=slug(name) or by_path, path=path, place=self._place(path), by_path=by_path, fixed=False, error=error
        )

    def _bound(self, path: Path, binding: Json) -> Entry:
        wanted = binding["annotations"].get(DAG_ID)
        by_path = f"{self._path_id(path)}.{binding['name']}.event"
        dag_id = slug(wanted or f"{binding['name']}.event")
        return Entry(dag_id=dag_id, path=path, place=self._place(path), by_path=by_path, fixed=bool(wanted), binding=binding)

    def _entry(self, path: Path, plan: Json, number: int | None) -> Entry:
        suffix, note = ("", "") if number is None else (f".{number}", f" (document {number + 1})")
        return Entry(
            dag_id=plan["dag_id"],
            path=path,
            place=self._place(path) + note,
            by_path=self._path_id(path) + suffix,
            fixed=plan["fixed"],
            text=plan["text"],
            children=tuple(plan["children"]),
        )


def named(entries: Iterable[Entry]) -> list[Entry]:
    """Every entry under a dag_id of its own.

    Where a name is not the only one of its kind, generated names give way to their path; chosen names that clash are refused.
    """
    from dataclasses import replace

    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.dag_id].append(entry)
    found: list[Entry] = []
    for dag_id, group in groups.items():
        fixed = [entry for entry in group if entry.fixed]
        loose = [entry for entry in group if not entry.fixed]
        found += [_clash(dag_id, fixed)] if len(fixed) > 1 else fixed
        found += loose if len(group) == 1 else [replace(entry, dag_id=entry.by_path) for entry in loose]
    return sorted(found, key=lambda entry: entry.dag_id)


def slug(text: str) -> str:
    """Letters that a dag_id may hold."""
    return _NOT_IN_IDS.sub("-", text).strip("-.")[:_MAX_ID]


def _clash(dag_id: str, entries: list[Entry]) -> Entry:
    places = " and ".join(entry.place for entry in entries)
    help_text = f"give one of them another metadata.name, or the annotation {DAG_ID}"
    error = (
        f"{entries[0].place}: the DAG {dag_id} is defined more than once, in {places} [duplicate-dag]\n   = help: {help_text}"
    )
    return Entry(dag_id=dag_id, path=entries[0].path, place=places, by_path=dag_id, error=error)


def dag_id_of(plan: Plan) -> str:
    """The annotation, else the workflow's name."""
    annotations = ((plan.cron or plan.workflow).get("metadata") or {}).get("annotations") or {}
    return slug(annotations.get(DAG_ID) or plan.name)


def _names(plan: Plan) -> Json:
    written = plan.cron or plan.workflow
    metadata = written.get("metadata") or {}
    chosen = (metadata.get("annotations") or {}).get(DAG_ID) or metadata.get("name")
    # A template may have the name of a workflow that refers to it: there the workflow comes first.
    fixed = bool(chosen) and written.get("kind", "Workflow") in ("Workflow", "CronWorkflow")
    return {"dag_id": dag_id_of(plan), "fixed": fixed, "children": sorted(plan.children)}


def _wanted_name(path: Path) -> str:
    """What a file that does not compile would be called, so that its DAG keeps its history; '' if it cannot be told."""
    from argo_yaml_provider.source import read_file

    try:
        metadata = read_file(path)[0].json["metadata"]
        return str(metadata.get("name") or metadata["generateName"].rstrip("-"))
    except Exception:  # noqa: BLE001 - whatever is wrong with the file is already told
        return ""


def _ids(entry: Entry) -> list[str]:
    return [entry.dag_id, *(child_dag_id(entry.dag_id, key) for key in entry.children)]


def _contents(home: Path) -> Iterator[tuple[str, bytes]]:
    for path in (path for suffix in SUFFIXES for path in home.rglob(f"*{suffix}")):
        with contextlib.suppress(OSError):
            yield str(path), path.read_bytes()


def _source(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
