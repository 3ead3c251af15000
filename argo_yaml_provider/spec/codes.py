"""Every error code: what it means in one line, and for what is not supported, the way out.

In: nothing.  Out: `CODES` (the README's list is held against it), `way_out`.
Must not know: where a code is used.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    # reading
    "unreadable-file": "the file cannot be opened",
    "file-too-large": "the file is larger than 10 MiB",
    "not-utf8": "the file is not UTF-8 text",
    "empty-file": "the file holds no document",
    "not-yaml": "the text is not YAML",
    "tab-indentation": "a tab stands in the indentation",
    "bad-indentation": "a line does not fit the indentation above it",
    "duplicate-key": "a key is given twice in one mapping",
    "bad-key": "a list or mapping is used as a key, often {{…}} without quotes",
    "bad-merge": "<< is given something that is not a mapping",
    "bad-alias": "an alias has no anchor, or stands inside its own",
    "not-json": "a value has no JSON form: .nan, .inf, a wrong !!tag",
    "too-deep": "lists and mappings are nested more than 100 deep",
    "too-many-values": "the document holds more than 300,000 values, aliases expanded",
    # the object and its fields
    "not-an-object": "a document is no mapping",
    "unknown-kind": "the kind or apiVersion is not one of Argo's",
    "no-workflow": "the file holds other Kubernetes objects only",
    "nothing-to-run": "the file holds templates only, none with an entrypoint",
    "no-such-document": "the file has no document of that number",
    "missing-field": "a field that is required is missing",
    "unknown-field": "Argo's schema has no such field",
    "misplaced-field": "the field has no meaning at this place",
    "wrong-type": "the value has the wrong type",
    "bad-choice": "the value is not one of the words allowed",
    "bad-number": "the text is no whole number",
    "bad-duration": "the text is no length of time",
    "bad-quantity": "the text is no Kubernetes quantity",
    "bad-label": "Kubernetes does not take the label or annotation",
    "bad-name": "the name has characters that are not allowed",
    "name-too-long": "the name is too long for Kubernetes",
    "reserved-name": "the name is one that Argo keeps for itself",
    "duplicate-name": "two things in one list have the same name",
    # templates
    "no-template-type": "a template says nothing to run",
    "two-template-types": "a template is two things at once",
    "too-many-steps": "the workflow has more than 5,000 steps and tasks",
    "duplicate-mount": "two things are mounted on one path",
    "bad-path": "an artifact's path climbs out of its folder",
    "bad-manifest": "a resource template's manifest is not YAML",
    "unknown-artifact": "manifestFrom names an artifact that is no input of its template",
    "unknown-container": "a container waits for one that is not there",
    # steps and tasks
    "missing-entrypoint": "spec.entrypoint is missing",
    "unknown-template": "a template that is called is not defined",
    "unknown-resource": "a WorkflowTemplate or ClusterWorkflowTemplate is not found",
    "no-template": "a step or task calls no template",
    "two-references": "a step or task has both template and templateRef",
    "two-loops": "a step or task loops in two ways",
    "bad-sequence": "withSequence cannot be counted",
    "missing-expression": "a hook other than exit has no expression",
    "no-tasks": "a dag template has no task",
    "unknown-task": "a task waits for, or a target names, one that is not there",
    "unknown-step": "a tag names a step or task that is not there",
    "mixed-depends": "depends beside dependencies or continueOn",
    "dependency-cycle": "tasks wait for each other",
    # arguments, inputs, outputs
    "missing-argument": "an input that has no value of its own is not supplied",
    "missing-value": "an argument or output has no value",
    "not-in-enum": "the value is not among those that the parameter allows",
    "bad-enum": "an enum is empty",
    "bad-value-from": "valueFrom has a source that cannot be used at this place",
    "two-sources": "a value comes from two places",
    # texts in a language of their own
    "bad-tag": "a {{ is never closed",
    "unknown-tag": "a {{tag}} refers to nothing",
    "not-upstream": "a {{tag}} refers to a step or task that has not ended by then",
    "bad-expression": "the expression cannot be read",
    "bad-when": "the condition cannot be read",
    "bad-depends": "depends cannot be read, or names no result of a task",
    "bad-schedule": "the text is no cron schedule",
    "bad-annotation": "the text is not what this annotation of ours may say",
    "bad-timezone": "there is no such time zone",
    "dynamic-template": "the name of a template that is called holds a tag whose value in this file names none",
}

UNSUPPORTED: dict[str, str] = {
    "unsupported-artifact-plugin": "keep the artifact in a store such as s3, gcs, azure, oss, hdfs or http",
    "unsupported-artifact-auth": "use a key, a password or a token from a secret, or the identity of the pod's service account",
    "unsupported-bucket-option": "set it on the bucket itself, once, beside the workflow",
    "unsupported-plugin": "call the plugin's service from a container step",
}


def way_out(code: str) -> str:
    """What to do instead of a thing that is not supported."""
    return UNSUPPORTED[code]


def codes_table() -> str:
    """All codes as a Markdown table, for the README."""
    rows = list(CODES.items())
    rows += [(code, f"not supported; {instead}") for code, instead in UNSUPPORTED.items()]
    return "\n".join(["| code | what it means |", "|---|---|", *(f"| `{code}` | {meaning} |" for code, meaning in rows)])
