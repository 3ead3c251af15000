from __future__ import annotations

from pathlib import Path

from argo_yaml_provider.commands.documents import apply_documents, find_documents
from argo_yaml_provider.local import EmbeddedKubernetes
from argo_yaml_provider.step.kube import Kube

SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: elsewhere}
data: {level: high}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
"""
SECRET = '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"a": "b"}}'


def test_core_documents_are_found_in_files_and_folders_and_workflows_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "wf.yaml").write_text(SETTINGS)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "secret.json").write_text(SECRET)
    (tmp_path / "below" / "broken.yaml").write_text("kind: ConfigMap\n  metadata: [")
    found = find_documents([tmp_path / "wf.yaml", tmp_path / "below"])
    assert [(one["kind"], one["metadata"]["name"]) for one in found] == [("ConfigMap", "settings"), ("Secret", "key")]


async def test_documents_are_applied_where_the_pods_run_and_applying_again_renews_them(tmp_path: Path) -> None:
    (tmp_path / "wf.yaml").write_text(SETTINGS)
    documents = find_documents([tmp_path])
    with EmbeddedKubernetes() as cluster:
        kube = await Kube.open(str(cluster.kubeconfig))
        await apply_documents(kube, documents, "mine")
        await apply_documents(kube, [{**documents[0], "data": {"level": "low"}}], "mine")
        found = await kube.config_map("mine", "settings")
        await kube.close()
    assert found is not None
    assert found["data"] == {"level": "low"}
