"""Entry point `apache_airflow_provider`: what Airflow should know of this package. Imports nothing.

`OPTIONS` is the whole `[argo_yaml]` section: Airflow documents and checks it from here, and `airflow.settings` takes the
defaults from here.
"""

from __future__ import annotations

from typing import Any


def _option(description: str, default: str = "", *, example: str | None = None, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "version_added": "0.1.0", "type": kind, "example": example, "default": default}


OPTIONS: dict[str, dict[str, Any]] = {
    "execution": _option(
        "Who runs steps: auto, executor, triggerer or worker. Auto is the executor where [core] executor names "
        "argo_yaml_provider.airflow.executor.StepExecutor, else the triggerer where [operators] default_deferrable is true, "
        "else the worker. The annotation argo-yaml/execution says it for one workflow, or, on a template, for its steps.",
        "auto",
    ),
    "conn_id": _option("The Kubernetes connection that pods are made with.", "kubernetes_default"),
    "namespace": _option("The namespace of workflows that do not name one, and of their pods.", "default"),
    "in_cluster": _option("True or false: use the service account Airflow runs under; empty: as the connection says."),
    "cluster_context": _option("The context of the kubeconfig file; empty: as the connection says."),
    "config_file": _option("A kubeconfig file; empty: as the connection says.", example="/opt/airflow/kubeconfig"),
    "service_account": _option("The service account of pods whose workflow names none; empty: the namespace's default."),
    "pod_template_file": _option("A YAML file with a pod manifest that lies under every pod.", example="/opt/airflow/pod.yaml"),
    "labels": _option("Labels of every pod, a JSON object.", example='{"team": "data"}'),
    "supervisor_image": _option(
        "The image that captures outputs; /bin/busybox in it must be a static busybox. Used only where a step has outputs.",
        "busybox",
    ),
    "images": _option(
        "Entrypoints of images whose steps name no command, shaped as the map `images` of Argo's controller; a JSON object.",
        example='{"my/image:1": {"entrypoint": ["/run"]}}',
    ),
    "artifact_repository": _option(
        "Where artifacts lie in namespaces without a ConfigMap artifact-repositories: a JSON object, shaped as an entry of "
        "it, or s3://CONN_ID@BUCKET/PREFIX (gs://, wasb://), whose Airflow connection is handed to each pod in a Secret that "
        "the pod owns.",
        example="s3://aws_default@artifacts/workflows",
    ),
    "artifact_images": _option(
        "Images of the programs that move artifacts, where not rclone/rclone, curlimages/curl and alpine/git; a JSON object.",
        example='{"rclone": "registry.example/rclone:1.68"}',
    ),
    "artifact_env": _option(
        "Environment variables of the containers that move artifacts, a JSON object: proxies, RCLONE_* settings, "
        "SSH_KNOWN_HOSTS with the host keys that git believes (without it, a host is believed at first sight).",
        example='{"HTTPS_PROXY": "http://proxy:3128"}',
    ),
    "artifact_unpack_limit": _option("GiB that one archive may unpack to.", "100", kind="integer"),
    "pool": _option("Airflow's pool for steps; empty: the executor's own pool under the executor, else default_pool."),
    "executor_limit": _option("How many steps one StepExecutor runs at once.", "1000", kind="integer"),
    "triggerer_limit": _option("How many steps have a pod at once in one triggerer.", "500", kind="integer"),
    "lost_host_retries": _option(
        "How often a step is taken up again, beyond its retryStrategy, after the worker or executor that ran it died.",
        "3",
        kind="integer",
    ),
    "max_active_tasks": _option("Steps at once in one run of a workflow that sets no parallelism.", "10000", kind="integer"),
    "max_active_runs": _option("Runs at once of one workflow.", "1000", kind="integer"),
    "semaphores": _option(
        "Limits of semaphores with `database`, by namespace and key; a JSON object. Argo has them in its table sync_limit.",
        example='{"default/uploads": 3}',
    ),
    "max_depth": _option(
        "How deep runs may be nested: a template that calls itself, a workflow whose manifest submits a workflow.",
        "100",
        kind="integer",
    ),
    "templates": _option(
        "Folders in which WorkflowTemplates and ConfigMaps are looked for, beside a workflow's own; separated by colons.",
        example="/opt/airflow/templates",
    ),
    "on_finish_action": _option(
        "What becomes of a pod that has been read: delete_pod, delete_succeeded_pod or keep_pod; a workflow's podGC wins.",
        "delete_pod",
    ),
    "event_service_accounts": _option(
        "Whether Kubernetes is asked about bearer tokens of events that are none of argo_workflows_webhook_clients': service "
        "accounts then send events as to Argo's server, those that may list workfloweventbindings, get the template and create "
        "workflows in the event's namespace.",
        "False",
        kind="boolean",
    ),
    "deadline_callbacks": _option(
        "What the annotation argo-yaml/deadline-callback may name, and what is called for a run that is late; a JSON object of "
        "import paths, or of {path, kwargs}. `default` is called where a workflow names none; without it, a warning is logged.",
        example='{"default": "ops.alerts.page"}',
    ),
    "cache_dir": _option(
        "Where compiled workflows are kept between parses; empty: argo_yaml_cache in AIRFLOW_HOME.",
        example="/var/cache/argo_yaml",
    ),
    "tags": _option("Tags of every DAG, separated by commas.", "argo"),
}


def get_provider_info() -> dict[str, Any]:
    """The provider's metadata, shaped by Airflow's provider_info.schema.json."""
    return {
        "package-name": "airflow-provider-argo-yaml",
        "name": "Argo YAML",
        "description": "Run Argo Workflows YAML as Airflow DAGs, one Kubernetes pod per step.",
        "executors": ["argo_yaml_provider.airflow.executor.StepExecutor"],
        # Without an entry here every airflow command would import the executor to ask it for commands.
        "cli": ["argo_yaml_provider.cli.airflow_commands"],
        "config": {
            "argo_yaml": {
                "description": "How Argo workflows run as DAGs. Every option has a sensible default.",
                "options": OPTIONS,
            }
        },
    }
