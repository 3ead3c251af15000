"""What the deployment, not the workflow, says of pods: JSON-friendly, part of what travels with a plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from argo_yaml_provider.artifacts.containers import GIBIBYTE, Tools
from argo_yaml_provider.plan.nodes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSettings:
    """Defaults for every pod of every workflow; `[argo_yaml]` in airflow.cfg, or an operator's own."""

    conn_id: str | None = None
    namespace: str = "default"
    in_cluster: bool | None = None
    cluster_context: str | None = None
    config_file: str | None = None
    service_account: str | None = None
    pod_template: Json | None = None
    """A pod manifest that lies under every pod (KubernetesPodOperator's pod_template_file or dict, already read)."""
    labels: dict[str, str] | None = None
    supervisor_image: str = "busybox"
    """Stages the supervisor where outputs are captured; must hold a static busybox at /bin/busybox."""
    images: Json | None = None
    """Entrypoints of images by name, shaped as Argo's controller `images` map: {image: {"entrypoint": [...], "cmd": [...]}}."""
    artifact_repository: Json | None = None
    """Where artifacts lie if the namespace's ConfigMap `artifact-repositories` names no place; shaped as there: {"s3": {...}}.
    {"volume": {"source": {"persistentVolumeClaim": {...}}}} takes a folder of a volume, which needs no server."""
    artifact_images: Json | None = None
    """Images of the tools that move artifacts: {"rclone": ..., "curl": ..., "git": ...}."""
    artifact_env: dict[str, str] | None = None
    """Environment variables of the containers that move artifacts."""
    artifact_unpack_limit: int = 100
    """GiB that one archive may unpack to."""
    semaphores: dict[str, int] | None = None
    """Limits of semaphores that Argo keeps in a database, by `NAMESPACE/KEY`."""
    max_depth: int = 100
    """How deep runs may be nested that call or submit each other: where recursion ends."""
    on_finish_action: str = "delete_pod"
    """What becomes of a pod whose outcome and logs are read, in KubernetesPodOperator's words: `delete_pod`,
    `delete_succeeded_pod` or `keep_pod`. A workflow's own `podGC` goes before it."""

    @property
    def tools(self) -> Tools:
        """What moves artifacts; a shell is the supervisor's image."""
        return Tools(
            images={"sh": self.supervisor_image, **(self.artifact_images or {})},
            env=self.artifact_env or {},
            unpack_limit=self.artifact_unpack_limit * GIBIBYTE,
        )


def folder_repository(folder: Path) -> Json:
    """An artifact repository that is a folder of the one machine all pods run on: the embedded default's."""
    return {"volume": {"source": {"hostPath": {"path": str(folder), "type": "DirectoryOrCreate"}}}}
