"""Templates that run something: containers, scripts, resources.

In: `View`.  Out: problems.
Must not know: who calls them. Argo: validateLeaf.
"""

from __future__ import annotations

import re
from typing import Any

from argo_yaml_provider.resolve.checks.dags import find_cycle
from argo_yaml_provider.resolve.checks.templates import name_problem
from argo_yaml_provider.resolve.checks.view import PODS, View, title, type_of
from argo_yaml_provider.spec.problems import suggest
from argo_yaml_provider.spec.resource import Json

ACTIONS = ("get", "create", "apply", "delete", "replace", "patch")
_RESERVED = ("wait", "supervisor")
_RESERVED_PREFIX = "artifact-plugin-"


def check_containers(view: View) -> None:
    """Images, names, mounts."""
    for key, template in view.templates():
        for kind in ("container", "script"):
            if template.get(kind) is not None and not view.resolved.templates[key].get(kind, {}).get("image"):
                help_text = f"write image: …, or set it for all in spec.templateDefaults.{kind}"
                view.report(
                    key, (kind, "image"), "missing-field", f'the {kind} of template "{title(key)}" has no image', help=help_text
                )
        _check_mounts(view, key, template)
        _check_container_names(view, key, template)


def _check_mounts(view: View, key: str, template: Json) -> None:
    """No two volumes, nor an artifact and a volume, on one path."""
    mounted: dict[str, str] = {}
    for index, mount in enumerate((template.get("container") or {}).get("volumeMounts") or ()):
        path = mount.get("mountPath", "")
        if path in mounted:
            message = f'"{path}" is mounted twice, first by {mounted[path]}'
            view.report(
                key, ("container", "volumeMounts", index, "mountPath"), "duplicate-mount", message, help="mount one elsewhere"
            )
        mounted.setdefault(path, f'volume "{mount.get("name", "")}"')
    if template.get("container") is None:
        return
    for index, artifact in enumerate((template.get("inputs") or {}).get("artifacts") or ()):
        path = artifact.get("path", "")
        if path in mounted:
            message = f'"{path}" is taken already, by {mounted[path]}'
            view.report(
                key, ("inputs", "artifacts", index, "path"), "duplicate-mount", message, help="give the artifact another path"
            )
        mounted.setdefault(path, f'artifact "{artifact.get("name", "")}"')


def _check_container_names(view: View, key: str, template: Json) -> None:
    for index, container in enumerate(template.get("initContainers") or ()):
        if not container.get("name"):
            view.report(
                key, ("initContainers", index, "name"), "missing-field", "an init container has no name", help="write name: …"
            )
    inner = (template.get("containerSet") or {}).get("containers") or ()
    for field, containers in (("sidecars", template.get("sidecars") or ()), ("containerSet", inner)):
        for index, container in enumerate(containers):
            name = container.get("name", "")
            if name in _RESERVED or name.startswith(_RESERVED_PREFIX):
                path = (field, index, "name") if field == "sidecars" else (field, "containers", index, "name")
                view.report(key, path, "reserved-name", f'"{name}" is a name that Argo keeps for itself', help="choose another")


def check_container_sets(view: View) -> None:
    """Containers that wait for each other; `main`, where there is input or output. Argo: ContainerSetTemplate.Validate."""
    for key, template in view.templates():
        if template.get("containerSet") is None:
            continue
        containers = template["containerSet"].get("containers") or []
        names = [one.get("name") or "" for one in containers]
        path = ("containerSet", "containers")
        if not containers:
            view.report(
                key, ("containerSet",), "missing-field", "a containerSet needs containers", help="list them under containers"
            )
        for index, name in enumerate(names):
            problem = name_problem(name, "container")
            if problem:
                view.report(key, (*path, index, "name"), problem[0], problem[1], help=problem[2])
            elif name in names[:index]:
                view.report(
                    key, (*path, index, "name"), "duplicate-name", f'two containers are named "{name}"', help="rename one"
                )
        _check_container_graph(view, key, containers, names)
        if _has_artifacts_or_outputs(template) and "main" not in names:
            message = "inputs and outputs are read by the container named main, and there is none"
            view.report(key, path, "missing-field", message, help="name one of the containers main", within="key")


def _check_container_graph(view: View, key: str, containers: list[Json], names: list[str]) -> None:
    for index, one in enumerate(containers):
        for at, name in enumerate(one.get("dependencies") or ()):
            if name not in names:
                message = f'container "{one.get("name", "")}" waits for "{name}", which is not there'
                path = ("containerSet", "containers", index, "dependencies", at)
                view.report(key, path, "unknown-container", message, help=suggest(name, names, label="containers"))
    cycle = find_cycle({name: one.get("dependencies") or [] for name, one in zip(names, containers, strict=True)})
    if cycle:
        index = names.index(cycle[0])
        message = f"these containers wait for each other: {' -> '.join([*cycle, cycle[0]])}"
        view.report(
            key,
            ("containerSet", "containers", index, "dependencies"),
            "dependency-cycle",
            message,
            help="remove one of these dependencies",
        )


def _has_artifacts_or_outputs(template: Json) -> bool:
    inputs, outputs = template.get("inputs") or {}, template.get("outputs") or {}
    return bool(inputs.get("artifacts") or outputs.get("parameters") or outputs.get("artifacts"))


def check_pods(view: View) -> None:
    """What belongs to a pod stands on templates that have one."""
    for key, template in view.templates():
        kind = type_of(template)
        if template.get("resourceClaims") and kind and kind not in PODS:
            message = f"resourceClaims belong to a pod, and a {kind} template has none"
            view.report(
                key, ("resourceClaims",), "misplaced-field", message, help="set them on the templates called", within="key"
            )
        if template.get("podResources") is not None and kind in {"http", "plugin"}:
            message = f"podResources belong to a pod, and a {kind} template has none of its own"
            view.report(key, ("podResources",), "misplaced-field", message, help="remove them", within="key")


def check_resources(view: View) -> None:
    """resource.action and manifest."""
    for key, template in view.templates():
        resource = template.get("resource")
        if resource is None:
            continue
        action = resource.get("action") or ""
        if action not in ACTIONS and "{{" not in action:
            help_text = suggest(action, ACTIONS, label="actions")
            view.report(
                key, ("resource", "action"), "bad-choice", f'"{action}" is no action of a resource template', help=help_text
            )
        if action in {"get", "delete"}:
            continue
        if not resource.get("manifest") and resource.get("manifestFrom") is None:
            view.report(
                key,
                ("resource",),
                "missing-field",
                "a resource template needs a manifest",
                help="write manifest: | or manifestFrom",
            )
        elif resource.get("manifest") and resource.get("manifestFrom") is not None:
            message = "a resource template has manifest or manifestFrom, not both"
            view.report(key, ("resource", "manifestFrom"), "two-sources", message, help="keep one", within="key")
        elif resource.get("manifestFrom") is not None:
            _check_manifest_from(view, key, template)
        else:
            _check_manifest(view, key, resource)


def _check_manifest_from(view: View, key: str, template: Json) -> None:
    """The artifact is an input of the template."""
    name = (template["resource"]["manifestFrom"].get("artifact") or {}).get("name", "")
    names = [artifact.get("name", "") for artifact in (template.get("inputs") or {}).get("artifacts") or ()]
    if name not in names:
        message = f'the manifest is to come from artifact "{name}", which is no input of template "{title(key)}"'
        help_text = suggest(name, names, label="inputs.artifacts")
        view.report(key, ("resource", "manifestFrom"), "unknown-artifact", message, help=help_text, within="key")


def _check_manifest(view: View, key: str, resource: Json) -> None:
    """The text is YAML, tags aside."""
    import yaml

    manifest = resource.get("manifest") or ""
    text = re.sub(r"\{\{\s*=\s*(.+?)\s*\}\}", "x", manifest)
    if text.startswith("{{") and text.endswith("}}"):
        return
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        reason, mark = str(getattr(error, "problem", "") or ""), getattr(error, "problem_mark", None)
        message = "the manifest is not YAML" + (f": {reason}" if reason else "")
        within = (sum(map(len, text.splitlines(keepends=True)[: mark.line])), 1) if mark and text == manifest else None
        help_text = "put text that begins with {{ in quotes"
        view.report(key, ("resource", "manifest"), "bad-manifest", message, help=help_text, within=within)


def check_deadlines(view: View) -> None:
    """ActiveDeadlineSeconds counts; timeout has a unit."""
    for key, template in view.templates():
        value = template.get("activeDeadlineSeconds")
        if (
            isinstance(value, str)
            and not (value.startswith("{{") and value.endswith("}}"))
            and not re.fullmatch(r"[+]?[0-9]+", value)
        ):
            message = f'"{value}" is no number of seconds'
            view.report(
                key, ("activeDeadlineSeconds",), "bad-duration", message, help="write a number, or a {{tag}} that gives one"
            )
        elif isinstance(value, int) and value < 0:
            view.report(
                key,
                ("activeDeadlineSeconds",),
                "bad-duration",
                "a deadline cannot be negative",
                help="write a number of seconds",
            )
        timeout = template.get("timeout") or ""
        if re.fullmatch(r"[+-]?[0-9]+", timeout):
            view.report(key, ("timeout",), "bad-duration", f'timeout "{timeout}" has no unit', help=f"write {timeout}s")
