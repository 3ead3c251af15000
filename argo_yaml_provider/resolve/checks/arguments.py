"""Arguments: well formed, and every input supplied.

In: `View`.  Out: problems.
Must not know: tags. Argo: validateArguments, ProcessArgs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from argo_yaml_provider.resolve.checks.known import called
from argo_yaml_provider.resolve.checks.view import View, title
from argo_yaml_provider.resolve.locations import has_location_or_key
from argo_yaml_provider.spec.problems import suggest
from argo_yaml_provider.spec.resource import Json, Path

PARAMETER_NAME = re.compile(r"[-a-zA-Z0-9_]+")
TAG = re.compile(r"\{\{.*?\}\}")
LOCATIONS = ("s3", "git", "http", "artifactory", "hdfs", "raw", "oss", "gcs", "azure", "plugin")
Report = Callable[..., None]


def check_arguments(view: View) -> None:
    """The arguments of the workflow and of every step and task, taken by themselves."""
    _check_list(view.report_spec, view.spec.get("arguments") or {}, ("spec", "arguments"), may_be_empty=True)
    for key in view.resolved.templates:
        for path, call in view.calls(key):
            _check_list(_bound(view, key), call.get("arguments") or {}, (*path, "arguments"), may_be_empty=False)


def _bound(view: View, key: str) -> Report:
    def report(path: Path, code: str, message: str, **more: object) -> None:
        view.report(key, path, code, message, **more)  # type: ignore[arg-type]

    return report


def _check_list(report: Report, arguments: Json, path: Path, *, may_be_empty: bool) -> None:
    for what in ("parameters", "artifacts"):
        check_names(report, arguments.get(what) or (), (*path, what), what.removesuffix("s"))
    for index, parameter in enumerate(arguments.get("parameters") or ()):
        where = (*path, "parameters", index)
        _check_value(report, parameter, where, may_be_empty=may_be_empty)
        _check_enum(report, parameter, where, may_be_empty=may_be_empty)
    for index, artifact in enumerate(arguments.get("artifacts") or ()):
        _check_artifact(report, artifact, (*path, "artifacts", index))


def check_names(report: Report, items: list[Json] | tuple[()], path: Path, what: str) -> None:
    """The names in a list of parameters or artifacts: present, well formed, no two alike."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item.get("name") or ""
        where = (*path, index, "name")
        if not name:
            report(where, "missing-field", f"{_a(what)} has no name", help="write name: …")
        elif not PARAMETER_NAME.fullmatch(TAG.sub("x", name)):
            report(where, "bad-name", f'"{name}" is no name for {_a(what)}', help="use letters, digits, '-' and '_'")
        elif name in seen:
            report(where, "duplicate-name", f'two {what}s here are named "{name}"', help="remove or rename one")
        seen.add(name)


def _a(what: str) -> str:
    return f"an {what}" if what.startswith("a") else f"a {what}"


def _check_value(report: Report, parameter: Json, path: Path, *, may_be_empty: bool) -> None:
    source, name = parameter.get("valueFrom"), parameter.get("name", "")
    if source is None:
        if parameter.get("value") is None and not may_be_empty:
            help_text = "write value: …; a default counts only where the parameter is declared"
            report(path, "missing-value", f'argument "{name}" has no value', help=help_text)
        return
    wrong = [one for one in ("path", "jsonPath", "parameter", "expression") if source.get(one)]
    allowed = source.get("configMapKeyRef") is not None or source.get("supplied") is not None
    if wrong or not allowed:
        message = f'the valueFrom of argument "{name}" cannot be used here'
        help_text = 'it takes configMapKeyRef; for another step\'s output write value: "{{steps.NAME.outputs.parameters.NAME}}"'
        report((*path, "valueFrom", *wrong[:1]), "bad-value-from", message, help=help_text)


def _check_enum(report: Report, parameter: Json, path: Path, *, may_be_empty: bool) -> None:
    enum, value, name = parameter.get("enum"), parameter.get("value"), parameter.get("name", "")
    if enum is None:
        return
    if not enum:
        report((*path, "enum"), "bad-enum", f'the enum of parameter "{name}" is empty', help="list the values that are allowed")
    elif value is None:
        if not may_be_empty:
            report(path, "missing-value", f'argument "{name}" has no value', help=f"one of: {', '.join(enum)}")
    elif value not in enum:
        message = f'"{value}" is not among the values that parameter "{name}" allows'
        report((*path, "value"), "not-in-enum", message, help=suggest(value, enum, label="allowed"))


def _check_artifact(report: Report, artifact: Json, path: Path) -> None:
    name = artifact.get("name", "")
    if not artifact.get("from") and not artifact.get("fromExpression") and not has_location(artifact):
        help_text = 'write from: "{{steps.NAME.outputs.artifacts.NAME}}", or a location such as s3 or raw'
        report(path, "missing-value", f'artifact "{name}" comes from nowhere', help=help_text)
    if artifact.get("from") and artifact.get("fromExpression"):
        report(
            (*path, "fromExpression"),
            "two-sources",
            f'artifact "{name}" has both from and fromExpression',
            help="keep one",
            within="key",
        )


def has_location(artifact: Json) -> bool:
    """Whether an artifact says where it lies."""
    return any(artifact.get(one) is not None for one in LOCATIONS)


def check_call_arguments(view: View) -> None:
    """Every step and task supplies what the template it calls asks for."""
    for key in view.resolved.templates:
        for path, call in view.calls(key):
            target = called(view, key, call)
            if target in view.resolved.templates:
                missing = _missing(view.resolved.templates[target], call.get("arguments") or {})
                if missing:
                    what = f'{"task" if path[0] == "dag" else "step"} "{call.get("name", "")}"'
                    message = f'{what} gives no {_listed(missing)}, which template "{title(target)}" asks for'
                    view.report(key, path, "missing-argument", message, help=_how_to_add("arguments", missing))


def _missing(template: Json, arguments: Json) -> list[tuple[str, str]]:
    """Kind and name of each input without a value of its own that no argument supplies."""
    inputs = template.get("inputs") or {}
    missing = []
    for kind, has_own in (("parameter", _has_own_value), ("artifact", _has_own_source)):
        given = {one.get("name") for one in arguments.get(f"{kind}s") or ()}
        declared = [one for one in inputs.get(f"{kind}s") or () if not has_own(one)]
        missing += [(kind, one.get("name") or "") for one in declared if one.get("name") not in given]
    return missing


def _has_own_value(parameter: Json) -> bool:
    return any(parameter.get(field) is not None for field in ("value", "default", "valueFrom"))


def _has_own_source(artifact: Json) -> bool:
    return bool(artifact.get("optional")) or has_location_or_key(artifact)


def _listed(missing: list[tuple[str, str]]) -> str:
    return ", ".join(f'{kind} "{name}"' for kind, name in missing)


def _how_to_add(where: str, missing: list[tuple[str, str]]) -> str:
    kind, name = missing[0]
    return f"add it under {where}.{kind}s: - {{name: {name}, {'value' if kind == 'parameter' else 'from'}: …}}"


def check_entrypoint_arguments(view: View) -> None:
    """The workflow's arguments supply what its entrypoint and its exit handler ask for; a template's come when it is run."""
    if view.is_library:
        return
    for field, key in (("entrypoint", view.resolved.entrypoint), ("onExit", view.resolved.on_exit)):
        if key in view.resolved.templates:
            missing = _missing(view.resolved.templates[key], view.spec.get("arguments") or {})
            if missing:
                message = f'{field} "{title(key)}" asks for {_listed(missing)}, which the workflow\'s arguments do not have'
                help_text = _how_to_add("spec.arguments", missing) + ", or give the input a default"
                view.report_spec(("spec", field), "missing-argument", message, help=help_text)
