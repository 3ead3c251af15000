"""Inputs and outputs of templates.

In: `View`.  Out: problems.
Must not know: tags. Argo: validateInputs, validateOutputs.
"""

from __future__ import annotations

from argo_yaml_provider.resolve.checks.arguments import PARAMETER_NAME, check_names
from argo_yaml_provider.resolve.checks.view import View, is_leaf, type_of
from argo_yaml_provider.spec.resource import Json, Path

SOURCES = ("path", "jqFilter", "jsonPath", "parameter", "expression")
_WANTED = {
    "container": ("path",),
    "script": ("path",),
    "containerSet": ("path",),
    "resource": ("jqFilter", "jsonPath"),
    "steps": ("parameter", "expression"),
    "dag": ("parameter", "expression"),
}


def check_inputs(view: View) -> None:
    """Names of inputs; paths of input artifacts."""
    for key, template in view.templates():
        _check_lists(view, key, template, "inputs")
        for index, artifact in enumerate((template.get("inputs") or {}).get("artifacts") or ()):
            path = ("inputs", "artifacts", index)
            _check_artifact_path(view, key, template, artifact, path)
            if artifact.get("from"):
                message = "an input artifact is declared here, not given: from belongs to the caller's arguments"
                view.report(
                    key,
                    (*path, "from"),
                    "misplaced-field",
                    message,
                    help="move it to the step or task that calls",
                    within="key",
                )


def check_outputs(view: View) -> None:
    """Names, sources and global names of outputs."""
    for key, template in view.templates():
        _check_lists(view, key, template, "outputs")
        outputs = template.get("outputs") or {}
        for index, parameter in enumerate(outputs.get("parameters") or ()):
            _check_parameter(view, key, template, parameter, ("outputs", "parameters", index))
        for index, artifact in enumerate(outputs.get("artifacts") or ()):
            _check_artifact_path(view, key, template, artifact, ("outputs", "artifacts", index))
        for what in ("parameters", "artifacts"):
            for index, item in enumerate(outputs.get(what) or ()):
                name = item.get("globalName") or ""
                if name and "{{" not in name and not PARAMETER_NAME.fullmatch(name):
                    message = f'"{name}" is no global name'
                    view.report(
                        key,
                        ("outputs", what, index, "globalName"),
                        "bad-name",
                        message,
                        help="use letters, digits, '-' and '_'",
                    )


def _check_lists(view: View, key: str, template: Json, field: str) -> None:
    def report(path: Path, code: str, message: str, *, help: str) -> None:  # noqa: A002 - the same word as in Diagnostic
        view.report(key, path, code, message, help=help)

    for what in ("parameters", "artifacts"):
        check_names(report, (template.get(field) or {}).get(what) or (), (field, what), what.removesuffix("s"))


def _check_artifact_path(view: View, key: str, template: Json, artifact: Json, path: Path) -> None:
    name = artifact.get("name", "")
    if is_leaf(template):
        if not artifact.get("path"):
            view.report(key, path, "missing-field", f'artifact "{name}" has no path', help="write path: /where/the/file/is")
        elif ".." in artifact["path"].split("/"):
            message = f'the path of artifact "{name}" climbs out of its folder by ".."'
            view.report(key, (*path, "path"), "bad-path", message, help="write the path without ..")
    elif artifact.get("path") and type_of(template):
        message = f'a {type_of(template)} template has no files: artifact "{name}" cannot have a path'
        view.report(key, (*path, "path"), "misplaced-field", message, help="remove it; an output takes from", within="key")


def _check_parameter(view: View, key: str, template: Json, parameter: Json, path: Path) -> None:
    source, name, kind = parameter.get("valueFrom"), parameter.get("name", ""), type_of(template)
    if source is None:
        if parameter.get("value") is None:
            help_text = f"write valueFrom: {{{' or '.join(_WANTED.get(kind, SOURCES))}: …}}"
            view.report(key, path, "missing-value", f'output "{name}" comes from nowhere', help=help_text)
        return
    if parameter.get("value") is not None:
        view.report(
            key, (*path, "value"), "two-sources", f'output "{name}" has both value and valueFrom', help="keep one", within="key"
        )
        return
    given = [one for one in SOURCES if source.get(one)] + ["supplied"] * (source.get("supplied") is not None)
    wanted = _WANTED.get(kind, ())
    if len(given) > 1:
        message = f'output "{name}" comes from two places: {" and ".join(given)}'
        view.report(key, (*path, "valueFrom", given[1]), "two-sources", message, help="keep one", within="key")
    elif not given or (wanted and given[0] not in wanted):
        message = f"an output of a {kind} template comes from {' or '.join(wanted or SOURCES)}"
        message += f", not from {given[0]}" if given else ""
        help_text = f"write valueFrom: {{{(wanted or SOURCES)[0]}: …}}"
        view.report(key, (*path, "valueFrom", *given[:1]), "bad-value-from", message, help=help_text, within="key")
