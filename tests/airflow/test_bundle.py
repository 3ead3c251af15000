"""The bundle, under Airflow's own dag processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.exceptions import AirflowException

from argo_yaml_provider.airflow.bundle import ArgoDagBundle
from argo_yaml_provider.airflow.mirror import Mirror

HELLO = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec: {entrypoint: a, templates: [{name: a, container: {image: x}}]}
"""
SHARED = """apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: shared}
spec: {templates: [{name: a, container: {image: x}}]}
"""
REFERS = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: refers}
spec:
  entrypoint: a
  templates: [{name: a, steps: [[{name: s, templateRef: {name: shared, template: a}}]]}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / "storage"))
    (tmp_path / "workflows" / "deep").mkdir(parents=True)
    return tmp_path / "workflows"


def bundle(folder: Path, **kwargs: Any) -> ArgoDagBundle:
    made = ArgoDagBundle(name="workflows", path=str(folder), **kwargs)
    made.initialize()
    return made


def dag_files(made: ArgoDagBundle) -> dict[str, int]:
    return {path.relative_to(made.path).as_posix(): path.stat().st_mtime_ns for path in made.path.rglob("*.py")}


def bag(made: ArgoDagBundle) -> BundleDagBag:
    return BundleDagBag(dag_folder=str(made.path), bundle_path=made.path, bundle_name=made.name, collect_dags=True)


def test_each_workflow_file_is_a_dag_file_with_its_own_dag(folder: Path) -> None:
    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    (folder / "deep" / "two.yml").write_text(HELLO.replace("NAME", "two"))
    (folder / ".airflowignore").write_text("ignored.yaml\n")
    (folder / "ignored.yaml").write_text(HELLO.replace("NAME", "ignored"))
    (folder / "other.yaml").write_text("kind: Secret\napiVersion: v1\n")
    found = bag(bundle(folder))
    places = {dag_id: dag.relative_fileloc for dag_id, dag in found.dags.items()}
    assert (places, found.import_errors) == ({"one": "one.yaml.py", "two": "deep/two.yml.py"}, {})


def test_the_code_tab_shows_the_workflow_as_it_is_written(folder: Path) -> None:
    text = HELLO.replace("NAME", "one") + '# """ and so on'
    (folder / "one.yaml").write_text(text)
    namespace: dict[str, Any] = {}
    shown = (bundle(folder).path / "one.yaml.py").read_text()
    exec(shown[shown.index("SOURCE") : shown.index("load_file(glob")], namespace)
    assert (namespace["SOURCE"].lstrip("\n"), HELLO.replace("NAME", "one") in shown) == (text, True)


def test_a_file_name_is_never_code(folder: Path) -> None:
    (folder / 'a"\nraise SystemExit("run")\n#.yaml').write_text(HELLO.replace("NAME", "one"))
    assert list(bag(bundle(folder)).dags) == ["one"]


def test_a_wrong_file_has_an_import_error_of_its_own_and_hides_no_other(folder: Path) -> None:
    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    (folder / "wrong.yaml").write_text(HELLO.replace("NAME", "wrong").replace("entrypoint: a", "entrypoint: b"))
    found = bag(bundle(folder))
    ((place, error),) = found.import_errors.items()
    assert (list(found.dags), place) == (["one"], "wrong.yaml.py")
    assert 'WrongWorkflowError: wrong.yaml:4:20: the entrypoint "b" is not defined [unknown-template]' in error


def test_files_that_claim_one_name_are_both_refused_with_both_places(folder: Path) -> None:
    for name in ("one.yaml", "deep/two.yaml"):
        (folder / name).write_text(HELLO.replace("NAME", "same"))
    found = bag(bundle(folder))
    said = "the DAG same is defined more than once, in deep/two.yaml and one.yaml [duplicate-dag]"
    assert (found.dags, sorted(found.import_errors)) == ({}, ["deep/two.yaml.py", "one.yaml.py"])
    assert all(said in error for error in found.import_errors.values())


def test_a_refresh_touches_the_files_that_changed_and_those_that_refer_to_a_changed_template(folder: Path) -> None:
    for name in ("one", "two", "gone"):
        (folder / f"{name}.yaml").write_text(HELLO.replace("NAME", name))
    (folder / "shared.yaml").write_text(SHARED)
    (folder / "refers.yaml").write_text(REFERS)
    made = bundle(folder)
    before, version = dag_files(made), made.get_current_version().version
    made.refresh()
    assert (dag_files(made), made.get_current_version().version) == (before, version)
    (folder / "two.yaml").write_text(HELLO.replace("NAME", "two").replace("image: x", "image: y"))
    (folder / "shared.yaml").write_text(SHARED.replace("image: x", "image: y"))
    (folder / "gone.yaml").unlink()
    made.refresh()
    after = dag_files(made)
    touched = {name for name in after if after[name] != before.get(name)}
    assert (touched, before.keys() - after.keys()) == ({"two.yaml.py", "shared.yaml.py", "refers.yaml.py"}, {"gone.yaml.py"})
    assert made.get_current_version().version != version


def test_a_refresh_that_failed_is_made_up_for_by_the_next(folder: Path) -> None:
    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    made = bundle(folder)
    version = made.get_current_version().version
    in_its_way = made.path / "two.yaml"
    in_its_way.mkdir()
    (folder / "two.yaml").write_text(HELLO.replace("NAME", "two"))
    with pytest.raises(IsADirectoryError):
        made.refresh()
    assert (list(dag_files(made)), made.get_current_version().version) == (["one.yaml.py"], version)
    in_its_way.rmdir()
    made.refresh()
    assert sorted(dag_files(made)) == ["one.yaml.py", "two.yaml.py"]
    assert made.get_current_version().version != version


def test_what_went_while_nobody_looked_has_no_dag_left(folder: Path) -> None:
    for name in ("one", "gone"):
        (folder / f"{name}.yaml").write_text(HELLO.replace("NAME", name))
    before = dag_files(bundle(folder))
    (folder / "gone.yaml").unlink()
    after = dag_files(bundle(folder))
    assert (before.keys() - after.keys(), after["one.yaml.py"]) == ({"gone.yaml.py"}, before["one.yaml.py"])


def test_a_run_keeps_the_version_it_started_with(folder: Path) -> None:
    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    version = bundle(folder).get_current_version().version
    (folder / "one.yaml").write_text(HELLO.replace("NAME", "another"))
    assert list(bag(bundle(folder)).dags) == ["another"]
    assert list(bag(bundle(folder, version=version)).dags) == ["one"]


def test_a_version_that_was_half_shown_when_its_process_died_is_shown_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: Mirror, files: Any) -> None:
        raise KeyboardInterrupt

    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    version = bundle(folder).get_current_version().version
    with monkeypatch.context() as patched:
        patched.setattr(Mirror, "_dag_files", die)
        with pytest.raises(KeyboardInterrupt):
            bundle(folder, version=version)
    pinned = bundle(folder, version=version)
    shown = (list(bag(pinned).dags), dag_files(pinned))
    assert shown == (["one"], dag_files(bundle(folder, version=version)))


def test_a_version_that_is_not_here_is_told_with_the_way_out(folder: Path) -> None:
    with pytest.raises(AirflowException) as refused:
        bundle(folder, version="v1")
    assert str(refused.value) == (
        "version v1 of the bundle workflows is not on this machine: "
        "share [dag_processor] dag_bundle_storage_path with the dag processor, or keep the workflows in git"
    )


def test_another_bundle_gives_the_files_and_their_version(folder: Path) -> None:
    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    git = {"classpath": "tests.airflow.test_bundle.Versioned", "kwargs": {"root": str(folder)}}
    made = ArgoDagBundle(name="workflows", bundle=git)
    made.initialize()
    assert (list(bag(made).dags), made.get_current_version().version) == (["one"], "head")
    older = ArgoDagBundle(name="workflows", bundle=git, version="deep")
    (folder / "deep" / "old.yaml").write_text(HELLO.replace("NAME", "old"))
    older.initialize()
    assert list(bag(older).dags) == ["old"]


def test_a_file_imports_nothing_more_of_the_package_than_its_bundle_has(folder: Path) -> None:
    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    bundle(folder)  # what the mirror shows already is not what a file is read by
    program = f"""
import sys
from airflow.dag_processing import processor
from airflow.dag_processing.dagbag import BundleDagBag
from argo_yaml_provider.airflow.bundle import ArgoDagBundle
made = ArgoDagBundle(name="workflows", path={str(folder)!r})
made.initialize()
before = set(sys.modules)
BundleDagBag(dag_folder=str(made.path), bundle_path=made.path, bundle_name="workflows", collect_dags=True)
print(sorted(name for name in set(sys.modules) - before if name.startswith("argo_yaml_provider")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def process(**kwargs: Any) -> None:
    """Airflow's dag processor, until it has parsed every file once."""
    here = {
        "classpath": "argo_yaml_provider.airflow.bundle.ArgoDagBundle",
        "kwargs": {**kwargs, "refresh_interval": 0},
    }
    bundles = json.dumps([{"name": "workflows", **here}])
    environment = {**os.environ, "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": bundles}
    environment |= {"AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0"}
    subprocess.run(
        [sys.executable, "-m", "airflow", "dag-processor", "--num-runs", "1"], env=environment, check=True, capture_output=True
    )


@pytest.mark.usefixtures("airflow_db")
def test_under_the_dag_processor_each_file_has_its_own_source_error_and_version(folder: Path) -> None:
    from airflow.models.dag import DagModel
    from airflow.models.dagcode import DagCode
    from airflow.models.errors import ParseImportError
    from airflow.utils.session import create_session
    from sqlalchemy import select

    (folder / "one.yaml").write_text(HELLO.replace("NAME", "one"))
    (folder / "wrong.yaml").write_text(HELLO.replace("NAME", "wrong").replace("entrypoint: a", "entrypoint: b"))
    process(path=str(folder))
    with create_session() as session:
        rows = session.execute(select(DagModel.dag_id, DagModel.relative_fileloc, DagModel.bundle_name)).all()
        error = session.scalar(select(ParseImportError))
        version = session.scalar(select(DagModel.bundle_version))
    assert [tuple(row) for row in rows] == [("one", "one.yaml.py", "workflows")]
    assert (error.filename, 'the entrypoint "b" is not defined' in error.stacktrace) == ("wrong.yaml.py", True)
    assert version == bundle(folder).get_current_version().version
    assert HELLO.replace("NAME", "one") in DagCode.code("one")


GIT = "airflow.providers.git.bundles.git.GitDagBundle"


def commit(folder: Path, **files: str) -> str:
    """The commit that has these workflows; the first makes the repository."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    who = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    for words in (["init", "--initial-branch=main"], ["add", "."], [*who, "commit", "--message", "x"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return said.stdout.strip()


@pytest.mark.usefixtures("airflow_db")
def test_of_a_git_repository_a_version_is_a_commit_and_a_run_keeps_its_own(folder: Path) -> None:
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.models.dag_version import DagVersion
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy import select

    git = {"classpath": GIT, "kwargs": {"repo_url": folder.as_uri(), "tracking_ref": "main"}}
    first = commit(folder, one=HELLO.replace("NAME", "one"), two=HELLO.replace("NAME", "two"))
    made = ArgoDagBundle(name="workflows", bundle=git)
    made.initialize()
    before = dag_files(made)
    assert (sorted(bag(made).dags), made.get_current_version().version) == (["one", "two"], first)
    process(bundle=git)
    trigger_dag(dag_id="one", triggered_by=DagRunTriggeredByType.TEST)
    second = commit(folder, one=HELLO.replace("NAME", "one").replace("image: x", "image: z"))
    made.refresh()
    after = dag_files(made)
    assert ({name for name in after if after[name] != before[name]}, made.get_current_version().version) == (
        {"one.yaml.py"},
        second,
    )
    process(bundle=git)
    with create_session() as session:
        rows = session.execute(select(DagVersion.version_number, DagVersion.bundle_version).filter_by(dag_id="one")).all()
        kept = session.scalar(select(DagRun.bundle_version))
    assert (sorted(map(tuple, rows)), kept) == ([(1, first), (2, second)], first)
    pinned = ArgoDagBundle(name="workflows", bundle=git, version=kept)
    pinned.initialize()
    assert [("image: x" in (one.path / "one.yaml").read_text()) for one in (pinned, made)] == [True, False]
    assert sorted(bag(pinned).dags) == ["one", "two"]


class Versioned(ArgoDagBundle.__mro__[1]):  # type: ignore[misc]
    """A bundle whose versions are folders, as those of a git bundle are trees."""

    supports_versioning = True

    def __init__(self, *, root: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = Path(root)

    @property
    def path(self) -> Path:
        return self.root / self.version if self.version else self.root

    def get_current_version(self) -> str:
        return self.version or "head"

    def refresh(self) -> None:
        pass
