"""What stands in the cluster for a run, so that the garbage collector can take with it what the run owns.

Argo has its Workflow object. Here it is a ConfigMap of the workflow's name: `kubectl delete configmap NAME-workflow`
deletes everything that the run made with setOwnerReference, as `kubectl delete workflow NAME` does there.
Must not know: Airflow, what is owned.
"""

from __future__ import annotations

from argo_yaml_provider.pods.names import WORKFLOW_LABEL, label_value
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError, Json


async def owner_reference(host: Host) -> Json:
    """The reference to the run's stand-in, made by whoever asks first."""
    namespace, name = host.facts.namespace, f"{host.facts.name}-workflow"
    found = await host.kube.config_map(namespace, name)
    if found is None:
        metadata = {"name": name, "labels": {WORKFLOW_LABEL: label_value(host.facts.name)}}
        body = {"metadata": metadata, "data": {"dag_id": host.dag_id, "run_id": host.run_id}}
        try:
            found = await host.kube.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=body)
        except ApiError as error:
            found = await host.kube.config_map(namespace, name) if error.status == 409 else None
            if found is None:
                raise
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": name,
        "uid": found["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
