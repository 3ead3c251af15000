"""Templates as such: their names, their one type, how many calls they make.

In: `View`.  Out: problems.
Must not know: what they call.
"""

from __future__ import annotations

import re

from argo_yaml_provider.resolve.checks.view import TYPES, View, is_leaf, title, type_of
from argo_yaml_provider.resolve.references import LOCAL, calls_of, spec_of, spec_path
from argo_yaml_provider.spec.resource import Json

MOST_CALLS = 5_000
NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
LONGEST_NAME = 128
NAME_RULE = "use letters, digits and '-', and begin with a letter or digit"


def check_size(view: View) -> None:
    """So many steps that no Airflow could show them."""
    total = 0
    for key, template in view.templates():
        total += sum(1 for _ in calls_of(template))
        if total > MOST_CALLS:
            message = f"the workflow has more than {MOST_CALLS:,} steps and tasks"
            help_text = "loop over a list with withParam, withItems or withSequence, or split the workflow"
            view.report(key, ("steps",) if template.get("steps") else ("dag",), "too-many-steps", message, help=help_text)
            return


def check_template_names(view: View) -> None:
    """Every template of the object has a name of its own."""
    owners = {id(owner): owner for key, (owner, _) in view.resolved.origins.items() if key.startswith(LOCAL)}
    for owner in owners.values():
        seen: set[str] = set()
        for index, template in enumerate(spec_of(owner).get("templates") or ()):
            name = template.get("name") or ""
            problem = name_problem(name, "template")
            if not problem and name in seen:
                problem = ("duplicate-name", f'two templates are named "{name}"', "rename one")
            if problem:
                path = (*spec_path(owner), "templates", index, "name")
                view.problems.add(owner.document, path, problem[0], problem[1], help=problem[2])
            seen.add(name)


def name_problem(name: str, what: str) -> tuple[str, str, str] | None:
    """Code, message and help, if it is no name for a template, step or task."""
    if not name:
        return "missing-field", f"a {what} has no name", f"write name: {NAME_RULE}"
    if len(name) > LONGEST_NAME:
        return (
            "name-too-long",
            f"the name of this {what} has {len(name)} characters; at most {LONGEST_NAME} are allowed",
            "shorten it",
        )
    if not NAME.fullmatch(name):
        return "bad-name", f'"{name}" is no name for a {what}', NAME_RULE
    return None


def check_types(view: View) -> None:
    """A template is of exactly one type."""
    for key, template in view.templates():
        kinds = [name for name in TYPES if template.get(name) is not None]
        if not kinds:
            message = f'template "{title(key)}" says nothing to run'
            view.report(key, (), "no-template-type", message, help=f"give it one of: {', '.join(TYPES)}")
        elif len(kinds) > 1:
            message = f'template "{title(key)}" is two things at once: {" and ".join(kinds)}'
            view.report(key, (kinds[1],), "two-template-types", message, help="split it into two templates", within="key")
        _check_parts(view, key, template)


def _check_parts(view: View, key: str, template: Json) -> None:
    """Fields that only one type of template takes."""
    kind = type_of(template)
    if template.get("parallelism") is not None and kind not in {"steps", "dag"}:
        message = f"parallelism limits the children of a template; a {kind} template has none"
        view.report(key, ("parallelism",), "misplaced-field", message, help="set it on the steps or dag template", within="key")
    if template.get("activeDeadlineSeconds") is not None and kind in {"steps", "dag"}:
        message = "activeDeadlineSeconds is for templates that run a pod"
        help_text = "set it on the templates called, or on the workflow's spec"
        view.report(key, ("activeDeadlineSeconds",), "misplaced-field", message, help=help_text, within="key")
    for name in ("timeout", "pendingTimeout"):
        if template.get(name) and kind and not is_leaf(template):
            message = f"{name} is for templates that run something; a {kind} template does not"
            view.report(key, (name,), "misplaced-field", message, help="set it on the templates called", within="key")
