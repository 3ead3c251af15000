"""Fields that take one of a few words, and retries.

In: `View`.  Out: problems.
Must not know: pods.
"""

from __future__ import annotations

import re

from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.resolve.references import spec_of
from argo_yaml_provider.spec.problems import suggest
from argo_yaml_provider.spec.resource import Json, Path

POLICIES = ("Always", "OnFailure", "OnError", "OnTransientError")
ARTIFACT_GC = ("OnWorkflowCompletion", "OnWorkflowDeletion", "Never")
SELECTOR_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
POD_GC = ("OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess")
_METRIC = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_POD_RESOURCES = ("cpu", "memory")


def check_retries(view: View) -> None:
    """RetryPolicy is a word Argo knows; limit and factor count."""
    for path, strategy in ((("spec", "retryStrategy"), view.spec.get("retryStrategy")),):
        if strategy:
            _check_strategy(view, "", path, strategy)
    for key, template in view.templates():
        if template.get("retryStrategy"):
            _check_strategy(view, key, ("retryStrategy",), template["retryStrategy"])


def _check_strategy(view: View, key: str, path: Path, strategy: Json) -> None:
    policy = strategy.get("retryPolicy") or ""
    if policy and "{{" not in policy and policy not in POLICIES:
        _say(
            view,
            key,
            (*path, "retryPolicy"),
            "bad-choice",
            f'"{policy}" is no retryPolicy',
            suggest(policy, POLICIES, label="policies"),
        )
    backoff = strategy.get("backoff") or {}
    for where, value in (((*path, "limit"), strategy.get("limit")), ((*path, "backoff", "factor"), backoff.get("factor"))):
        if isinstance(value, str) and "{{" not in value and not re.fullmatch(r"[+-]?[0-9]+", value):
            _say(view, key, where, "bad-number", f'"{value}" is no whole number', "write a number, or a {{tag}} that gives one")


def _say(view: View, key: str, path: Path, code: str, message: str, help_text: str) -> None:
    if key:
        view.report(key, path, code, message, help=help_text)
    else:
        view.report_spec(path, code, message, help=help_text)


def check_choices(view: View) -> None:
    """podGC, podResources, and templates beside a workflowTemplateRef."""
    strategy = (view.spec.get("podGC") or {}).get("strategy") or ""
    if strategy and strategy not in POD_GC:
        help_text = suggest(strategy, POD_GC, label="strategies")
        view.report_spec(("spec", "podGC", "strategy"), "bad-choice", f'"{strategy}" is no strategy of podGC', help=help_text)
    selector = (view.spec.get("podGC") or {}).get("labelSelector") or {}
    for index, rule in enumerate(selector.get("matchExpressions") or ()):
        if rule.get("operator") not in SELECTOR_OPERATORS:
            path = ("spec", "podGC", "labelSelector", "matchExpressions", index, "operator")
            given = str(rule.get("operator") or "")
            help_text = suggest(given, SELECTOR_OPERATORS, label="operators")
            view.report_spec(path, "bad-choice", f'"{given}" is no operator of a label selector', help=help_text)
    _check_artifact_gc(view, "", ("spec", "artifactGC"), view.spec.get("artifactGC") or {})
    own = spec_of(view.resolved.resource)
    if own.get("workflowTemplateRef") and own.get("templates"):
        message = "templates cannot stand beside workflowTemplateRef"
        view.report_spec(
            ("spec", "templates"), "misplaced-field", message, help="move them to the WorkflowTemplate", within="key"
        )
    _check_pod_resources(view, "", ("spec", "podResources"), view.spec.get("podResources") or {})
    for key, template in view.templates():
        _check_pod_resources(view, key, ("podResources",), template.get("podResources") or {})
        for index, artifact in enumerate((template.get("outputs") or {}).get("artifacts") or ()):
            _check_artifact_gc(view, key, ("outputs", "artifacts", index, "artifactGC"), artifact.get("artifactGC") or {})


def _check_artifact_gc(view: View, key: str, path: Path, written: Json) -> None:
    strategy = written.get("strategy") or ""
    if strategy and strategy not in ARTIFACT_GC:
        help_text = suggest(strategy, ARTIFACT_GC, label="strategies")
        _say(view, key, (*path, "strategy"), "bad-choice", f'"{strategy}" is no strategy of artifactGC', help_text)


def _check_pod_resources(view: View, key: str, path: Path, resources: Json) -> None:
    if resources.get("claims"):
        _say(view, key, (*path, "claims"), "misplaced-field", "a pod as a whole takes no claims", "set them on its containers")
    for what in ("limits", "requests"):
        for name in resources.get(what) or {}:
            if name not in _POD_RESOURCES and not name.startswith("hugepages-"):
                message = f'"{name}" is no resource of a pod as a whole'
                _say(
                    view,
                    key,
                    (*path, what, name),
                    "bad-choice",
                    message,
                    "only cpu, memory and hugepages-* are; set it on a container",
                )


def check_metrics(view: View) -> None:
    """Metrics have a name, a help text and a value. Argo: metrics.IsValidMetricName, ValidateMetricValues."""
    metrics = (view.spec.get("metrics") or {}).get("prometheus") or ()
    for index, metric in enumerate(metrics):
        _check_metric(view, "", ("spec", "metrics", "prometheus", index), metric)
    for key, template in view.templates():
        for index, metric in enumerate((template.get("metrics") or {}).get("prometheus") or ()):
            _check_metric(view, key, ("metrics", "prometheus", index), metric)


def _check_metric(view: View, key: str, path: Path, metric: Json) -> None:
    name = metric.get("name") or ""
    in_template = bool(key)  # Argo looks only at these before they are filled in
    if not _METRIC.fullmatch(name) and (in_template or "{{" not in name):
        _say(view, key, (*path, "name"), "bad-name", f'"{name}" is no name of a metric', "use letters, digits and '_'")
    for index, label in enumerate(metric.get("labels") or ()):
        if not _METRIC.fullmatch(label.get("key") or ""):
            message = f'"{label.get("key") or ""}" is no label of a metric'
            _say(view, key, (*path, "labels", index, "key"), "bad-name", message, "use letters, digits and '_'")
    if not metric.get("help"):
        _say(view, key, path, "missing-field", f'metric "{name}" has no help text', "write help: what it measures")
    for kind in ("gauge", "counter", "histogram"):
        if metric.get(kind) is not None and not metric[kind].get("value"):
            _say(view, key, (*path, kind), "missing-value", f'the {kind} "{name}" has no value', 'write value: "…"')
    gauge = metric.get("gauge") or {}
    if gauge.get("realtime") and "resourcesDuration." in (gauge.get("value") or ""):
        message = "resourcesDuration is known only at the end, which realtime does not wait for"
        _say(view, key, (*path, "gauge", "value"), "bad-value-from", message, "use duration, or remove realtime")
