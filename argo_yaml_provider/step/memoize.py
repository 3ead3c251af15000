"""What memoized templates gave before: entries of ConfigMaps, written as Argo writes them, so that either reads the other's.

In: a host, a decision whose template has `memoize`.  Out: the cached outcome, or None; and new entries.
Must not know: Airflow, pods. Argo: workflow/controller/cache/configmap_cache.go, operator.go executeTemplate.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr.clock import parse_duration
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.clock import SECOND, nanoseconds, rfc3339
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.identity import node_id
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.results import Outputs
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError

Json = dict[str, Any]

TYPE_LABEL = "workflows.argoproj.io/configmap-type"
CACHE = "Cache"
_KEY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_CONFLICTS = 20
"""How often others may have written first: a fan-out's turns all write into one ConfigMap."""


async def find_cached(host: Host, decision: Decision) -> Outcome | None:
    """The outcome of a step that need not run; a cache that cannot be used breaks the step."""
    memoize = decision.template.get("memoize")
    if memoize is None:
        return None
    try:
        entry = await _load(host, memoize)
        if entry is None or not entry.get("nodeID") or _is_old(entry, memoize):
            return None
        outputs = entry.get("outputs")
    except RunError as error:
        return Outcome(phase=Phase.ERROR, message=error.message, values={"before": True, "raised": True})
    host.log(f"found in the cache {_name(memoize)} under the key {memoize['key']}")
    return Outcome(phase=Phase.SUCCEEDED, values={"root": _given(outputs)} if outputs else {})


async def save_cached(host: Host, decision: Decision, outputs: Outputs | None) -> str:
    """Keeps what a step gave that succeeded; says why it could not, which makes the step an Error."""
    memoize = decision.template.get("memoize")
    if memoize is None:
        return ""
    moment = rfc3339(datetime.now(UTC))
    entry = {
        "nodeID": node_id(host.facts.name, decision.node),
        "outputs": _written(outputs, decision.template),
        "creationTimestamp": moment,
        "lastHitTimestamp": moment,
    }
    try:
        await _change(host, memoize, lambda data: {**data, _key(memoize): json.dumps(entry)})
    except RunError as error:
        return error.message
    return ""


async def _load(host: Host, memoize: Json) -> Json | None:
    """The entry; that it was asked for is written beside it, for those that sweep old entries away."""
    key = _key(memoize)
    found = await host.kube.config_map(host.facts.namespace, _name(memoize))
    if found is None:
        return None
    _check(found)
    if not (found.get("data") or {}).get(key):
        return None
    try:
        entry: Json = dict(json.loads(found["data"][key]))
    except (ValueError, TypeError) as error:
        raise RunError(f"malformed cache entry: could not unmarshal JSON; unable to parse: {error}") from None
    hit = json.dumps({**entry, "lastHitTimestamp": rfc3339(datetime.now(UTC))})
    await _change(host, memoize, lambda data: {**data, key: hit} if data.get(key) == found["data"][key] else data)
    return entry


async def _change(host: Host, memoize: Json, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Changes the ConfigMap's data, made where there is none; again where another writer came first."""
    path, name = f"/api/v1/namespaces/{host.facts.namespace}/configmaps", _name(memoize)
    for number in range(_CONFLICTS):
        found = await host.kube.config_map(host.facts.namespace, name)
        labels = {TYPE_LABEL: CACHE}
        try:
            if found is None:
                made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
                await host.kube.call("POST", path, body={**made, "data": change({})})
                return
            _check(found)
            await host.kube.call("PUT", f"{path}/{name}", body={**found, "data": change(found.get("data") or {})})
        except ApiError as error:
            if error.status != 409 or number == _CONFLICTS - 1:
                raise
            await asyncio.sleep(0.02 * (number + 1))
        else:
            return


def _name(memoize: Json) -> str:
    return str(((memoize.get("cache") or {}).get("configMap") or {}).get("name") or "")


def _key(memoize: Json) -> str:
    key = str(memoize.get("key") or "")
    if not _KEY.fullmatch(key):
        raise RunError(f"invalid cache key: {key}", help="write letters, digits and hyphens")
    return key


def _check(config_map: Json) -> None:
    label = (config_map["metadata"].get("labels") or {}).get(TYPE_LABEL)
    if label is None:
        raise RunError(f"memoization configmap doesn't have {TYPE_LABEL} label, refusing to use it")
    if label != CACHE:
        raise RunError(f"memoization configmap doesn't have label {TYPE_LABEL} = {CACHE}, refusing to use it")


def _is_old(entry: Json, memoize: Json) -> bool:
    if not memoize.get("maxAge"):
        return False
    try:
        longest = parse_duration(str(memoize["maxAge"])).order
    except ExprError as error:
        raise RunError(f"invalid maxAge: {error.message}") from None
    age = datetime.now(tz=UTC).timestamp() * SECOND - nanoseconds(str(entry.get("creationTimestamp") or ""))
    return age > longest


def _given(outputs: Json) -> Json:
    """Argo's outputs as an outcome holds those of a template's root."""
    return {
        "parameters": {one["name"]: one.get("value") for one in outputs.get("parameters") or ()},
        "artifacts": {one["name"]: one for one in outputs.get("artifacts") or ()},
        "result": outputs.get("result"),
        "exitCode": outputs.get("exitCode"),
    }


def _written(outputs: Outputs | None, template: Json) -> Json | None:
    """Outputs as Argo writes them: what the template declares, with the values."""
    if outputs is None:
        return None
    declared = {one["name"]: one for one in (template.get("outputs") or {}).get("parameters") or ()}
    written: Json = {
        "parameters": [
            {"name": name, **declared.get(name, {}), **({} if value is None else {"value": value})}
            for name, value in outputs.parameters.items()
        ],
        "artifacts": list(outputs.artifacts.values()),
        "result": outputs.result,
        "exitCode": outputs.exit_code,
    }
    return {field: value for field, value in written.items() if value not in (None, [])}
