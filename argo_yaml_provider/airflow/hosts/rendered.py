"""What the UI shows as a task's rendered fields: the pod it made, without secrets.

In: a pod's manifest.  Out: JSON for Airflow's table of rendered fields, cut and masked by Airflow's own rules.
Must not know: steps.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.pods.containers import MAIN

HIDDEN = "***"


def rendered_fields(manifest: Json) -> Json:
    """The main container's image, command, args and env, and the whole pod."""
    shown = _masked(manifest)
    main: Json = next((one for one in shown["spec"]["containers"] if one["name"] == MAIN), {})
    fields = {name: main[name] for name in ("image", "command", "args", "env") if main.get(name)}
    return {name: _shortened(name, value) for name, value in {**fields, "pod": shown}.items()}


def _shortened(name: str, value: Any) -> Any:
    """As Airflow serializes a field: keys in order, and cut where it is too long. Most are not, and are JSON already."""
    from airflow.serialization.helpers import serialize_template_field

    if len(str(value)) > _longest():
        return serialize_template_field(value, name)
    return json.loads(json.dumps(value, sort_keys=True))


@cache
def _longest() -> int:
    from airflow.configuration import conf

    return int(conf.getint("core", "max_templated_field_length"))


def _masked(manifest: Json) -> Json:
    """Variables whose names Airflow holds to be secrets' have no values here; known secrets Airflow masks itself."""
    spec = dict(manifest["spec"])
    for kind in ("containers", "initContainers"):
        if kind in spec:
            spec[kind] = [_without_secrets(container) for container in spec[kind]]
    return {"metadata": manifest["metadata"], "spec": spec}


def _without_secrets(container: Json) -> Json:
    if not container.get("env"):
        return container
    return {**container, "env": [_hidden(variable) for variable in container["env"]]}


def _hidden(variable: Json) -> Json:
    from airflow._shared.secrets_masker import should_hide_value_for_key

    hide = "value" in variable and should_hide_value_for_key(variable["name"])  # type: ignore[no-untyped-call]
    return {**variable, "value": HIDDEN} if hide else variable
