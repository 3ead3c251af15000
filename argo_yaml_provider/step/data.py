"""A data step: a pod lists a store, then the transformations are worked out here.

In: a host, a decision with a data template.  Out: the Attempt, whose result is a JSON list.
Argo: workflow/executor/data.go, workflow/data/data.go.
Must not know: Airflow, how a store is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import evaluate
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.pods.data import LISTING, keys_in, listed_artifact, listing_pod
from argo_yaml_provider.pods.names import pod_name
from argo_yaml_provider.step.artifacts import repository_of
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.pod import pod_key, run_pod

Json = dict[str, Any]

_EXIT_CODE = "64"
_FAILED = "unable to process data template"
_NO_SOURCE = f"{_FAILED}: unable to process data source: unable to source artifact paths"


async def run_data(host: Host, decision: Decision, attempts: Sequence[Attempt] = ()) -> Attempt:
    """Lists the source and transforms what it finds."""
    try:
        repository = await repository_of(host, decision)
        artifact = listed_artifact(decision, repository, pod_name=pod_name(pod_key(host, decision.attempt)))
        listing = listing_pod(decision, artifact, host.settings.tools)
    except RunError as error:
        return Attempt(phase=Phase.ERROR, message=f"{_NO_SOURCE}: {error.message}")
    attempt = await run_pod(host, listing, attempts)
    listed = attempt.parameters.get(LISTING)
    attempt = replace(attempt, parameters={})
    if attempt.phase != Phase.SUCCEEDED:
        return attempt
    try:
        result = transformed(keys_in(listed or "", artifact), decision.template["data"].get("transformation") or ())
    except RunError as error:
        return _failed(attempt, f"{_NO_SOURCE}: {error.message}")
    except ExprError as error:
        return _failed(attempt, f"{_FAILED}: unable to process data transformation: {error.message}")
    return replace(attempt, result=result)


def transformed(keys: list[str], steps: Sequence[Json]) -> str:
    """The JSON text of what the transformations, one after the other, make of the keys."""
    # Go's list of nothing, as its drivers give it, is null until an expression makes a list of it.
    value: Any = keys
    for number, step in enumerate(steps):
        if step.get("expression"):
            try:
                value = evaluate(step["expression"], {"data": value})
            except ExprError as error:
                message = f"error processing data step {number}: {error.message}"
                raise ExprError(message, error.offset, error.length) from error
    return "null" if value is keys and not keys else gojson.dumps(value)


def _failed(attempt: Attempt, message: str) -> Attempt:
    message = f"main: Error (exit code {_EXIT_CODE}): {message}"
    return replace(attempt, phase=Phase.FAILED, message=message, exit_code=_EXIT_CODE)
