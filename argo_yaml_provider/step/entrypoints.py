"""The entrypoint of a step's image, from its registry, with the credentials the pod itself would pull it with.

Must not know: Airflow, how a registry is asked.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError
from argo_yaml_provider.step.registry import image_entrypoint

Json = dict[str, Any]

_known: dict[str, Json] = {}
"""Of this process: images seldom change what they start, and a new tag is a new image."""


async def look_up(host: Host, image: str, decision: Decision) -> Json | None:
    """The image's entrypoint and command; None where no registry says."""
    if image not in _known:
        found = await image_entrypoint(image, await _credentials(host, decision))
        if found is None:
            return None
        _known[image] = found
    return _known[image]


async def _credentials(host: Host, decision: Decision) -> Json:
    """A docker config's `auths` from the workflow's imagePullSecrets; a host that may not read secrets does without."""
    auths: Json = {}
    for reference in decision.workflow.get("imagePullSecrets", []):
        try:
            secret = await host.kube.get(f"/api/v1/namespaces/{host.facts.namespace}/secrets/{reference['name']}") or {}
        except ApiError:
            continue
        if text := secret.get("data", {}).get(".dockerconfigjson"):
            auths |= json.loads(base64.b64decode(text)).get("auths", {})
    return auths
