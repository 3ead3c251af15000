"""What a step fetched and stored, for OpenLineage: datasets that it read and wrote.

In: an operator that has run, and on it what its step moved.  Out: what OpenLineage's listener takes.
Imported when that listener asks, and so only where apache-airflow-providers-openlineage is installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.providers.openlineage.extractors.manager import ExtractorManager
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import output_statistics_output_dataset

from argo_yaml_provider.artifacts.datasets import dataset_of
from argo_yaml_provider.flow.outcome import Outcome
from argo_yaml_provider.pods.artifacts import NONE, Moves


def lineage_of(operator: Any) -> OperatorLineage[Any, Any]:
    """Artifacts, then what the task declares as its inlets and outlets: published assets."""
    moves, outcome = operator.moved or (NONE, None)
    return OperatorLineage(
        inputs=[*_inputs(moves), *_assets(operator.inlets)],
        outputs=[*_outputs(moves, outcome), *_assets(operator.outlets)],
    )


def _inputs(moves: Moves) -> Iterable[InputDataset]:
    for one in moves.inputs:
        if name := dataset_of(one.artifact):
            yield InputDataset(*name)


def _outputs(moves: Moves, outcome: Outcome | None) -> Iterable[OutputDataset]:
    stored = outcome.last.artifacts if outcome and outcome.last else {}
    for one in moves.stored:
        record = stored.get(one.artifact["name"])
        if record and (name := dataset_of(one.artifact)):
            size = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(size=record["size"])
            yield OutputDataset(*name, outputFacets={"outputStatistics": size})


def _assets(declared: Iterable[Any]) -> Iterable[Any]:
    return filter(None, map(ExtractorManager.convert_to_ol_dataset, declared))
