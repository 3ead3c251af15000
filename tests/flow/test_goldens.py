"""Argo's own examples, as Argo ran them: what each leaf gave there, fed to the flow, must give Argo's node tree."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.build import build_plan
from argo_yaml_provider.plan.compile import compile_file
from argo_yaml_provider.plan.nodes import Json, Plan
from argo_yaml_provider.resolve.library import find_library, load_path
from argo_yaml_provider.resolve.resolve import join
from argo_yaml_provider.spec.problems import Problems
from tests.flow.simulate import Run, facts_of
from tests.parity.run import load_compare

PARITY = Path(__file__).resolve().parents[3] / "shared" / "parity"
EXAMPLES = PARITY / "argo-4.1.2"

DIFFERS = {
    "artifact-repository-ref": "a repository is looked up by the first step that needs it, not before the first node",
    "k8s-patch-json-workflow": "a key that is given twice is refused here, on purpose",
}


def goldens() -> list[Any]:
    """Every recording of a workflow that came to its own end."""
    if not EXAMPLES.is_dir():
        return []
    rows = csv.DictReader((EXAMPLES / "index.tsv").open(), delimiter="\t")
    found = []
    for row in rows:
        if row["compare"] in ("ok", "chance"):  # what was left to chance is in the recording
            name = row["file"].removeprefix("examples/").removesuffix(".yaml")
            number = int(row["document"])
            marks = [pytest.mark.skip(reason=DIFFERS[name])] if name in DIFFERS else []
            found.append(pytest.param(name, number, id=f"{name}.{number}" if number else name, marks=marks))
    return found


def config_maps() -> dict[str, dict[str, str]]:
    """Every ConfigMap of the examples and their environment."""
    found: dict[str, dict[str, str]] = {}
    for path in [*EXAMPLES.rglob("*.yaml"), PARITY / "environment.yaml"]:
        text = path.read_text()
        if "kind: ConfigMap" in text:
            for document in yaml.safe_load_all(text):
                if document and document.get("kind") == "ConfigMap":
                    found[document["metadata"]["name"]] = document.get("data") or {}
    return found


class Recorded:
    """Gives each leaf what it gave in the recording."""

    def __init__(self, golden: Json, name: str) -> None:
        self._nodes = {node["name"].replace("@", name, 1): node for node in golden["nodes"]}
        self._now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def __call__(self, decision: Decision) -> Attempt:
        node = self._nodes.get(decision.node)
        if node is None or node["type"] == "Skipped":
            return Attempt(phase=Phase.ERROR, message="not in the recording")
        outputs = node.get("outputs") or {}
        artifacts = {name: {"location": {"s3": {"key": f"{decision.node}/{name}"}}} for name in outputs.get("artifacts") or ()}
        result = outputs.get("result")
        return Attempt(
            phase=Phase(node["phase"]),
            message=node.get("message") or "",
            exit_code=outputs.get("exitCode"),
            parameters=outputs.get("parameters") or {},
            result=result if decision.include_result else None,
            artifacts=artifacts,
            pod_ip="10.1.2.3",
            started_at=self._now,
            finished_at=self._now,
        )


def refused(golden: Json) -> bool:
    """Whether Argo would not have it."""
    return bool(golden.get("rejected")) or (golden["phase"] in ("Failed", "Error") and not golden["nodes"])


def unchecked(path: Path, document: int) -> tuple[Plan, ...]:
    """The plan of a file that pods cannot run yet: its control flow can be tried all the same."""
    loaded = load_path(path)
    library = find_library(loaded, path, [EXAMPLES])
    resource = next(one for one in loaded.resources if one.document.index == document)
    resolved = join(resource, library, Problems())
    assert resolved
    return (build_plan(resolved),)


@pytest.mark.parametrize(("name", "number"), goldens())
def test_gives_argos_node_tree(name: str, number: int) -> None:
    path = EXAMPLES / f"{name}.json" if not number else EXAMPLES / f"{name}.{number}.json"
    golden = json.loads(path.read_text())
    try:
        plans = compile_file(EXAMPLES / f"{name}.yaml", library_paths=[EXAMPLES], document=number)
    except SpecError as error:
        if refused(golden):
            return
        if not all(problem.code.startswith("unsupported-") for problem in error.problems):
            raise
        plans = unchecked(EXAMPLES / f"{name}.yaml", number)
    facts = facts_of(plans[0])
    flow = Run(plans[0], facts, Recorded(golden, facts.name), config_maps()).go()
    assert load_compare().differences(golden, flow.result()) == []
