"""Names and labels, as Kubernetes takes them.

In: `View`.  Out: problems.
Must not know: templates' insides.
"""

from __future__ import annotations

import re

from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.resolve.labels import is_label_value
from argo_yaml_provider.spec.resource import Json, Path

LONGEST = {"Workflow": 63, "WorkflowTemplate": 63, "ClusterWorkflowTemplate": 63, "CronWorkflow": 52}
LONGEST_DAG_ID = 250
MANIFESTS = "argo-yaml/workflow-manifests"
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*[-.]?")
_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
)
_RULE = "use small letters, digits, '-' and '.', and begin and end with a letter or digit"


def check_object_name(view: View) -> None:
    """metadata.name and generateName."""
    resource = view.resolved.resource
    longest = LONGEST[resource.kind]
    if resource.name:
        path: Path = ("metadata", "name")
        if len(resource.name) > longest:
            message = f"the name has {len(resource.name)} characters; a {resource.kind}'s has at most {longest}"
            view.report_spec(path, "name-too-long", message, help="shorten it")
        elif not _SUBDOMAIN.fullmatch(resource.name):
            view.report_spec(path, "bad-name", f'"{resource.name}" is no name that Kubernetes takes', help=_RULE)
    elif len(resource.generate_name) > LONGEST_DAG_ID:
        message = f"generateName has {len(resource.generate_name)} characters; the DAG's id has at most {LONGEST_DAG_ID}"
        view.report_spec(("metadata", "generateName"), "name-too-long", message, help="shorten it")
    elif resource.generate_name and not _PREFIX.fullmatch(resource.generate_name):
        view.report_spec(
            ("metadata", "generateName"), "bad-name", f'"{resource.generate_name}" is no name that Kubernetes takes', help=_RULE
        )  # fmt: skip


def check_labels(view: View) -> None:
    """Labels and annotations of the object and of pods; those that hold a tag are known only at run time."""
    resource = view.resolved.resource
    metadata = resource.json.get("metadata") or {}
    _check_metadata(view, metadata, ("metadata",))
    said = (metadata.get("annotations") or {}).get(MANIFESTS, "cluster")
    if said != "cluster":
        help_text = 'write "cluster" where the cluster has Argo itself, or leave it out: workflows that are submitted run here'
        message = f'"{said}" is nothing that {MANIFESTS} may say'
        view.report_spec(("metadata", "annotations", MANIFESTS), "bad-annotation", message, help=help_text)
    for name in ("workflowMetadata", "podMetadata"):
        _check_metadata(view, view.spec.get(name) or {}, ("spec", name))


def _check_metadata(view: View, metadata: Json, path: Path) -> None:
    for what in ("labels", "annotations"):
        for key, value in (metadata.get(what) or {}).items():
            _check_key(view, key, (*path, what, key))
            if what == "labels" and "{{" not in value and not is_label_value(value):
                message = f'"{value}" is no value of a label'
                help_text = "at most 63 letters, digits, '-', '_' and '.', with a letter or digit first and last"
                view.report_spec((*path, what, key), "bad-label", message, help=help_text)


def _check_key(view: View, key: str, path: Path) -> None:
    name = key.rpartition("/")[2]
    if "{{" not in key and (len(name) > 63 or not _KEY.fullmatch(key)):
        message = f'"{key}" is no key of a label or annotation'
        help_text = "write name or domain/name; the name has at most 63 letters, digits, '-', '_' and '.'"
        view.report_spec(path, "bad-label", message, help=help_text, within="key")
