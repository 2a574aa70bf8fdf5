"""Stage a model's weights through the local cloud's stage-weights state machine."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.artifacts import Location
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsUnavailable
from pipeline.local.deployment import NAMES
from pipeline.session.availability import require_model
from pipeline.session.kept_weights import staged_weights
from pipeline.session.watching import describe

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

_POLL_S: Final = 0.1


@dataclass(frozen=True)
class StagedModel:
    """The result of staging a model. `reason` says why it failed; empty if it succeeded."""

    model: str
    bytes: int
    sources: tuple[str, ...]
    reason: str


def stage_model(cloud: LocalCloud, row: ModelRow, *, mirror: str | None) -> StagedModel:
    """Run the stage-weights state machine for one model, if a source has its weights."""
    try:
        require_model(cloud.blueprint.catalogue, row.name, mirror=mirror)
    except WeightsUnavailable as error:
        return StagedModel(row.name, 0, (), f"WeightsUnavailable: {error.message}")
    states = cloud.client("stepfunctions")
    arn = states.start_execution(
        stateMachineArn=NAMES.machine_arn("stage-weights"), input=json.dumps({"models": [row.name]})
    )["executionArn"]
    while (execution := describe(states, arn)).status == "RUNNING":
        time.sleep(_POLL_S)
    if execution.status != "SUCCEEDED":
        return StagedModel(row.name, 0, (), execution.reason)
    (result,) = execution.output
    staged = staged_weights(cloud, Location.parse(result["manifest"]["uri"]).key)
    return StagedModel(
        model=row.name,
        bytes=sum(file.artifact.bytes for file in staged.files),
        sources=tuple(file.source for file in staged.files),
        reason="",
    )
