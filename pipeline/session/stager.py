"""Stage a model's weights through the local cloud's stage-weights state machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pipeline.artifacts import Location
from pipeline.declared.models import ModelRow
from pipeline.declared.names import LOCAL_NAMES as NAMES
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.session.availability import Reach
from pipeline.session.kept_weights import staged_weights
from pipeline.session.watching import wait_for
from pipeline.weights.staged import StagedFile, StagedWeights

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud


@dataclass(frozen=True)
class StagedModel:
    """The result of staging a model. `reason` says why it failed; empty if it succeeded."""

    model: str
    bytes: int
    sources: tuple[str, ...]
    reason: str

    @classmethod
    def of(cls, staged: StagedWeights) -> Self:
        return cls(
            model=staged.model,
            bytes=sum(file.artifact.bytes for file in staged.files),
            sources=tuple(_source(file) for file in staged.files),
            reason="",
        )

    @classmethod
    def failed(cls, row: ModelRow, reason: str) -> Self:
        return cls(row.name, 0, (), reason)


def _source(file: StagedFile) -> str:
    """Return where a file came from, and its digest if only the record has one."""
    if file.digest:
        return file.source
    return f"{file.source}\nno published digest; recorded: sha256:{file.artifact.sha256}"


def stage_model(cloud: LocalCloud, row: ModelRow, reach: Reach) -> StagedModel:
    """Run the stage-weights state machine for one model, if a source has its weights."""
    return if_available(row, reach, lambda: _stage(cloud, row))


def if_available(row: ModelRow, reach: Reach, stage: Callable[[], StagedModel]) -> StagedModel:
    """Fetch what only packages have, then `stage`.

    A source that answered may fail afterwards: then the packages are fetched, and staging runs
    once more.
    """
    try:
        reach.origin(row)
        staged = stage()
        if staged.reason.startswith(WeightsUnavailable.__name__) and reach.fetch_packages(row):
            staged = stage()
    except (WeightsUnavailable, WeightsMismatch) as error:
        return StagedModel.failed(row, f"{type(error).__name__}: {error.message}. {error.hint}")
    return staged


def _stage(cloud: LocalCloud, row: ModelRow) -> StagedModel:
    states = cloud.client("stepfunctions")
    arn = states.start_execution(
        stateMachineArn=NAMES.machine_arn("stage-weights"), input=json.dumps({"models": [row.name]})
    )["executionArn"]
    execution = wait_for(cloud, arn)
    if execution.status != "SUCCEEDED":
        return StagedModel.failed(row, execution.reason)
    (result,) = execution.output
    return StagedModel.of(staged_weights(cloud, Location.parse(result["manifest"]["uri"]).key))
