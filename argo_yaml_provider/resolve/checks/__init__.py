"""Every check of a resolved workflow, one function each.

In: `Resolved`.  Out: problems. What Argo refuses is refused; what it accepts is, too, only where it can never work.
Must not know: tasks, pods. Argo: workflow/validate/validate.go.
"""

from __future__ import annotations

from argo_yaml_provider.resolve.checks.annotations import check_annotations
from argo_yaml_provider.resolve.checks.arguments import check_arguments, check_call_arguments, check_entrypoint_arguments
from argo_yaml_provider.resolve.checks.calls import (
    check_call_names,
    check_entrypoint,
    check_hooks,
    check_loops,
    check_references,
)
from argo_yaml_provider.resolve.checks.cron import check_cron
from argo_yaml_provider.resolve.checks.dags import check_cycles, check_dependencies, check_depends, check_targets
from argo_yaml_provider.resolve.checks.execution import check_execution
from argo_yaml_provider.resolve.checks.leaves import (
    check_container_sets,
    check_containers,
    check_deadlines,
    check_pods,
    check_resources,
)
from argo_yaml_provider.resolve.checks.locks import check_locks
from argo_yaml_provider.resolve.checks.metadata import check_labels, check_object_name
from argo_yaml_provider.resolve.checks.outputs import check_inputs, check_outputs
from argo_yaml_provider.resolve.checks.policies import check_choices, check_metrics, check_retries
from argo_yaml_provider.resolve.checks.submitted import check_submitted
from argo_yaml_provider.resolve.checks.syntax import check_expressions, check_tag_syntax, check_whens
from argo_yaml_provider.resolve.checks.tags import check_tags
from argo_yaml_provider.resolve.checks.templates import check_size, check_template_names, check_types
from argo_yaml_provider.resolve.checks.view import View, check_owners
from argo_yaml_provider.resolve.resolved import Library, Resolved
from argo_yaml_provider.spec.problems import Problems

CHECKS = (
    check_size,
    check_object_name,
    check_labels,
    check_execution,
    check_template_names,
    check_types,
    check_entrypoint,
    check_references,
    check_call_names,
    check_loops,
    check_hooks,
    check_dependencies,
    check_depends,
    check_cycles,
    check_targets,
    check_inputs,
    check_outputs,
    check_arguments,
    check_call_arguments,
    check_entrypoint_arguments,
    check_containers,
    check_container_sets,
    check_pods,
    check_resources,
    check_submitted,
    check_deadlines,
    check_locks,
    check_retries,
    check_choices,
    check_metrics,
    check_tag_syntax,
    check_expressions,
    check_whens,
    check_tags,
    check_cron,
    check_annotations,
    check_owners,
)


def check(resolved: Resolved, library: Library, problems: Problems) -> None:
    """All of them; guessed templates that are wrong are left out, as Argo finds out only once one is called."""
    view = View(resolved=resolved, library=library, problems=problems)
    for one in CHECKS:
        one(view)
    resolved.forget(view.spoiled)
