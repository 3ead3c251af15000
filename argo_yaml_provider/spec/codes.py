"""Every error code: what it means in one line, and for what is not supported, the way out.

In: nothing.  Out: `CODES` (the README's list is held against it), `way_out`.
Must not know: where a code is used.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    # reading
    "unreadable-file": "the file cannot be opened",
    "file-too-large": "the file is larger than the limit",
    "not-utf8": "the file is not UTF-8 text",
    "empty-file": "the file holds no document",
    "not-yaml": "the text is not YAML",
    "tab-indentation": "a tab stands in the indentation",
    "bad-indentation": "a line does not fit the indentation above it",
    "duplicate-key": "a key is given twice in one mapping",
    "bad-key": "a list or mapping is used as a key",
    "bad-merge": "<< is given something that is not a mapping",
    "bad-alias": "an alias has no anchor, or stands inside its own",
    "not-json": "a value has no JSON form (.nan, a wrong !!tag)",
    "too-deep": "lists and mappings are nested too deep",
    "too-many-values": "the document holds too many values, aliases expanded",
    # fields
    "not-an-object": "a document is no mapping",
    "missing-field": "a field that is required is missing",
    "unknown-kind": "the kind or apiVersion is not Argo's",
    "unknown-field": "the field does not exist in Argo's schema",
    "wrong-type": "the value has the wrong type",
    "bad-duration": "not a length of time",
    "bad-quantity": "not a Kubernetes quantity",
}

UNSUPPORTED: dict[str, str] = {
    "unsupported-cron": "run the workflowSpec as a Workflow, and schedule its DAG in Airflow",
    "unsupported-event-binding": "trigger the DAG from outside by Airflow's REST API or an asset",
    "unsupported-volume-claim": "create the claim once, and refer to it under volumes as persistentVolumeClaim",
    "unsupported-parallelism": "limit it in Airflow: max_active_tasks, or a pool",
    "unsupported-artifact": "hand small data on as output parameters, large data by a volume",
    "unsupported-suspend": "split the workflow into two DAGs, and trigger the second by hand",
    "unsupported-exit-handler": "run it as a last step after steps with continueOn",
    "unsupported-hooks": "run it as a step of its own",
    "unsupported-disruption-budget": "create the PodDisruptionBudget beside the workflow",
    "unsupported-metrics": "Airflow's own metrics count runs, tasks and durations",
    "unsupported-shutdown": "stop the run in Airflow's UI",
    "unsupported-synchronization": "use an Airflow pool with as many slots as the lock has holders",
    "unsupported-plugin": "call the plugin's service from a container step",
    "unsupported-labels-from": "write the labels as they are",
    "unsupported-daemon": "run the service outside the workflow, or as a sidecar of the step that needs it",
    "unsupported-container-set": "run the containers as steps of their own, or as sidecars",
    "unsupported-resource": "run kubectl in a container step",
    "unsupported-data": "list and transform the files in a script step",
    "unsupported-http": "run curl in a container step",
    "unsupported-memoize": "remove it: the step then runs each time",
    "unsupported-pending-timeout": "use timeout, which counts from the step's start",
    "unsupported-retry-affinity": "remove it: a retry may then run on the same node",
}


def way_out(code: str) -> str:
    """What to do instead of a thing that is not supported."""
    return UNSUPPORTED[code]


def all_codes() -> dict[str, str]:
    """Every code with its line."""
    return {**CODES, **{code: f"not supported; {text}" for code, text in UNSUPPORTED.items()}}
