"""`argo-yaml run FILE…`: run workflows to their end in an Airflow of this command's own, and show how they go.

In: files, parameters.  Out: a tree, then outputs; exit code 0 succeeded, 1 failed, 2 wrong file, 3 waiting for a person.
Must not know: how a workflow is scheduled, how a pod is run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argo_yaml_provider.commands.arguments import with_arguments
from argo_yaml_provider.diagnostics import RunError, SpecError

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.run import Run, Stop
    from argo_yaml_provider.plan.nodes import Plan
    from argo_yaml_provider.pods.settings import PodSettings
    from argo_yaml_provider.status import LiveTree, PlainLines

Json = dict[str, Any]
KNOCK_SECONDS = 5.0
SUCCEEDED, FAILED, WRONG, WAITING, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One plan to run, or one file that was refused."""

    name: str
    plan: Plan | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line said."""

    files: tuple[Path, ...]
    parameters: dict[str, str]
    entrypoint: str | None
    templates: tuple[Path, ...]
    document: int | None
    kubeconfig: Path | None
    namespace: str
    stop: Stop
    output: str
    output_dir: Path | None
    execution: str = "executor"


@click.command(name="run")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_arguments
@click.option("--entrypoint", help="The template to begin with, instead of spec.entrypoint.")
@click.option(
    "--templates",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Where templates that a workflow refers to are looked for, beside its own folder.",
)
@click.option("--document", type=int, help="Of a file with several: the number of the one to run, from 0.")
@click.option("--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Run pods on this cluster.")
@click.option("--namespace", default="", help="Where pods run. [default: default]")
@click.option("--until-waiting", is_flag=True, help="End, with 3, when only a person can go on.")
@click.option("--timeout", type=float, help="End after so many seconds.")
@click.option("--output", type=click.Choice(["tree", "json"]), default="tree", help="json: one object a workflow, one a line.")
@click.option(
    "--output-dir", type=click.Path(file_okay=False, path_type=Path), help="Also write each result to NAME.json here."
)
@click.option(
    "--execution",
    type=click.Choice(["executor", "triggerer", "worker"]),
    default="executor",
    help="Who runs the steps: what the outcome is does not depend on it. [default: executor]",
)
def command(  # noqa: PLR0913, PLR0917 - one for each option
    files: tuple[Path, ...],
    parameters: dict[str, str],
    entrypoint: str | None,
    templates: tuple[Path, ...],
    document: int | None,
    kubeconfig: Path | None,
    namespace: str,
    until_waiting: bool,
    timeout: float | None,
    output: str,
    output_dir: Path | None,
    execution: str,
) -> None:
    """Run workflows to their end and show how they go."""
    from argo_yaml_provider.airflow.run import Stop, mark

    mark("command entered")
    options = Options(
        files=files,
        parameters=parameters,
        entrypoint=entrypoint,
        templates=templates,
        document=document,
        kubeconfig=kubeconfig,
        namespace=namespace or "default",
        stop=Stop(timeout=timeout, until_waiting=until_waiting),
        output=output,
        output_dir=output_dir,
        execution=execution,
    )
    sys.exit(run_files(options))


def run_files(options: Options) -> int:
    """All the files; the worst of their exit codes."""
    from argo_yaml_provider.airflow.run import mark

    works = [work for file in options.files for work in compile_works(file, options)]
    mark("files compiled")
    for work in works:
        if work.plan is None:
            click.echo(work.error, err=True)
    try:
        runs = run_works(works, options)
    except RunError as error:
        click.echo(f"error: {error}", err=True)
        return FAILED
    mark("everything stopped")
    _publish(results_of(works, runs), options)
    return max([exit_code(run) for run in runs] + [WRONG] * any(work.plan is None for work in works), key=_WORST.index)


def results_of(works: Sequence[Work], runs: Sequence[Run]) -> dict[str, Json]:
    """What is told of each file, by its name."""
    refused = {work.name: {"name": work.name, "phase": "Rejected", "nodes": []} for work in works if work.plan is None}
    return refused | {run.request.name: run.result for run in runs}


_WORST = [SUCCEEDED, WAITING, FAILED, WRONG, INTERRUPTED]


def exit_code(run: Run) -> int:
    """0, 1 or 3."""
    if not run.over:
        return WAITING if run.waiting else FAILED
    return SUCCEEDED if run.result.get("phase") == "Succeeded" else FAILED


def compile_works(file: Path, options: Options) -> list[Work]:
    """Every plan of a file; a file with several gives them numbers."""
    from argo_yaml_provider.plan.compile import compile_file

    name = file.stem
    try:
        plans = compile_file(file, library_paths=options.templates, document=options.document, entrypoint=options.entrypoint)
    except SpecError as error:
        return [Work(name=name, error=str(error))]
    if not plans:
        return [Work(name=name, error=f"{file}: no workflow in it can be run [nothing-to-run]")]
    return [_work(name if len(plans) == 1 else f"{name}.{number}", plan, options) for number, plan in enumerate(plans)]


def _work(name: str, plan: Plan, options: Options) -> Work:
    """The plan, unless it waits for values that nobody gave."""
    from argo_yaml_provider.resolve.submission import missing_values

    missing = missing_values(plan.workflow, options.parameters)
    if missing:
        values = " ".join(f"-p {one}=…" for one in missing)
        return Work(name=name, error=f"{plan.file}: no value for {', '.join(missing)} [missing-value]\n   = help: add {values}")
    return Work(name=name, plan=plan)


def run_works(works: Sequence[Work], options: Options) -> list[Run]:
    """Every plan among them, all at once in one Airflow."""
    from argo_yaml_provider.airflow.run import Request, airflow, run_requests
    from argo_yaml_provider.pods.settings import folder_repository

    requests = [Request(name=work.name, plan=work.plan, parameters=options.parameters) for work in works if work.plan]
    if not requests:
        return []
    view = _view(options)
    with contextlib.ExitStack() as stack:
        # Airflow logs to standard output, which is for results alone.
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="argo-yaml-")))
        cluster = stack.enter_context(kubernetes(options, home))
        executor = stack.enter_context(airflow(home / "airflow", _tell, before_fork=cluster, execution=options.execution))
        pods = pod_settings(cluster(), options.namespace)
        if options.kubeconfig is None and pods.artifact_repository is None:
            pods = replace(pods, artifact_repository=folder_repository(home / "artifacts"))
        stack.enter_context(view)
        return run_requests(executor, requests, pods, lambda runs: view.show([run.result for run in runs]), options.stop)


def pod_settings(kubeconfig: Path, namespace: str) -> PodSettings:
    """What the `[argo_yaml]` variables of the environment say of pods, on this cluster."""
    from argo_yaml_provider.airflow.settings import read_pod_settings

    return replace(read_pod_settings(), conn_id=None, in_cluster=None, config_file=str(kubeconfig), namespace=namespace)


@contextlib.contextmanager
def kubernetes(options: Options, home: Path) -> Iterator[Callable[[], Path]]:
    """Gives the kubeconfig of the user's cluster, or of an embedded one, which starts while other things are imported."""
    if options.kubeconfig:
        path = options.kubeconfig
        asyncio.run(knock(path, options.namespace))
        yield lambda: path
        return
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(1) as starter:
        started = starter.submit(_start_embedded, options, home, stack)
        yield started.result


def _start_embedded(options: Options, home: Path, stack: contextlib.ExitStack) -> Path:
    """An embedded Kubernetes with the ConfigMaps and Secrets found beside the files."""
    from argo_yaml_provider.airflow.run import mark
    from argo_yaml_provider.commands.documents import find_documents
    from argo_yaml_provider.local import EmbeddedKubernetes

    cluster = stack.enter_context(EmbeddedKubernetes(home / "kubernetes"))
    beside = [path for file in options.files for path in file.parent.iterdir()]
    documents = find_documents([*options.files, *(path for path in beside if path.is_file()), *options.templates])
    asyncio.run(apply_to(cluster.kubeconfig, documents, options.namespace))
    mark("Kubernetes there")
    if cluster.warning:
        _tell(cluster.warning)
    return cluster.kubeconfig


async def knock(kubeconfig: Path, namespace: str) -> None:
    """A cluster that is not there, or lets nobody in, is told at once; later, a step waits for it to come back."""
    from argo_yaml_provider.step.kube import Kube

    kube = await Kube.open(str(kubeconfig))
    try:
        await kube.call("GET", f"/api/v1/namespaces/{namespace}/pods", query={"limit": "1"}, patience=KNOCK_SECONDS)
    finally:
        await kube.close()


async def apply_to(kubeconfig: Path, documents: Sequence[Json], namespace: str) -> None:
    """Put the documents into the cluster."""
    from argo_yaml_provider.commands.documents import apply_documents
    from argo_yaml_provider.step.kube import Kube

    kube = await Kube.open(str(kubeconfig))
    try:
        await apply_documents(kube, documents, namespace)
    finally:
        await kube.close()


def _view(options: Options) -> LiveTree | PlainLines:
    from argo_yaml_provider.status import LiveTree, PlainLines

    if options.output != "json" and sys.stdout.isatty():
        from rich.console import Console

        return LiveTree(Console(file=sys.stdout))
    stream = sys.stderr if options.output == "json" else sys.stdout
    return PlainLines(lambda line: click.echo(line, file=stream))


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _publish(results: dict[str, Json], options: Options) -> None:
    from argo_yaml_provider.status import render_outputs

    for name, result in results.items():
        if options.output_dir:
            options.output_dir.mkdir(parents=True, exist_ok=True)
            (options.output_dir / f"{name}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        if options.output == "json":
            click.echo(json.dumps(result))
        elif result.get("nodes"):
            for line in [f"{result['name']}: {result['phase']}", *render_outputs(result)]:
                click.echo(line)
