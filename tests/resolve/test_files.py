from __future__ import annotations

import time
from pathlib import Path

import pytest

from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.resolve.files import resolve_file, resolve_loaded, resolve_text
from argo_yaml_provider.resolve.library import build_library
from argo_yaml_provider.source import Limits, read_text
from argo_yaml_provider.spec.load import load_all

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: sample-}\n"
LIBRARY = """apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib}
spec:
  podMetadata: {labels: {team: science}}
  templates:
  - name: score
    dag:
      tasks:
      - {name: inner, template: leaf}
      - name: inline
        inline: {container: {image: busybox}}
  - {name: leaf, container: {image: busybox}}
  - {name: unused, plugin: {x: {}}}
"""
CALLER = (
    HEAD
    + """spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: a, templateRef: {name: lib, template: score}}
      - {name: b, inline: {script: {image: busybox, source: x}}}
"""
)


def test_keys_say_scope_owner_and_name(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(LIBRARY)
    (tmp_path / "main.yaml").write_text(CALLER)
    (resolved,) = resolve_file(tmp_path / "main.yaml")
    assert sorted(resolved.templates) == [
        "local//inline/main/b",
        "local//main",
        "namespaced/lib/inline/score/inline",
        "namespaced/lib/leaf",
        "namespaced/lib/score",
    ]
    assert resolved.entrypoint == "local//main"
    assert resolved.name == "sample"


def test_a_reference_is_read_in_the_scope_it_stands_in(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(LIBRARY)
    (tmp_path / "main.yaml").write_text(CALLER)
    (resolved,) = resolve_file(tmp_path / "main.yaml")
    score = resolved.templates["namespaced/lib/score"]
    assert resolved.reference("namespaced/lib/score", score["dag"]["tasks"][0]) == "namespaced/lib/leaf"
    assert resolved.reference("namespaced/lib/score", score["dag"]["tasks"][1]) == "namespaced/lib/inline/score/inline"
    assert resolved.reference("local//main", {"template": "{{inputs.parameters.which}}"}) is None
    assert resolved.templates["namespaced/lib/leaf"]["metadata"] == {"labels": {"team": "science"}}
    assert str(resolved.at("namespaced/lib/leaf")) == f"{tmp_path}/lib.yaml:13:5"


def test_templates_are_found_below_the_paths_given(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "lib.yaml").write_text(LIBRARY)
    (tmp_path / "own").mkdir()
    main = tmp_path / "own" / "main.yaml"
    main.write_text(CALLER)
    with pytest.raises(SpecError):
        resolve_file(main)
    assert resolve_file(main, library_paths=[tmp_path / "deep"])


def test_nearer_templates_win(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "lib.yaml").write_text(LIBRARY.replace("busybox", "far"))
    (tmp_path / "lib.yaml").write_text(LIBRARY.replace("busybox", "near"))
    (tmp_path / "main.yaml").write_text(CALLER)
    (resolved,) = resolve_file(tmp_path / "main.yaml", library_paths=[tmp_path / "far"])
    assert resolved.templates["namespaced/lib/leaf"]["container"]["image"] == "near"


def test_a_broken_neighbour_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(LIBRARY)
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "main.yaml").write_text(CALLER)
    assert resolve_file(tmp_path / "main.yaml")


def test_problems_of_another_file_count_where_its_template_is_used(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(LIBRARY)
    (tmp_path / "main.yaml").write_text(CALLER.replace("template: score", "template: unused"))
    with pytest.raises(SpecError) as caught:
        resolve_file(tmp_path / "main.yaml")
    assert [str(one).partition("\n")[0] for one in caught.value.problems] == [
        f'{tmp_path}/lib.yaml:14:20: "plugin" is not supported [unsupported-plugin]'
    ]


def test_workflow_template_that_is_run_brings_all_its_problems(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(
        LIBRARY.replace("podMetadata:", "entrypoint: leaf\n  executorPlugins: [{}]\n  podMetadata:")
    )
    (tmp_path / "main.yaml").write_text(HEAD + "spec: {workflowTemplateRef: {name: lib}}\n")
    with pytest.raises(SpecError) as caught:
        resolve_file(tmp_path / "main.yaml")
    assert [(one.pos.line, one.message) for one in caught.value.problems] == [
        (6, '"executorPlugins" is not supported'),
        (16, '"plugin" is not supported'),
    ]


def test_long_chain_of_references_is_followed() -> None:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\n"
    step = "{{name: s, templateRef: {{name: t{}, template: a}}}}"
    parts = [
        f"{head}metadata: {{name: t{n}}}\nspec: {{templates: [{{name: a, steps: [[{step.format(n + 1)}]]}}]}}\n"
        for n in range(1_500)
    ]
    parts.append(f"{head}metadata: {{name: t1500}}\nspec: {{templates: [{{name: a, container: {{image: x}}}}]}}\n")
    parts.append(CALLER.replace("name: lib, template: score", "name: t0, template: a"))
    loaded = load_all(read_text("---\n".join(parts)))
    (resolved,) = resolve_loaded(loaded, build_library([loaded]), document=1_501)
    assert len(resolved.templates) == 1_503


def test_workflow_template_ref_runs_in_the_workflows_own_scope(tmp_path: Path) -> None:
    template = LIBRARY.replace("podMetadata:", "entrypoint: score\n  podMetadata:")
    template = template.replace("plugin: {x: {}}", "container: {image: x}")
    resolved = resolve_text(template + "---\n" + HEAD + "spec: {workflowTemplateRef: {name: lib}, serviceAccountName: own}\n")
    assert [one.entrypoint for one in resolved] == ["local//score", "local//score"]
    assert resolved[1].workflow["spec"] == {
        "entrypoint": "score",
        "serviceAccountName": "own",
        "workflowTemplateRef": {"name": "lib"},
        "podMetadata": {"labels": {"team": "science"}},
    }


def test_dynamic_reference_brings_all_it_may_mean() -> None:
    caller = CALLER.replace("template: score", 'template: "{{workflow.name}}"')
    (_, resolved) = resolve_text(LIBRARY.replace("plugin: {x: {}}", "container: {image: x}") + "---\n" + caller)
    assert "namespaced/lib/unused" in resolved.templates


def test_library_without_entrypoint_is_resolved_too() -> None:
    (resolved,) = resolve_text(LIBRARY.replace("plugin: {x: {}}", "container: {image: x}"))
    assert resolved.entrypoint == ""


def test_entrypoint_can_be_chosen() -> None:
    text = HEAD + "spec: {entrypoint: a, templates: [{name: a, container: {image: x}}, {name: b, container: {image: x}}]}\n"
    (resolved,) = resolve_text(text, entrypoint="b")
    assert (resolved.entrypoint, resolved.workflow["spec"]["entrypoint"]) == ("local//b", "b")


def test_chosen_entrypoint_is_the_workflows_not_that_of_templates_beside_it() -> None:
    text = LIBRARY.replace("plugin: {x: {}}", "container: {image: x}") + "---\n" + CALLER.replace("name: main", "name: other")
    library, workflow = resolve_text(text, entrypoint="other")
    assert (library.entrypoint, workflow.entrypoint) == ("", "local//other")


def test_one_document_of_many_is_chosen_by_number(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    good = HEAD + "spec: {entrypoint: a, templates: [{name: a, container: {image: x}}]}\n"
    file.write_text(f"{HEAD}spec: {{nonsense: 1}}\n---\n{good}")
    (resolved,) = resolve_file(file, document=1)
    assert resolved.resource.document.index == 1
    with pytest.raises(SpecError) as caught:
        resolve_file(file, document=2, shown_as="f.yaml")
    assert str(caught.value) == (
        "f.yaml:1:1: there is no document 2: the file holds 2, counted from 0 [no-such-document]\n   = help: see --document"
    )


def test_hundred_thousand_steps_are_refused_soon() -> None:
    text = HEAD + "spec:\n  entrypoint: main\n  templates:\n  - name: main\n    steps:\n"
    text += "".join(f"    - - {{name: s{n}, template: main}}\n" for n in range(100_000))
    begun = time.process_time()
    with pytest.raises(SpecError) as caught:
        resolve_text(text, file="f.yaml")
    assert str(caught.value).endswith("split it, or generate its items at run time with withParam or withSequence")
    assert time.process_time() - begun < 10


def test_more_steps_than_airflow_can_show_are_refused() -> None:
    text = HEAD + "spec:\n  entrypoint: main\n  templates:\n  - name: main\n    steps:\n"
    text += "".join(f"    - - {{name: s{n}, template: main}}\n" for n in range(5_001))
    loaded = load_all(read_text(text, "f.yaml", limits=Limits(values=10_000_000)))
    with pytest.raises(SpecError) as caught:
        resolve_loaded(loaded, build_library([loaded]))
    assert str(caught.value) == (
        "f.yaml:8:5: the workflow has more than 5,000 steps and tasks [too-many-steps]\n"
        "  |\n8 |     steps:\n  |     ^^^^^\n  = at spec.templates[main].steps\n"
        "  = help: loop over a list with withParam, withItems or withSequence, or split the workflow"
    )


MANY = """spec:
  templates:
  - {name: run-a, container: {image: x}}
  - {name: run-b, plugin: {x: {}}}
  - {name: run-c, steps: [[{name: s, template: run-b}]]}
  - {name: other, container: {image: x}}
"""


def test_what_is_wrong_in_a_template_that_a_name_with_a_tag_may_mean_refuses_nothing(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(LIBRARY.partition("spec:")[0] + MANY)
    (tmp_path / "wf.yaml").write_text(CALLER.replace("template: score", 'template: "run-{{workflow.name}}"'))
    (resolved,) = resolve_file(tmp_path / "wf.yaml")
    assert [key for key in resolved.templates if "lib" in key] == ["namespaced/lib/run-a"]
    (tmp_path / "sure.yaml").write_text(CALLER.replace("template: score", "template: run-c"))
    with pytest.raises(SpecError) as caught:
        resolve_file(tmp_path / "sure.yaml")
    assert [problem.code for problem in caught.value.problems] == ["unsupported-plugin"]
