from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.airflow import load_dags
from argo_yaml_provider.airflow.envelope import loads
from argo_yaml_provider.airflow.load import Folder, folder_dags
from argo_yaml_provider.airflow.settings import Settings
from argo_yaml_provider.resolve import library

HELLO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: {name}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {{image: busybox, command: [echo, hello]}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dags folder with a cache of its own."""
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "dags"
    folder.mkdir()
    return folder


def write(folder: Path, path: str, text: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def hello(folder: Path, path: str, name: str) -> Path:
    return write(folder, path, HELLO.format(name=name))


def generated(folder: Path, path: str, name: str) -> Path:
    return write(folder, path, HELLO.format(name="x").replace("name: x", f"generateName: {name}-"))


def load(folder: Path, **kwargs: Any) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__file__": str(folder / "loader.py")}
    load_dags(namespace, **kwargs)
    return {dag.dag_id: dag for name, dag in namespace.items() if name != "__file__"}


def test_every_workflow_below_the_loader_is_a_dag(folder: Path) -> None:
    hello(folder, "one.yaml", "one")
    hello(folder, "deep/er/two.yml", "two")
    write(
        folder,
        "three.json",
        '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "three"}, '
        '"spec": {"entrypoint": "a", "templates": [{"name": "a", "container": {"image": "x", "command": ["y"]}}]}}',
    )
    assert sorted(load(folder)) == ["one", "three", "two"]


def test_other_yaml_is_none_of_our_business(folder: Path) -> None:
    write(folder, "compose.yaml", "services: {}\n")
    write(folder, "broken.yaml", "a: [\n")
    write(folder, "map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert load(folder) == {}


def test_airflowignore_is_respected(folder: Path) -> None:
    hello(folder, "one.yaml", "one")
    hello(folder, "skip/two.yaml", "two")
    write(folder, ".airflowignore", "skip/\n")
    assert sorted(load(folder)) == ["one"]


def test_a_wrong_file_is_a_dag_that_shows_its_error_and_hides_no_other(folder: Path) -> None:
    hello(folder, "good.yaml", "good")
    write(folder, "bad.yaml", HELLO.format(name="bad").replace("entrypoint: main", "entrypoint: mian"))
    dags = load(folder)
    assert sorted(dags) == ["bad", "good"]
    assert dags["bad"].tags == {"argo", "argo-error"}
    assert dags["bad"].description.startswith("bad.yaml:6:15: ")
    assert dags["bad"].task_ids == ["error"]
    assert dags["bad"].doc_md.startswith("### This workflow cannot run\n\n```text\nbad.yaml:6:15: ")


def test_a_file_that_is_no_yaml_is_named_by_its_path(folder: Path) -> None:
    write(folder, "deep/bad one.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: [\n")
    assert list(load(folder)) == ["deep.bad-one"]


def test_chosen_names_that_clash_are_refused_with_both_places(folder: Path) -> None:
    hello(folder, "a.yaml", "same")
    hello(folder, "b.yaml", "same")
    hello(folder, "c.yaml", "other")
    dags = load(folder)
    assert sorted(dags) == ["other", "same"]
    assert dags["same"].get_task("error").error == (
        "a.yaml: the DAG same is defined more than once, in a.yaml and b.yaml [duplicate-dag]\n"
        "   = help: give one of them another metadata.name, or the annotation argo-yaml/dag-id"
    )


def test_generated_names_that_clash_give_way_to_their_paths(folder: Path) -> None:
    generated(folder, "a.yaml", "same")
    generated(folder, "deep/b.yaml", "same")
    generated(folder, "c.yaml", "alone")
    assert sorted(load(folder)) == ["a", "alone", "deep.b"]


def test_the_annotation_names_the_dag(folder: Path) -> None:
    write(folder, "a.yaml", HELLO.format(name="x\n  annotations: {argo-yaml/dag-id: team.train}"))
    assert list(load(folder)) == ["team.train"]


def test_several_documents_are_several_dags(folder: Path) -> None:
    write(folder, "a.yaml", HELLO.format(name="one") + "---\n" + HELLO.format(name="two"))
    assert sorted(load(folder)) == ["one", "two"]


def test_only_the_dag_that_is_asked_for_is_built(folder: Path) -> None:
    hello(folder, "one.yaml", "one")
    hello(folder, "two.yaml", "two")
    assert [dag.dag_id for dag in folder_dags(folder, only="two")] == ["two"]


def test_a_remembered_dag_is_built_without_looking_at_other_files(folder: Path) -> None:
    hello(folder, "one.yaml", "one")
    bad = hello(folder, "two.yaml", "two")
    load(folder)
    bad.unlink()
    bad.mkdir()
    assert [dag.dag_id for dag in folder_dags(folder, only="one")] == ["one"]


def test_a_changed_file_is_compiled_again_and_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = hello(folder, "one.yaml", "one"), hello(folder, "two.yaml", "two")
    load(folder)
    compiled: list[str] = []
    compile_one = Folder.compile

    def compile_and_note(self: Folder, path: Path) -> dict[str, Any]:
        compiled.append(path.name)
        return compile_one(self, path)

    monkeypatch.setattr(Folder, "compile", compile_and_note)
    load(folder)
    assert compiled == []
    one.write_text(two.read_text().replace("two", "three"))
    assert (sorted(load(folder)), compiled) == (["three", "two"], ["one.yaml"])


def test_a_changed_template_changes_who_refers_to_it(folder: Path) -> None:
    template = "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: lib}\nspec:\n  templates:\n"
    template += "    - name: say\n      container: {image: busybox, command: [echo, WORD]}\n"
    lib = write(folder, "lib.yaml", template)
    call = "    - name: main\n      steps: [[{name: a, templateRef: {name: lib, template: say}}]]\n"
    write(folder, "a.yaml", HELLO.format(name="a").partition("    - name: main")[0] + call)

    def plan_text() -> str:
        return Folder(folder=folder, settings=Settings(cache_dir=folder / "cache")).read(folder / "a.yaml")[0].text

    before = plan_text()
    lib.write_text(template.replace("WORD", "other"))
    assert "WORD" in before
    assert "other" in plan_text()


def test_a_key_is_the_same_where_the_folder_is_read_and_where_it_is_known(folder: Path, tmp_path: Path) -> None:
    write(folder, "lib.yaml", "kind: WorkflowTemplate\n")
    write(folder, "deep/map.json", '{"kind": "ConfigMap"}')
    write(folder, "other.yaml", "a: b\n")
    write(tmp_path, "more/lib.yml", "kind: ClusterWorkflowTemplate\n")
    settings = Settings(templates=(folder / "deep", tmp_path / "more"))
    held = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    read, known = Folder(folder=folder, settings=settings), Folder(folder=folder, settings=settings, held=held)
    others = Folder(folder=folder, settings=settings, held={**held, "lib.yaml": b"kind: WorkflowTemplate # another"})
    assert (known.templates == read.templates, others.templates == read.templates) == (True, False)


def test_a_file_is_read_once_for_its_plans_and_its_bindings(folder: Path) -> None:
    path = hello(folder, "one.yaml", "one")
    before = library._load.cache_info().misses
    Folder(folder=folder, settings=Settings()).compile(path)
    assert library._load.cache_info().misses == before + 1


def test_without_a_place_to_write_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CACHE_DIR", "/proc/nowhere")
    hello(folder, "one.yaml", "one")
    assert list(load(folder)) == ["one"]


def test_keywords_go_to_every_dag(folder: Path) -> None:
    hello(folder, "one.yaml", "one")
    dag = load(folder, tags=["mine"], default_args={"namespace": "ml"})["one"]
    assert (dag.tags, loads(dag.tasks[0].argo_plan).pods.namespace) == ({"mine"}, "ml")
